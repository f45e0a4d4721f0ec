from datetime import UTC, datetime

import pytest

from modelwright.local.events.schedules import next_time

AFTER = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", datetime(2026, 11, 20, 22, 1, tzinfo=UTC)),
        ("rate(7 days)", datetime(2026, 11, 27, 22, 0, tzinfo=UTC)),
        ("cron(0 8 ? * MON-FRI *)", datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
    ],
)
def test_when_it_is_due(expression, expected):
    assert next_time(expression, AFTER) == expected


@pytest.mark.parametrize(
    "expression", ["rate(1 days)", "rate(2 day)", "rate(0 days)", "every day", "cron(nonsense)", "cron(0 8 * * ? 1999)"]
)
def test_what_is_no_schedule_is_refused(expression):
    with pytest.raises(ValueError, match=r"schedule|never fires"):
        next_time(expression, AFTER)
