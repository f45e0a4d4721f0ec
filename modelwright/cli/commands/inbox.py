"""`modelwright inbox`: what topics told people, and what could not be delivered (local cloud)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.cli.alarm_notice import alarm_notice, readable
from modelwright.cli.arguments import positive
from modelwright.cli.platform import add_environment, read_what_can_be_read
from modelwright.cli.render import clock, print_json

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("-n", "--number", type=positive, default=10, help="how many of each (default: 10)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    add_environment(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from modelwright.local.daemon.attach import attach  # noqa: PLC0415 # not needed for `--help`

    with attach(read_what_can_be_read(args).root, args.env) as local:
        found = local.inbox()
    messages, letters = found["messages"][-args.number :], found["dead_letters"][-args.number :]
    if args.json:
        print_json({"messages": messages, "dead_letters": letters})
        return 0
    for message in messages:
        notice = alarm_notice(message["message"])
        subject = notice["NewStateValue"] if notice else message["subject"] or ""
        text = readable(notice) if notice else message["message"]
        _print(message["at"], f"{message['topic'].rsplit(':', 1)[-1]}  {subject}", text)
    for letter in letters:
        why = letter["attributes"].get("ERROR_MESSAGE", {}).get("StringValue", "")
        _print(letter["at"], f"dead letter in {letter['queue']}  {why}", letter["body"])
    if not messages and not letters:
        print("No message.")
    return 0


def _print(at: float, head: str, body: Any) -> None:
    print(f"{clock(datetime.fromtimestamp(at, UTC))}  {head}".rstrip())
    print("    " + str(body).strip("\n").replace("\n", "\n    "))
