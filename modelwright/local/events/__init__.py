"""EventBridge: buses, rules with patterns and transformers, schedules, deliveries with retries and dead letters."""
