"""Every grant of the template, action by action: without it a run goes another way, or it is listed with its reason.

Taking a whole statement away takes each of its actions, so a statement whose actions are needed one by one is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from grants_not_asked import DENIES, NOT_ASKED, NOT_TOUCHED
from pipeline_scenarios import SCENARIOS, played, prepared, renew_processes
from policy_surgery import Decisions, Grant, Policy, grants, policies, untouched, uses, without

if TYPE_CHECKING:
    from pipeline_stage import Seen, Stage

    from modelwright.local.iam.statements import StatementRef

JOB_LOGS = {
    "ProcessingRole": "/aws/sagemaker/ProcessingJobs",
    "TrainingRole": "/aws/sagemaker/TrainingJobs",
    "BatchRole": "/aws/sagemaker/TransformJobs",
    "HostingRole": "/aws/sagemaker/Endpoints/mw-dev-penguins",
}


@dataclass
class Tried:
    """What every scenario showed with all grants, and which grants it used."""

    policies: list[Policy]
    seen: dict[str, Seen] = field(default_factory=dict)
    used: dict[str, frozenset[Grant]] = field(default_factory=dict)
    """By scenario; `prepared` for what only their preparations used."""
    touched: set[tuple[StatementRef, str, str]] = field(default_factory=set)
    """Statement, action and resource of all decisions."""

    @property
    def grants(self) -> list[Grant]:
        return sorted(grants(self.policies))

    def is_used(self, grant: Grant) -> bool:
        return any(grant in used for used in self.used.values())

    def scenarios_of(self, grant: Grant) -> list[str]:
        return [name for name in SCENARIOS if grant in self.used[name]]


@pytest.fixture(scope="module")
def tried(stage: Stage, decisions: Decisions) -> Tried:
    found = Tried(policies(stage.cloud))
    found.used["prepared"] = frozenset()
    for name in SCENARIOS:
        act = prepared(stage, name)
        found.used["prepared"] |= used_of(found, decisions)
        found.seen[name] = act()
        found.used[name] = used_of(found, decisions)
    return found


def used_of(found: Tried, decisions: Decisions) -> frozenset[Grant]:
    """The grants that were used since the last look."""
    used = {(ref, action) for ref, action, _ in decisions.used}
    found.touched |= decisions.used
    decisions.forget()
    return frozenset(grant for grant in found.grants if uses(grant, used))


def listed(grant: Grant) -> bool:
    return any(all(map(fnmatchcase, (grant.owner, grant.sid, grant.action), names)) for names in NOT_ASKED)


def writes_logs(grant: Grant) -> bool:
    return grant.action.startswith("logs:") and grant.owner != "StateMachineRole"


def test_the_scenarios_are_what_they_are_called(tried: Tried) -> None:
    """Each goes the way that it is there for; otherwise it would prove nothing."""
    assert {name: (seen.outcome, seen.error) for name, seen in tried.seen.items()} == {
        "deployed": ("made", ""),
        "alarm": ("told", ""),
        "undelivered": ("told", ""),
        "subscribed": ("told", ""),
        "no_model_data": ("FAILED", "missing"),
        "no_smoke_test": ("FAILED", "ReleaseNotFound"),
        "no_model": ("FAILED", "NoSuchKey"),
        "no_report": ("FAILED", "NotCompiled"),
        "no_release": ("FAILED", "ReleaseNotFound"),
        "no_commit": ("FAILED", "ReleaseNotFound"),
        "merged": ("FAILED", "ReleaseNotFound"),
        "scheduled": ("FAILED", "ReleaseNotFound"),
        "duplicate": ("Duplicate", ""),
        "stopped_process": ("ABORTED", ""),
        "stopped_train": ("ABORTED", ""),
        "unchanged": ("Unchanged", ""),
        "unclosed": ("given up", ""),
        "transformed": ("Completed Completed", ""),
        "closed": ("ABORTED", ""),
        "silent": ("FAILED", "EvaluationInvalid"),
        "new_data": ("FAILED", "EvaluationInvalid"),
        "rejected": ("Rejected", ""),
        "compiled": ("Deployed", ""),
        "abandoned": ("Acquired", ""),
        "restored_anew": ("called", ""),
        "first": ("Deployed", ""),
        "unloadable": ("FAILED", "DeploymentFailed"),
        "undone_first": ("FAILED", "SmokeTestFailed"),
        "update": ("Deployed", ""),
        "undone_update": ("FAILED", "SmokeTestFailed"),
        "made_anew": ("Deployed", ""),
    }


def test_every_grant_is_used_or_listed(tried: Tried) -> None:
    idle = [grant for grant in tried.grants if grant.allows and not tried.is_used(grant) and not listed(grant)]
    assert [str(grant) for grant in idle] == []


def test_nothing_is_listed_that_is_used_or_is_not_there(tried: Tried) -> None:
    assert [str(grant) for grant in tried.grants if listed(grant) and tried.is_used(grant)] == []
    for names in NOT_ASKED:
        assert any(all(map(fnmatchcase, (each.owner, each.sid, each.action), names)) for each in tried.grants), names


def test_every_resource_of_a_grant_is_used_or_listed(tried: Tried) -> None:
    idle = {
        (grant.owner, grant.sid, text)
        for grant, text in untouched(tried.policies, tried.touched)
        if tried.is_used(grant)  # the others are listed as a whole
    }
    assert {place for place in idle if not any(all(map(fnmatchcase, place, names)) for names in NOT_TOUCHED)} == set()
    assert all(any(all(map(fnmatchcase, place, names)) for place in idle) for names in NOT_TOUCHED)


def test_every_deny_is_listed(tried: Tried) -> None:
    denies = {(grant.owner, grant.sid) for grant in tried.grants if not grant.allows}
    assert [deny for deny in denies if not any(all(map(fnmatchcase, deny, names)) for names in DENIES)] == []
    assert all(any(all(map(fnmatchcase, deny, names)) for deny in denies) for names in DENIES)


def test_without_it_a_run_goes_another_way(tried: Tried, stage: Stage, decisions: Decisions) -> None:
    wanted = [each for each in tried.grants if each.allows and not listed(each) and not writes_logs(each)]
    assert len(wanted) > 100
    assert [str(grant) for grant in wanted if not is_noticed(grant, tried, stage, decisions)] == []


def is_noticed(grant: Grant, tried: Tried, stage: Stage, decisions: Decisions) -> bool:
    """Whether one of the scenarios that use the grant shows something else without it, and it was asked for."""
    for name in tried.scenarios_of(grant):
        act = prepared(stage, name)
        decisions.forget()
        with without(stage.cloud, tried.policies, grant):
            seen = act()
        asked = any(fnmatchcase(action, grant.action.lower()) for action in decisions.refused)
        if asked and seen != tried.seen[name]:
            return True
    return False


@pytest.mark.parametrize(
    "action", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
)
def test_without_it_there_is_no_log(tried: Tried, stage: Stage, action: str) -> None:
    """Nobody's work ends for want of a log, so all roles lose the action at once: each misses its own group."""
    taken = [grant for grant in tried.grants if writes_logs(grant) and grant.action == action]
    missing = {JOB_LOGS.get(grant.owner) or log_of(stage, grant.owner) for grant in taken}
    with without(stage.cloud, tried.policies, *taken):
        logged = logged_by_new_processes(stage)
    assert logged & missing == set()
    assert logged_by_new_processes(stage) == logged | missing


def logged_by_new_processes(stage: Stage) -> frozenset[str]:
    """What two runs, the closing of one and batch transform log: between them they call every function."""
    renew_processes(stage)
    return frozenset().union(
        *(played(stage, name).logged for name in ("first", "compiled", "undone_first", "closed", "transformed"))
    )


def log_of(stage: Stage, role: str) -> str:
    """The log group of the function, or of the builds, that have the role."""
    return stage.physical(role.removesuffix("FunctionRole").removesuffix("Role") + "Log")


def test_with_all_grants_everything_is_as_before(tried: Tried, stage: Stage) -> None:
    assert {name: played(stage, name) for name in SCENARIOS} == tried.seen
