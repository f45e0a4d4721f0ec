"""What each caller of the local cloud may do: AWS's policy language and AWS's evaluation of it."""
