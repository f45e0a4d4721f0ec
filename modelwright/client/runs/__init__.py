"""Executions: started, watched, found again, their logs; the events and data that start them."""
