"""Tags of SageMaker's resources, by ARN.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call
    from modelwright.local.store.database import Database

_KIND = "sagemaker.tags"
MOST_TAGS = 50


def write_tags(database: Database, arn: str, tags: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Add tags (`[{Key, Value}]`) to a resource, over those of the same key; return all that it has now."""
    with database.transaction():  # two calls at once lose none
        found = {tag["Key"]: tag["Value"] for tag in read_tags(database, arn)}
        found.update({tag["Key"]: tag["Value"] for tag in tags})
        _check(arn, found)
        if found:
            database.put(_KIND, arn, found)
    return _as_list(found)


def _check(arn: str, found: Mapping[str, str]) -> None:
    if any(key.lower().startswith("aws:") for key in found):
        raise AwsError("ValidationException", "aws: prefixed tag key names are not allowed for external use.")
    if len(found) > MOST_TAGS:
        raise AwsError("ResourceLimitExceeded", f"{arn} would have {len(found)} tags; at most {MOST_TAGS} are allowed.")


def read_tags(database: Database, arn: str) -> list[dict[str, str]]:
    """Return a resource's tags as `[{Key, Value}]`, by key."""
    return _as_list(database.get(_KIND, arn) or {})


def forget_tags(database: Database, arn: str) -> None:
    """Drop a deleted resource's tags."""
    database.delete(_KIND, arn)


class Tags:
    """AddTags, ListTags, DeleteTags."""

    operations = frozenset({"AddTags", "ListTags", "DeleteTags"})

    def __init__(self, cloud: Cloud) -> None:
        """Keep tags in the cloud's database."""
        self._cloud = cloud

    def start(self) -> None:
        """The database is the state."""

    def stop(self) -> None:
        """Nothing runs here."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        arn, database = call.params["ResourceArn"], self._cloud.database
        if call.operation == "AddTags":
            return {"Tags": write_tags(database, arn, call.params["Tags"])}
        if call.operation == "DeleteTags":
            gone = set(call.params["TagKeys"])
            with database.transaction():
                kept = {tag["Key"]: tag["Value"] for tag in read_tags(database, arn) if tag["Key"] not in gone}
                database.put(_KIND, arn, kept)
            return {}
        return {"Tags": read_tags(database, arn)}


def _as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
