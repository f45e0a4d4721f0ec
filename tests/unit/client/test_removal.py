"""Destroying a pipeline: what goes, what stays, and that a neighbour's things are never touched."""

from __future__ import annotations

from typing import Any

import pytest
from fake_aws import PENGUINS, Execution, Pauses, StepFunctions, Story
from fake_removal import DATASETS, NEIGHBOUR, OLD, PEN, RUN, THEIRS, Account, destroyed, outputs

from modelwright.client.runs.executions import run_id
from modelwright.errors import ModelwrightError


@pytest.fixture
def account() -> Account:
    own = run_id(RUN.arn)
    names = [
        f"dev-pen-{own}-00",
        f"dev-pen-{OLD}-01",
        f"prod-pen-{THEIRS}-00",
        f"dev-pen-guins-{NEIGHBOUR}-00",
        "my-pen-model",
    ]
    folders = ("releases", "commits", "code", "runs", "models", "batch")
    both = [f"{folder}/{name}/x" for folder in folders for name in ("pen", "pen-guins")]
    return Account(
        stacks={
            "mw-dev-data": {},
            "mw-dev-pen-data": {},
            "mw-dev-pen": outputs(PEN),
            "mw-dev-pen-guins-data": {},
            "mw-dev-pen-guins": outputs(PENGUINS),
        },
        endpoints={"mw-dev-pen": ["InService"], "mw-dev-pen-guins": ["InService"]},
        configs=list(names),
        models=list(names),
        packages=["arn:x:model-package/mw-dev-pen/1", "arn:x:model-package/mw-dev-pen-guins/1"],
        objects={
            "artifacts": [*both, *DATASETS, "defaults/pen.json", "defaults/pen-guins.json"],
            "data": ["incoming/pen/day-1/a.csv", "incoming/pen-guins/day-1/a.csv"],
        },
        items=[
            ("PIPELINE#pen", f"RUN#{OLD}"),
            ("PIPELINE#pen", "CHAMPION"),
            ("PIPELINE#pen", "MERGED"),
            ("RECORDS#pen", "WAITING"),
            ("TRIGGER#pen", "manual#1"),
            ("ENDPOINT#mw-dev-pen", "LEASE"),
            ("PIPELINE#pen-guins", f"RUN#{NEIGHBOUR}"),
            ("PIPELINE#pen-guins", "MERGED"),
            ("ENDPOINT#mw-dev-pen-guins", "LEASE"),
        ],
    )


VERIFIED = "verified: no endpoint, endpoint config, model, job, alarm or stack of pen is left in dev"
PRODUCERS = "left: s3://data/incoming/pen/, which belongs to whoever puts data there"
KEPT = [
    "left: the model packages of mw-dev-pen: what was trained, and with which metrics",
    "left: releases, data sets, runs, models, batch outputs, captured and asynchronous requests of pen in s3://artifacts/",
    "left: the items of pen in the table mw-dev: what ran",
    "`modelwright destroy pen --data` removes these; a new run goes on with them.",
    "left: the stacks mw-dev-pen-data and mw-dev-data: they hold what is left, of other pipelines as well",
    "left: logs of jobs and endpoint in /aws/sagemaker/…, the account's groups, where nothing expires",
    PRODUCERS,
]


def test_without_data_it_says_what_goes_and_what_is_left(account: Account) -> None:
    assert destroyed(account) == [
        "endpoint mw-dev-pen: removed",
        "endpoint configs: 2 removed",
        "models: 2 removed",
        "stack mw-dev-pen: removed",
        VERIFIED,
        *KEPT,
    ]
    kept = [f"prod-pen-{THEIRS}-00", f"dev-pen-guins-{NEIGHBOUR}-00", "my-pen-model"]
    assert (account.models, account.configs) == (kept, kept), "another environment's and another pipeline's stay"
    assert list(account.stacks) == ["mw-dev-data", "mw-dev-pen-data", "mw-dev-pen-guins-data", "mw-dev-pen-guins"]
    assert list(account.endpoints) == ["mw-dev-pen-guins"]
    assert len(account.packages) == 2
    assert len(account.items) == 8
    assert ("PIPELINE#pen", "MERGED") not in account.items, "nothing serves: the same merge again is a change"


def test_a_second_time_it_finds_nothing_to_do(account: Account) -> None:
    destroyed(account)
    assert destroyed(account) == ["stack mw-dev-pen: not there", VERIFIED, *KEPT]


def test_with_data_only_the_neighbours_is_left(account: Account) -> None:
    lines = destroyed(account, data=True)
    assert lines[5:] == [
        "model packages of mw-dev-pen: 1 removed",
        "s3://artifacts/releases/pen/: 1 objects removed",
        "s3://artifacts/commits/pen/: 1 objects removed",
        "s3://artifacts/code/pen/: 1 objects removed",
        "s3://artifacts/datasets/pen/: 2 objects removed",
        "s3://artifacts/runs/pen/: 1 objects removed",
        "s3://artifacts/models/pen/: 1 objects removed",
        "s3://artifacts/batch/pen/: 1 objects removed",
        "s3://artifacts/async/pen/: 0 objects removed",
        "s3://artifacts/capture/pen/: 0 objects removed",
        "s3://artifacts/defaults/pen.json: 1 objects removed",
        "table mw-dev: 2 items of PIPELINE#pen removed",
        "table mw-dev: 1 items of TRIGGER#pen removed",
        "table mw-dev: 1 items of RECORDS#pen removed",
        "table mw-dev: 1 items of ENDPOINT#mw-dev-pen removed",
        "left: the stacks mw-dev-pen-data and mw-dev-data, protected from deletion",
        PRODUCERS,
    ]
    assert all("pen-guins" in key for key in account.objects["artifacts"])
    assert account.objects["data"] == ["incoming/pen/day-1/a.csv", "incoming/pen-guins/day-1/a.csv"]
    assert {item[0] for item in account.items} == {"PIPELINE#pen-guins", "ENDPOINT#mw-dev-pen-guins"}
    assert account.packages == ["arn:x:model-package/mw-dev-pen-guins/1"]


def test_data_can_be_removed_after_the_stack_has_gone(account: Account) -> None:
    destroyed(account)
    lines = destroyed(account, data=True)
    assert lines[0] == "stack mw-dev-pen: not there"
    assert "model packages of mw-dev-pen: 1 removed" in lines
    assert not [item for item in account.items if "pen-guins" not in item[0]]


def test_runs_that_go_on_are_stopped_first(account: Account) -> None:
    story = Story()
    story.enter("Task", "TrainModel")
    story.event("ExecutionSucceeded")
    running = Execution("two", story, machine=PEN.state_machine_arn, shown=2)
    machine = StepFunctions(RUN, running)
    lines = destroyed(account, machine)
    assert lines[0] == f"run {run_id(running.arn)}: stopped"
    assert machine.stopped == [(running.arn, "modelwright destroy")]


def test_a_busy_endpoint_is_waited_for(account: Account) -> None:
    account.endpoints["mw-dev-pen"] = ["Updating", "Updating", "Updating", "InService"]
    pauses = Pauses()
    assert "endpoint mw-dev-pen: removed" in destroyed(account, pauses=pauses)
    assert pauses.lengths == [0.05, 0.05]


def test_an_endpoint_that_stays_busy_is_an_error_that_can_be_gone_on_from(account: Account) -> None:
    account.endpoints["mw-dev-pen"] = ["Updating"]
    with pytest.raises(ModelwrightError) as error:
        destroyed(account)
    assert str(error.value) == (
        "After 60 minutes endpoint mw-dev-pen is still busy.\nRun the same command again to go on."
    )
    assert "mw-dev-pen" in account.stacks


def test_a_stack_that_cannot_be_deleted_says_why(account: Account) -> None:
    account.undeletable = "mw-dev-pen"
    with pytest.raises(ModelwrightError) as error:
        destroyed(account)
    assert str(error.value) == (
        "The stack mw-dev-pen could not be deleted: the role is in use.\n"
        "Put that right, then run the same command again."
    )


def test_objects_that_were_not_deleted_are_not_said_to_be(account: Account) -> None:
    account.refuses = "datasets/pen/1/a.csv"
    with pytest.raises(
        ModelwrightError, match=r"^s3://artifacts/datasets/pen/1/a\.csv could not be removed: AccessDenied: no$"
    ):
        destroyed(account, data=True)


def test_an_environment_that_was_never_deployed(account: Account) -> None:
    account.stacks.clear()
    assert destroyed(account)[-2:] == ["stack mw-dev-pen: not there", VERIFIED]


def test_an_endpoint_goes_though_its_stack_has_gone_before(account: Account) -> None:
    """Runs made it, not the template: it is found by its name and goes on costing otherwise."""
    del account.stacks["mw-dev-pen"]
    assert destroyed(account)[:5] == [
        "endpoint mw-dev-pen: removed",
        "endpoint configs: 2 removed",
        "models: 2 removed",
        "stack mw-dev-pen: not there",
        VERIFIED,
    ]


@pytest.mark.parametrize("status", ["ROLLBACK_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE"])
def test_a_stack_that_failed_goes_with_what_runs_made(account: Account, status: str) -> None:
    account.stacks["mw-dev-pen"] = {"StackStatus": status}
    lines = destroyed(account)
    assert lines[0] == "endpoint mw-dev-pen: removed"
    assert "stack mw-dev-pen: removed" in lines


def test_an_endpoint_that_no_run_made_stays(account: Account) -> None:
    account.made_by["mw-dev-pen"] = "somebody-elses"
    lines = destroyed(account)
    assert lines[0] == ("endpoint mw-dev-pen: left, since no run of pen made its configuration somebody-elses")
    assert VERIFIED in lines
    assert "mw-dev-pen" in account.endpoints


def test_batch_jobs_are_stopped(account: Account) -> None:
    ours, theirs = f"dev-pen-batch-{OLD}-00", f"dev-pen-guins-batch-{NEIGHBOUR}-00"
    account.models += [f"dev-pen-{OLD}-bt", f"dev-pen-guins-{NEIGHBOUR}-bt"]
    account.batches = [ours, theirs]
    lines = destroyed(account)
    assert lines[0] == f"batch job {ours}: stopped"
    assert account.batches == [theirs]
    assert [name for name in account.models if name.endswith("-bt")] == [f"dev-pen-guins-{NEIGHBOUR}-bt"]


def test_jobs_that_are_being_stopped_are_waited_for(account: Account) -> None:
    ours, theirs = f"dev-pen-train-{OLD}-00", f"dev-pen-guins-train-{NEIGHBOUR}-00"
    account.jobs = [[ours, theirs], [ours], [theirs]]
    pauses = Pauses()
    assert VERIFIED in destroyed(account, pauses=pauses)
    assert len(pauses.lengths) == 2, "the neighbour's is none of ours"


def test_jobs_end_before_their_roles_go(account: Account) -> None:
    """A job that is being stopped still uploads and gives its network interfaces back, with its role."""
    account.jobs = [[f"dev-pen-train-{OLD}-00"]] * 2
    looks_left: list[int] = []
    delete = account.delete_stack

    def delete_stack(**request: Any) -> None:
        looks_left.append(len(account.jobs))
        delete(**request)

    account.delete_stack = delete_stack  # type: ignore[method-assign] # to see when
    assert VERIFIED in destroyed(account)
    assert looks_left == [0]


def test_on_aws_an_endpoint_s_role_stays_until_all_is_given_back(account: Account) -> None:
    pauses = Pauses()
    lines = destroyed(account, pauses=pauses, is_local=False)
    waits = "waiting 5 minutes: SageMaker gives key grants and network interfaces back, with the role of the model"
    assert lines.index("endpoint mw-dev-pen: removed") < lines.index(waits) < lines.index("stack mw-dev-pen: removed")
    assert pauses.lengths == [300]
    assert waits not in destroyed(account, pauses=pauses, is_local=False), "there is no endpoint any more"


def test_what_is_there_after_all_is_an_error(account: Account) -> None:
    account.alarms = ["mw-dev-pen-Slow-A1B2", "mw-dev-pen-guins-Slow-A1B2"]
    with pytest.raises(ModelwrightError) as error:
        destroyed(account)
    assert str(error.value) == (
        "After the removal there is still the alarm mw-dev-pen-Slow-A1B2.\n"
        "Something made it meanwhile, or it could not be removed: run the same command again."
    )


def test_a_stack_that_is_being_deployed_is_left_to_who_deploys_it(account: Account) -> None:
    account.stacks["mw-dev-pen"]["StackStatus"] = "UPDATE_IN_PROGRESS"
    with pytest.raises(ModelwrightError, match=r"^The stack mw-dev-pen is UPDATE_IN_PROGRESS: a deploy of it is under"):
        destroyed(account)


def test_on_aws_the_resource_that_could_not_be_deleted_is_named(account: Account) -> None:
    account.undeletable = "mw-dev-pen"
    about = {"StackId": "the-stack", "EventId": "1", "PhysicalResourceId": "x", "ResourceType": "AWS::IAM::Role"}
    reason = "Cannot delete entity, must detach all policies first."
    account.deletion_events = [
        {**about, "LogicalResourceId": "Role", "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": reason}
    ]
    with pytest.raises(ModelwrightError) as error:
        destroyed(account, is_local=False)
    assert str(error.value) == (
        f"The stack mw-dev-pen could not be deleted: Role (AWS::IAM::Role): {reason}\n"
        "Put that right, then run the same command again; or leave it behind: "
        "`aws cloudformation delete-stack --stack-name mw-dev-pen --retain-resources Role`."
    )


def test_the_alarm_that_starts_a_first_machine_goes_also_where_the_endpoint_has_expired(account: Account) -> None:
    account.endpoints.pop("mw-dev-pen", None)
    account.alarms.append("mw-dev-pen-from-zero")
    destroyed(account)
    assert "mw-dev-pen-from-zero" not in account.alarms
