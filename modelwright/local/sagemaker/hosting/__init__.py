"""What serves: members, fleets, processes; one request on its way; capture, shadow, metrics, queues."""
