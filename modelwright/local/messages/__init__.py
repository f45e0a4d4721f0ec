"""SNS topics and SQS queues, their messages kept in the database."""
