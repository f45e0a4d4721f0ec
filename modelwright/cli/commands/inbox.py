"""`modelwright inbox`: what topics told people, and what could not be delivered (local cloud)."""

from __future__ import annotations

import argparse

from modelwright.cli.render import clock, print_json
from modelwright.project import find_root


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("-n", "--number", type=int, default=10, help="how many messages (default: 10)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from modelwright.local.attach import attach  # noqa: PLC0415

    with attach(find_root()) as local:
        found = local.inbox()
    messages, letters = found["messages"][-args.number :], found["dead_letters"]
    if args.json:
        print_json({"messages": messages, "dead_letters": letters})
        return 0
    for message in messages:
        print(
            f"{clock(datetime.fromtimestamp(message['at'], UTC))}  {message['topic'].rsplit(':', 1)[-1]}  {message['subject'] or ''}"
        )
        print("    " + message["message"].replace("\n", "\n    "))
    for letter in letters:
        reason = letter["attributes"].get("ERROR_MESSAGE", {}).get("StringValue", "")
        print(f"{clock(datetime.fromtimestamp(letter['at'], UTC))}  dead letter in {letter['queue']}  {reason}")
        print("    " + letter["body"])
    if not messages and not letters:
        print("No message.")
    return 0
