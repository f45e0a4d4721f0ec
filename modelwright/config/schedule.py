"""EventBridge's schedule expressions: `rate(7 days)` and `cron(0 4 ? * MON *)`.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re

_RATE = re.compile(r"rate\((?P<count>[0-9]{1,6}) (?P<unit>minute|minutes|hour|hours|day|days)\)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
# name, least, most, words (the first one means `least`), whether ? is allowed
_FIELDS: tuple[tuple[str, int, int, list[str], bool], ...] = (
    ("minutes", 0, 59, [], False),
    ("hours", 0, 23, [], False),
    ("day of month", 1, 31, [], True),
    ("month", 1, 12, _MONTHS, False),
    ("day of week", 1, 7, _DAYS, True),
    ("year", 1970, 2199, [], False),
)


def schedule_problem(text: str) -> str | None:
    """Return what is wrong with the expression `text`, as the rest of a sentence; None when nothing is."""
    if text.startswith("rate("):
        return _rate_problem(text)
    if text.startswith("cron(") and text.endswith(")"):
        return _cron_problem(text)
    return f"is {text!r}; it must be an expression like rate(7 days) or cron(0 4 ? * MON *)."


def _rate_problem(text: str) -> str | None:
    found = _RATE.fullmatch(text)
    if not found or int(found["count"]) < 1:
        return f"is {text!r}; it must be rate(N minutes), rate(N hours) or rate(N days) with N from 1."
    singular = int(found["count"]) == 1
    if singular == found["unit"].endswith("s"):
        unit = found["unit"].rstrip("s") + ("" if singular else "s")
        return f"is {text!r}; EventBridge wants rate({int(found['count'])} {unit})."
    return None


def _cron_problem(text: str) -> str | None:
    fields = text.removeprefix("cron(").removesuffix(")").split()
    if len(fields) != len(_FIELDS):
        order = ", ".join(name for name, *_ in _FIELDS)
        return f"is {text!r} with {len(fields)} fields; cron(…) must have 6: {order}."
    for value, (name, least, most, words, question) in zip(fields, _FIELDS, strict=True):
        if not _field_is_right(value, least, most, words, question=question):
            allowed = f"{least}-{most}" + (f" or {words[0]}-{words[-1]}" if words else "")
            return f"is {text!r}; its {name} is {value!r} and must be made of {allowed}, `*`, `,`, `-` and `/`."
    if (fields[2] == "?") == (fields[4] == "?"):
        return f"is {text!r}; exactly one of day of month and day of week must be `?`."
    return None


def _field_is_right(value: str, least: int, most: int, words: list[str], *, question: bool) -> bool:
    if value == "?":
        return question
    return all(_part_is_right(part, least, most, words, question=question) for part in value.split(","))


def _part_is_right(part: str, least: int, most: int, words: list[str], *, question: bool) -> bool:
    if question and _is_special(part, least, most, words):
        return True
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 1 <= int(step) <= most):
        return False
    if span == "*":
        return True
    ends = [_number(end, least, most, words) for end in span.split("-")]
    return len(ends) <= 2 and None not in ends


def _is_special(part: str, least: int, most: int, words: list[str]) -> bool:
    """`L` and `15W` in the day of month; `L`, `6L` and `3#2` in the day of week."""
    if part == "L":
        return True
    if words:
        day, hash_, week = part.partition("#")
        nth = bool(hash_) and week in {"1", "2", "3", "4", "5"} and _number(day, least, most, words) is not None
        return nth or (part.endswith("L") and _number(part[:-1], least, most, words) is not None)
    return part == "LW" or (part.endswith("W") and _number(part[:-1], least, most, words) is not None)


def _number(text: str, least: int, most: int, words: list[str]) -> int | None:
    if text.upper() in words:
        return least + words.index(text.upper())
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        return None
    return int(text) if least <= int(text) <= most else None
