"""When a rule's schedule is due.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pyawscron import AWSCron

_RATE = re.compile(r"rate\((\d+) (minutes?|hours?|days?)\)")


def next_time(expression: str, after: datetime) -> datetime:
    """The first moment after `after` (aware, UTC) at which the schedule fires.

    A rate counts from `after`, which is the rule's creation or its last firing.

    Raises:
        ValueError: neither `rate(…)` nor `cron(…)`, or wrong inside.
    """
    rate = _RATE.fullmatch(expression)
    if rate and int(rate[1]) > 0 and (int(rate[1]) == 1) != rate[2].endswith("s"):
        return after + timedelta(**{rate[2].rstrip("s") + "s": int(rate[1])})
    if expression.startswith("cron(") and expression.endswith(")"):
        return _next_cron(expression[5:-1], after)
    raise ValueError(f"{expression!r} is no schedule: `rate(1 hour)`, `rate(7 days)` or `cron(0 8 ? * MON-FRI *)`")


def _next_cron(fields: str, after: datetime) -> datetime:
    try:
        found = AWSCron(fields).occurrence(after).next()
    except Exception as error:  # noqa: BLE001 - the library raises several kinds
        raise ValueError(f"cron({fields}) is no schedule: {error}") from None
    if found is None:
        raise ValueError(f"cron({fields}) never fires after {after.isoformat()}")
    return datetime.fromisoformat(found.isoformat())
