"""Reading `triggers` of a `pipeline.yaml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelwright.config.pipeline import TriggerSettings
from modelwright.config.reader import ENOUGH
from modelwright.config.schedule import schedule_problem

if TYPE_CHECKING:
    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.pipeline import DataSettings
    from modelwright.config.reader import Section

_BRANCH = r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,254}"
# https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateRepository.html: "cannot end in .git"
_CODECOMMIT = r"(?!.*\.git$)[\w.-]{1,100}"
# An owner has letters, digits and single hyphens (a managed user's an underscore), at most 39; a repository's name 100
# characters. With ids for a repository that was made, renamed or transferred after 15 July 2026:
# https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims
_OWNER = r"(?=[^/@]{1,39}[/@])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*"
_REPOSITORY = r"(?!.*\.git(?:@|$))[A-Za-z0-9_.-]{1,100}"
_GITHUB = rf"{_OWNER}(?:/{_REPOSITORY}|@[0-9]+/{_REPOSITORY}@[0-9]+)"
_GITHUB_FORMS = "owner/repository, or owner@id/repository@id for one whose tokens hold ids"
_MARKER = r"[A-Za-z0-9_.!*'()-]{1,100}"


def read_triggers(section: Section, data: DataSettings, environment: EnvironmentSettings | None) -> TriggerSettings:
    """Read the section; what is wrong with it, alone or beside the data source and the environment, is reported."""
    merge = section.section("merge")
    codecommit = merge.optional_text("codecommit", pattern=_CODECOMMIT, allowed="the name of a CodeCommit repository")
    github = merge.optional_text("github", pattern=_GITHUB, allowed=_GITHUB_FORMS)
    branch = merge.text("branch", "main", pattern=_BRANCH, allowed="a branch's name")
    merge.finish()
    _check_merge(merge, github, environment)
    schedule = section.optional_text("schedule", allowed="an expression like rate(7 days) or cron(0 4 ? * MON *)")
    problem = schedule_problem(schedule) if schedule else None
    if problem:
        section.problem("schedule", problem)
    marker, every_records = _data(section, data)
    section.finish()
    return TriggerSettings(branch, codecommit, github, schedule, marker, every_records)


def _check_merge(merge: Section, github: str | None, environment: EnvironmentSettings | None) -> None:
    if merge.has("codecommit") and merge.has("github"):
        merge.problem("github", "stands beside codecommit; merges come from one of them: remove the other.")
    if github and environment and environment.oidc_provider is None:
        where = f"environments/{environment.name}.yaml"
        choices = "oidc_provider: create, or the ARN of the account's provider for token.actions.githubusercontent.com"
        merge.problem("github", f"needs what GitHub logs in with; write into {where} {choices}.")


def _data(section: Section, data: DataSettings) -> tuple[str | None, int | None]:
    """What starts a run when data arrive: a marker's name, or a number of new records."""
    if not section.has("data"):
        section.child("data")
        return None, None
    found = section.section("data")
    every = found.integer("every_records", 0, least=1, most=ENOUGH) or None
    marker = found.text("marker", "" if every else "_SUCCESS", pattern=_MARKER, allowed="an object's name, no slash")
    if found.has("marker") and found.has("every_records"):
        found.problem("marker", "stands beside every_records; a run is started by one of them: remove the other.")
    if data.in_s3 and not re.fullmatch(r"s3://[^/]+/.+/", data.source):
        message = f"watches data.source, which is {data.source!r}; it must be a prefix: s3://bucket/prefix/."
        section.problem("data", message)
    found.finish()
    return marker or None, every
