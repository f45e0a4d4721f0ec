"""Reading `environments/<env>.yaml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from modelwright.config.document import read_document
from modelwright.config.environment import AlarmSettings, EnvironmentSettings, LimitSettings, LogSettings
from modelwright.config.images import region_problem
from modelwright.config.reader import Section, shown
from modelwright.errors import Problem, names

if TYPE_CHECKING:
    from pathlib import Path

# A stack is named mw-<env>-<pipeline>: without a hyphen in <env>, no two pairs make the same name.
ENVIRONMENT_NAME = r"[a-z][a-z0-9]{0,11}"
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_YEARS_OF_DAYS = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, *_YEARS_OF_DAYS)
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+")
_LEASE_MARGIN_SECONDS = 1800
_PLANNED = "it comes with the settings for real accounts"
NOT_YET = dict.fromkeys(
    ("vpc", "permissions_boundary", "role_path", "tags", "qualifier", "key", "instances", "oidc_provider"), _PLANNED
)


def read_environment(path: Path, shown_path: str, problems: list[Problem]) -> EnvironmentSettings | None:
    """Read the environment file at `path`; what is wrong goes to `problems`, under the name `shown_path`.

    Returns None when nothing could be read. What is returned is to be used only if `problems` stayed empty.
    """
    if not re.fullmatch(ENVIRONMENT_NAME, path.stem):
        allowed = "it must be a lower-case letter and then at most 11 lower-case letters and digits."
        problems.append(Problem(shown_path, "", f"makes the environment's name {path.stem!r}; {allowed}"))
    root = read_document(path, shown_path, problems)
    if root is None:
        return None
    top = Section(shown_path, "", root, problems, NOT_YET)
    settings = EnvironmentSettings(
        name=path.stem,
        region=_region(top),
        account=top.optional_text("account", pattern="[0-9]{12}", allowed="12 digits in quotes"),
        logs=_logs(top),
        notify_emails=_emails(top),
        alarms=_alarms(top),
        limits=_limits(top),
        removal=_removal(top),
    )
    top.finish()
    return settings


def _region(top: Section) -> str:
    region = top.text("region", allowed="a region, like eu-central-1")
    problem = region_problem(region) if region else None
    if problem:
        top.problem("region", problem)
    return region


def _logs(top: Section) -> LogSettings:
    section = top.section("logs")
    days = section.integer("retention_days", LogSettings.retention_days)
    if days not in RETENTION_DAYS:
        allowed = names([str(number) for number in RETENTION_DAYS], "or")
        section.problem("retention_days", f"is {days}; CloudWatch Logs keeps {allowed} days.")
    section.finish()
    return LogSettings(days)


def _emails(top: Section) -> tuple[str, ...]:
    section = top.section("notify")
    emails = []
    for index, node in enumerate(section.items("emails")):
        if isinstance(node.value, str) and _EMAIL.fullmatch(node.value):
            emails.append(node.value)
        else:
            section.problem(f"emails[{index}]", f"is {shown(node.value)}; it must be an e-mail address.", node.line)
    section.finish()
    return tuple(dict.fromkeys(emails))


def _alarms(top: Section) -> AlarmSettings:
    section = top.section("alarms")
    default = AlarmSettings()
    settings = AlarmSettings(
        endpoint_latency_ms=section.integer("endpoint_latency_ms", default.endpoint_latency_ms, most=60_000),
        endpoint_error_percent=section.number(
            "endpoint_error_percent", default.endpoint_error_percent, least=0, most=100
        ),
        # periods times their length is at most 7 days:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        days_without_training=section.integer("days_without_training", default.days_without_training, most=7),
    )
    section.finish()
    return settings


def _limits(top: Section) -> LimitSettings:
    section = top.section("limits", not_yet={"max_runs_per_day": "runs are not counted yet"})
    default = LimitSettings()
    settings = LimitSettings(
        # "longest run time": 5 days, https://docs.aws.amazon.com/general/latest/gr/sagemaker.html
        max_runtime_seconds=section.integer("max_runtime_seconds", default.max_runtime_seconds, most=432_000),
        max_instance_count=section.integer("max_instance_count", default.max_instance_count, most=100),
        max_volume_gib=section.integer("max_volume_gib", default.max_volume_gib, most=16_384),
        max_wait_for_endpoint_seconds=section.integer(
            "max_wait_for_endpoint_seconds", default.max_wait_for_endpoint_seconds, least=60, most=14_400
        ),
        lease_seconds=section.integer("lease_seconds", default.lease_seconds, least=60, most=86_400),
    )
    least = 3 * settings.max_wait_for_endpoint_seconds + _LEASE_MARGIN_SECONDS
    if settings.lease_seconds < least:
        why = "three times max_wait_for_endpoint_seconds and half an hour"
        section.problem("lease_seconds", f"is {settings.lease_seconds}; it must be {least} or more: {why}.")
    section.finish()
    return settings


def _removal(top: Section) -> Literal["retain", "destroy"]:
    return "destroy" if top.choice("removal", ("retain", "destroy"), "retain") == "destroy" else "retain"
