"""What the API says of endpoints: configurations, updates, guardrails, records; `service.py` answers."""
