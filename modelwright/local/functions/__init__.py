"""Lambda: functions whose real handlers run in warm processes."""
