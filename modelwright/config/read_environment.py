"""Reading `environments/<env>.yaml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from modelwright.config.document import read_document
from modelwright.config.environment import AlarmSettings, EnvironmentSettings, LimitSettings, LogSettings
from modelwright.config.images import region_problem
from modelwright.config.instances import known_pattern
from modelwright.config.read_account import read_tags, read_vpc, texts
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
GITHUB_ISSUER = "token.actions.githubusercontent.com"
# IAM takes 512 characters, but the state machine's policy has room for 10,240 and names roles. /aws-… is AWS's own.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_ROLE_PATH = r"(?=.{1,64}$)(?!/aws-)/(?:[A-Za-z0-9_.,+@=-]+/)*"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html: a managed policy, AWS's or one's own
_POLICY_ARN = r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/(?:[A-Za-z0-9_.,+@=-]+/)*[A-Za-z0-9_.,+@=-]{1,128}"
_OIDC_PROVIDER = rf"create|arn:aws[a-z-]*:iam::[0-9]{{12}}:oidc-provider/{re.escape(GITHUB_ISSUER)}"
# https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
_PATHS = "a path that begins and ends with a slash, at most 64 characters, not AWS's own /aws-…/"
_QUALIFIER = r"[a-z0-9]{1,10}"
MAX_INSTANCES = 20
_INSTANCES = r"ml\.[a-z0-9*-]+\.[a-z0-9*-]+"


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
    top = Section(shown_path, "", root, problems)
    settings = _settings(path.stem, top)
    _check_provider(top, settings)
    _check_boundary(top, settings)
    top.finish()
    return settings


def _settings(name: str, top: Section) -> EnvironmentSettings:
    return EnvironmentSettings(
        name=name,
        region=_region(top),
        account=top.optional_text("account", pattern="[0-9]{12}", allowed="12 digits in quotes"),
        logs=_logs(top),
        notify_emails=_emails(top),
        alarms=_alarms(top),
        limits=_limits(top),
        removal=_removal(top),
        key=_key(top),
        vpc=read_vpc(top),
        permissions_boundary=top.optional_text(
            "permissions_boundary", pattern=_POLICY_ARN, allowed="the ARN of a managed policy"
        ),
        role_path=top.text("role_path", "/", pattern=_ROLE_PATH, allowed=_PATHS),
        tags=read_tags(top),
        qualifier=top.optional_text(
            "qualifier", pattern=_QUALIFIER, allowed="at most 10 lower-case letters and digits"
        ),
        oidc_provider=top.optional_text(
            "oidc_provider", pattern=_OIDC_PROVIDER, allowed=f"create, or an ARN that ends in {GITHUB_ISSUER}"
        ),
        api_logs="create" if top.choice("api_logs", ("existing", "create"), "existing") == "create" else "existing",
    )


def _check_provider(top: Section, settings: EnvironmentSettings) -> None:
    """A role trusts a provider of its own account only: the template names it by the account that it is deployed to."""
    named = (settings.oidc_provider or "").split(":")[4:5]
    if named and settings.account and named != [settings.account]:
        message = f"is in the account {named[0]}; it must be in {settings.account}, that of the environment."
        top.problem("oidc_provider", message)


def _check_boundary(top: Section, settings: EnvironmentSettings) -> None:
    named = (settings.permissions_boundary or "").split(":")[4:5]
    if named and settings.account and named[0] not in (settings.account, "aws"):
        message = f"is in the account {named[0]}; it must be in {settings.account}, that of the environment, or AWS's."
        top.problem("permissions_boundary", message)


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
        endpoint_4xx_percent=section.number("endpoint_4xx_percent", default.endpoint_4xx_percent, least=0, most=100),
        metric_floors=_floors(section.section("metric_floors")),
        # periods times their length is at most 7 days:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        days_without_training=section.integer("days_without_training", default.days_without_training, most=7),
    )
    section.finish()
    return settings


def _limits(top: Section) -> LimitSettings:
    section = top.section("limits")
    default = LimitSettings()
    settings = LimitSettings(
        # "longest run time": 5 days, https://docs.aws.amazon.com/general/latest/gr/sagemaker.html
        max_runtime_seconds=section.integer("max_runtime_seconds", default.max_runtime_seconds, most=432_000),
        max_instance_count=section.integer("max_instance_count", default.max_instance_count, most=100),
        max_volume_gib=section.integer("max_volume_gib", default.max_volume_gib, most=16_384),
        instances=_instances(section),
        max_runs_per_day=section.integer("max_runs_per_day", 0, least=1, most=10_000) or None,
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


def _instances(section: Section) -> tuple[str, ...]:
    """They are conditions of the state machine's role, whose policies have room for 10,240 characters."""
    found = texts(section, "instances", _INSTANCES, "an instance type like ml.m5.large, or ml.m5.*")
    if len(found) > MAX_INSTANCES:
        section.problem("instances", f"has {len(found)} entries; at most {MAX_INSTANCES}; ml.m5.* stands for many.")
    for index, pattern in enumerate(found):
        if not known_pattern(pattern):
            section.problem(f"instances[{index}]", f"is {pattern!r}; SageMaker has no instance type like it.")
    return found


def _floors(section: Section) -> dict[str, float]:
    """Metrics have names that the user gave them."""
    floors = {key: section.number(key, 0.0, least=-1e12, most=1e12) for key in section.keys()}  # noqa: SIM118 # a method
    section.finish()
    return floors


def _key(top: Section) -> Literal["customer-managed", "aws-owned"]:
    chosen = top.choice("key", ("customer-managed", "aws-owned"), "customer-managed")
    return "aws-owned" if chosen == "aws-owned" else "customer-managed"


def _removal(top: Section) -> Literal["retain", "destroy"]:
    return "destroy" if top.choice("removal", ("retain", "destroy"), "retain") == "destroy" else "retain"
