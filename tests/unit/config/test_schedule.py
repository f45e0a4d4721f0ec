from __future__ import annotations

import pytest

from modelwright.config.schedule import schedule_problem


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 day)",
        "rate(7 days)",
        "rate(5 minutes)",
        "cron(0 4 ? * MON *)",
        "cron(0/15 8-17 ? * MON-FRI 2026-2030)",
        "cron(0 10 * * ? *)",
        "cron(0 8 1 * ? *)",
        "cron(0 8 L * ? *)",
        "cron(0 8 15W JAN,jul ? *)",
        "cron(0 8 ? * 6#3 *)",
        "cron(0 8 ? * 2L *)",
    ],
)
def test_what_eventbridge_takes_is_taken(text: str) -> None:
    assert schedule_problem(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("daily", "is 'daily'; it must be an expression like rate(7 days) or cron(0 4 ? * MON *)."),
        ("rate(1 days)", "is 'rate(1 days)'; EventBridge wants rate(1 day)."),
        ("rate(7 day)", "is 'rate(7 day)'; EventBridge wants rate(7 days)."),
        ("rate(0 days)", "it must be rate(N minutes), rate(N hours) or rate(N days) with N from 1."),
        ("rate(2 weeks)", "it must be rate(N minutes), rate(N hours) or rate(N days) with N from 1."),
        (
            "cron(0 4 * * *)",
            "with 5 fields; cron(…) must have 6: minutes, hours, day of month, month, day of week, year.",
        ),
        ("cron(0 4 * * * *)", "exactly one of day of month and day of week must be `?`."),
        ("cron(0 4 ? * ? *)", "exactly one of day of month and day of week must be `?`."),
        ("cron(60 4 ? * MON *)", "its minutes is '60' and must be made of 0-59, `*`, `,`, `-` and `/`."),
        ("cron(0 4 ? * MONDAY *)", "its day of week is 'MONDAY' and must be made of 1-7 or SUN-SAT"),
        ("cron(0/0 4 ? * MON *)", "its minutes is '0/0'"),
        ("cron(0 1-2-3 ? * MON *)", "its hours is '1-2-3'"),
        ("cron(? 4 ? * MON *)", "its minutes is '?'"),
    ],
)
def test_what_eventbridge_refuses_is_refused(text: str, problem: str) -> None:
    assert problem in str(schedule_problem(text))
