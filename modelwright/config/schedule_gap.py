"""How long a schedule may leave a pipeline alone."""

from __future__ import annotations

import math
import re

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_IN_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0}
_RATE = re.compile(r"rate\(([0-9]+) (minute|hour|day)s?\)")


def longest_gap_days(schedule: str) -> int | None:
    """Return the days, rounded up, that may lie between two times of `schedule`, a right one.

    None when it is not said by days of the week alone: some months, dates or years may lie further apart than a week.
    """
    rate = _RATE.fullmatch(schedule)
    if rate:
        return math.ceil(int(rate[1]) * _IN_DAYS[rate[2]])
    _, _, date, month, day, year = schedule.removeprefix("cron(").removesuffix(")").split()
    if month != "*" or year != "*" or date not in {"*", "?"}:
        return None
    return 1 if day in {"*", "?"} else _longest_of_week(day)


def _longest_of_week(field: str) -> int | None:
    days = sorted({day for part in field.upper().split(",") for day in _part(part)})
    if not days:
        return None
    return max((after - day - 1) % 7 + 1 for day, after in zip(days, [*days[1:], days[0]], strict=True))


def _part(part: str) -> list[int]:
    """The days of `MON`, `2-6`, `MON/2` or `*`; none of `6L` or `3#2`, which are not in every week."""
    span, _, step = part.partition("/")
    ends = [*map(_day, span.split("-"))] if span != "*" else [1, 7]
    if None in ends:
        return []
    first = ends[0] or 1
    last = ends[-1] if len(ends) > 1 or not step else 7
    last = 7 if last is None else last
    days = range(first, (last if last >= first else last + 7) + 1, int(step or 1))
    return [(day - 1) % 7 + 1 for day in days]


def _day(text: str) -> int | None:
    if text in _DAYS:
        return _DAYS.index(text) + 1
    return int(text) if text.isdigit() else None
