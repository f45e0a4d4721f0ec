"""What starts a pipeline by itself: merges, a schedule, new data; and who may publish a merge from GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput

from stacks.constructs.data_trigger import Counting, count_new_records, counting_alarm, marker_rule, watched_data
from stacks.constructs.github import branch_role, find_the_stack, trust_in_branch
from stacks.constructs.merge_codecommit import EVENT_PATH, Merges, merge_alarm, merge_from_codecommit
from stacks.constructs.roles import rule_role
from stacks.constructs.triggers import Start, merge_rule, schedule_rule
from stacks.grants.publishing import publishing
from stacks.grants.workflow import rule_statements

if TYPE_CHECKING:
    from stacks.constructs.functions import Functions
    from stacks.pipeline.building import Building


def triggers(building: Building, maker: Functions, machine_arn: str) -> None:
    """Make the rules that start the pipeline, with what they call, and GitHub's role where merges come from there."""
    pipeline, shared = building.structure.pipeline, building.shared
    role = rule_role(building.stack, "RuleRole", f"The rules that start {pipeline}", rule_statements(machine_arn))
    start = Start(pipeline, machine_arn, role.attr_arn, shared.dead_letter_queue_arn)
    _merges(building, maker, start)
    if building.structure.schedule:
        schedule_rule(building.stack, start, building.structure.schedule)
    _new_data(building, maker, start)
    if building.structure.merge_github:
        _github(building, building.structure.merge_github)


def _merges(building: Building, maker: Functions, start: Start) -> None:
    """Make the rule for merges that are announced, and what announces those that come from CodeCommit."""
    repository, branch = building.structure.merge_codecommit, building.structure.merge_branch
    event_path = EVENT_PATH if repository else "$.id"
    merge_rule(building.stack, start, building.shared.event_bus_name, branch, event_path)
    if repository:
        merges = Merges(building.target, repository, branch)
        function = merge_from_codecommit(building.stack, maker, merges, building.settings)
        merge_alarm(building.alarms, start.pipeline, function)


def _new_data(building: Building, maker: Functions, start: Start) -> None:
    structure = building.structure
    where = watched_data(structure, building.shared)
    if structure.data_marker:
        marker_rule(building.stack, start, where, structure.data_marker)
    if structure.data_every_records:
        counting = Counting(building.target, where, structure.data_every_records, start.state_machine_arn)
        function = count_new_records(building.stack, maker, counting)
        counting_alarm(building.alarms, structure.pipeline, function)


def _github(building: Building, repository: str) -> None:
    """Make the role with which the repository's workflow publishes what was merged, and say how it is found."""
    target, branch = building.target, building.structure.merge_branch
    what = f"GitHub's workflow that publishes {target.pipeline}: {repository}, {branch}"
    statements = (find_the_stack(target), *publishing(target))
    role = branch_role(building.stack, "GitHubRole", what, trust_in_branch(repository, branch), statements)
    CfnOutput(building.stack, "GitHubRoleArn", value=role.attr_arn)
