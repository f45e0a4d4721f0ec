"""Amazon API Gateway: REST APIs of a template, their stages, keys and plans, answered on loopback."""
