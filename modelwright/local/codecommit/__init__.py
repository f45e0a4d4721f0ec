"""CodeCommit over the project's own git repository: commits as they are, never the working tree."""
