"""Write docs/caller-policy.md for the sample environment."""

from modelwright.client.caller_policy.page import PAGE, page
from modelwright.client.caller_policy.place import Place

PAGE.write_text(page(Place("dev", "eu-central-1", "123456789012", ("penguins",))), "utf-8")
