"""Who may use the environment's key: roles by their own policies, and each service that delivers by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from template_queries import read_stack, read_stacks

if TYPE_CHECKING:
    from pathlib import Path

HERE = "<AWS::Region>:<AWS::AccountId>"
KNOWN_LOGS = ("mw-dev-", "/aws/vendedlogs/states/mw-dev-")
ROOT = "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"


@pytest.fixture(scope="module")
def statements(assembly: Path) -> dict[str, dict[str, Any]]:
    """The statements of the key's policy, by whom they let in."""
    _, key = read_stack(assembly, "mw-dev-data").one("AWS::KMS::Key")
    found = {str(next(iter(item["Principal"].values()))): item for item in key["KeyPolicy"]["Statement"]}
    assert len(found) == len(key["KeyPolicy"]["Statement"])
    return found


def test_nobody_else_is_let_in(statements: dict[str, dict[str, Any]]) -> None:
    services = {f"{name}.amazonaws.com" for name in ("cloudwatch", "events", "sns", "logs.<AWS::Region>")}
    assert set(statements) == {ROOT, *services}
    assert {item["Effect"] for item in statements.values()} == {"Allow"}


def test_roles_are_left_to_their_own_policies(statements: dict[str, dict[str, Any]]) -> None:
    assert statements[ROOT]["Action"] == "kms:*"


@pytest.mark.parametrize("service", ["cloudwatch", "events", "sns"])
def test_services_that_deliver_use_it_for_this_account(statements: dict[str, dict[str, Any]], service: str) -> None:
    found = statements[f"{service}.amazonaws.com"]
    assert set(found["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert found["Condition"]["StringEquals"] == {"aws:SourceAccount": "<AWS::AccountId>"}


@pytest.mark.parametrize(
    ("service", "source"),
    [
        ("cloudwatch", f"arn:<AWS::Partition>:cloudwatch:{HERE}:alarm:mw-dev-*"),
        ("sns", f"arn:<AWS::Partition>:sns:{HERE}:mw-dev-*"),
        ("events", None),  # SNS's page: EventBridge supports no aws:SourceArn; SQS's leaves open of what
    ],
)
def test_only_sources_of_this_environment(
    statements: dict[str, dict[str, Any]], service: str, source: str | None
) -> None:
    found = statements[f"{service}.amazonaws.com"]["Condition"].get("ArnLike")
    assert found == ({"aws:SourceArn": [source]} if source else None)


def test_log_groups_of_this_environment_only(statements: dict[str, dict[str, Any]]) -> None:
    found = statements["logs.<AWS::Region>.amazonaws.com"]
    groups = f"arn:<AWS::Partition>:logs:{HERE}:log-group:"
    names = {f"{groups}{name}*" for name in KNOWN_LOGS}
    assert set(found["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]) == names


def test_every_log_group_has_a_name_that_the_key_knows(assembly: Path) -> None:
    """CloudFormation names a group without a name after its stack, all of which begin with the environment's prefix."""
    groups = {
        (stack.name, id_): group.get("LogGroupName", stack.name)
        for stack in read_stacks(assembly)
        for id_, group in stack.all("AWS::Logs::LogGroup").items()
    }
    assert groups
    assert {place for place, name in groups.items() if not name.startswith(KNOWN_LOGS)} == set()
