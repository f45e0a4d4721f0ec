"""`doctor --aws` and stacks: what a deploy could not change, what was left, what was removed or renamed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.client.releases.release import Destination, release_of_folder

from .conftest import NO_STACK, bad, of, stack

if TYPE_CHECKING:
    from fake_account import FakeAccount

    from modelwright.client.doctor import Finding
    from modelwright.config import Project

Examine = Callable[..., "list[Finding]"]
PEN = "mw-dev-penguins"


def has(account: FakeAccount, *summaries: dict[str, Any], **described: Any) -> None:
    """Put stacks into the account, as ListStacks and DescribeStacks tell them."""
    account.answers["cloudformation:ListStacks"] = {"StackSummaries": list(summaries)}
    found = {item["StackName"]: item for item in summaries}

    def describe(params: Mapping[str, Any]) -> Any:
        item = found.get(params["StackName"])
        if item is None:
            return NO_STACK
        kept = {key: item[key] for key in ("StackName", "StackStatus", "CreationTime")}
        return {"Stacks": [kept | described]}

    account.answers["cloudformation:DescribeStacks"] = describe


@pytest.mark.parametrize(
    ("status", "level", "step"),
    [
        ("CREATE_COMPLETE", "ok", None),
        ("UPDATE_COMPLETE", "ok", None),
        ("UPDATE_ROLLBACK_COMPLETE", "ok", None),
        ("REVIEW_IN_PROGRESS", "warning", "A deploy goes over it; `aws cloudformation delete-stack --stack-name "),
        ("ROLLBACK_COMPLETE", "warning", "A deploy removes it and makes it anew."),
        ("ROLLBACK_FAILED", "failure", "`modelwright destroy penguins --aws --env dev`, then deploy again."),
        (
            "UPDATE_ROLLBACK_FAILED",
            "failure",
            "`aws cloudformation continue-update-rollback --stack-name mw-dev-penguins`",
        ),
        (
            "UPDATE_FAILED",
            "failure",
            "`aws cloudformation rollback-stack --stack-name mw-dev-penguins`, then deploy again.",
        ),
        ("DELETE_FAILED", "failure", "put that right, then `modelwright destroy penguins --aws --env dev`."),
        ("DELETE_IN_PROGRESS", "failure", "Wait (`aws cloudformation describe-stacks --stack-name mw-dev-penguins`)"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "failure", "Wait ("),
    ],
)
def test_each_status_has_its_own_next_step(
    account: FakeAccount, examine: Examine, status: str, level: str, step: str | None
) -> None:
    has(account, stack(PEN, status, "a reason"))
    found = [
        (item, hint)
        for item, message, hint in of(examine(), "stacks")
        if message.startswith(PEN) and "-data" not in message
    ]
    ((got, hint),) = found
    assert got == level
    assert (step in (hint or "")) if step else hint is None


def test_a_stack_in_rollback_failed_is_one_sentence(account: FakeAccount, examine: Examine) -> None:
    has(account, stack(PEN, "ROLLBACK_FAILED", "The following resource(s) failed to delete: [Role]."))
    (wrong,) = bad(examine())
    assert wrong.message == (
        "mw-dev-penguins is ROLLBACK_FAILED (The following resource(s) failed to delete: [Role].): "
        "a deploy could not change it."
    )
    assert wrong.stops_a_deploy


def test_two_deploys_at_once(account: FakeAccount, examine: Examine) -> None:
    has(account, stack("mw-dev-data", "UPDATE_IN_PROGRESS"))
    (wrong,) = bad(examine())
    assert wrong.message == "mw-dev-data is UPDATE_IN_PROGRESS: another deploy or removal of it is under way."
    assert wrong.stops_a_deploy


def test_a_protected_stack_that_was_never_made_is_in_the_way(account: FakeAccount, examine: Examine) -> None:
    has(account, stack("mw-dev-data", "ROLLBACK_COMPLETE"), EnableTerminationProtection=True)
    wrong = next(item for item in bad(examine()) if item.check == "stacks")
    assert wrong.level == "failure"
    assert wrong.hint == (
        "`aws cloudformation update-termination-protection --no-enable-termination-protection "
        "--stack-name mw-dev-data`, then deploy again."
    )


def test_a_pipeline_whose_folder_is_gone(account: FakeAccount, examine: Examine) -> None:
    has(
        account,
        stack("mw-dev-rents", "CREATE_COMPLETE"),
        stack("mw-dev-rents-data", "CREATE_COMPLETE"),
        stack("mw-dev-data", "CREATE_COMPLETE"),
        stack("mw-development-x", "CREATE_COMPLETE"),
        {**stack("mw-dev-foreign", "CREATE_COMPLETE"), "TemplateDescription": "somebody else's"},
    )
    (wrong,) = bad(examine())
    assert (wrong.level, wrong.message) == (
        "warning",
        (
            "mw-dev-rents and mw-dev-rents-data: deployed, but there is no folder training_code/rents; "
            "nothing changes them."
        ),
    )
    assert wrong.hint == (
        "Bring the folder back (`git log -- training_code/rents`), or remove what costs: "
        "`modelwright destroy rents --aws --env dev`."
    )


def test_a_folder_that_was_removed_and_added_again_is_deployed_as_before(
    account: FakeAccount, examine: Examine
) -> None:
    has(account, *(stack(name, "CREATE_COMPLETE") for name in ("mw-dev-data", f"{PEN}-data", PEN)))
    account.answers["ecr:DescribeRepositories"] = {"repositories": []}
    assert bad(examine()) == []


@pytest.mark.parametrize("same", [True, False])
def test_a_pipeline_that_was_renamed(account: FakeAccount, examine: Examine, loaded: Project, same: bool) -> None:
    """The scripts are named by their content: those of the new folder are among those that the old one ran."""
    outputs = [{"OutputKey": "ArtifactBucketName", "OutputValue": "artifacts"}]
    has(account, stack("mw-dev-birds", "CREATE_COMPLETE"), Outputs=outputs)
    code = release_of_folder(loaded.pipelines["penguins"], Destination("eu-central-1", "artifacts")).manifest.code
    key = f"code/birds/{code.sha256}/code.tar.gz"

    def listed(params: Mapping[str, Any]) -> dict[str, Any]:
        there = same and params["Bucket"] == "artifacts" and params["Prefix"] == key
        return {"Contents": [{"Key": key}], "KeyCount": 1} if there else {"KeyCount": 0}

    account.answers["s3:ListObjectsV2"] = listed
    renamed = [item for item in bad(examine()) if "renamed" in item.message]
    assert [item.message.split(":")[0] for item in renamed] == (
        ["training_code/penguins has the very scripts that birds ran"] if same else []
    )


def test_what_was_kept_when_its_stack_went_is_in_the_way(account: FakeAccount, examine: Examine) -> None:
    account.answers["dynamodb:DescribeTable"] = {"Table": {"TableName": "mw-dev"}}
    account.answers["ecr:DescribeRepositories"] = {"repositories": [{"repositoryName": PEN}]}
    found = of(examine(), "leftovers")
    assert [(level, message) for level, message, _ in found] == [
        ("failure", "the table mw-dev is there, and the stack mw-dev-data is not: making it would fail."),
        ("failure", f"the repository {PEN} is there, and the stack {PEN}-data is not: making it would fail."),
    ]
    assert "`modelwright deploy --env dev --import-existing`" in str(found[0][2])
    has(account, *(stack(name, "CREATE_COMPLETE") for name in ("mw-dev-data", f"{PEN}-data")))
    assert of(examine(), "leftovers") == []
