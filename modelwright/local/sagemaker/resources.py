"""Records of one kind of SageMaker resource: kept in the database, found by name, refused in AWS's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.tags import forget_tags, write_tags
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.local.cloud import Cloud


class Resources:
    """What a handler keeps: `spoken` is the kind's name in AWS's messages, `arn_kind` that in its ARNs."""

    def __init__(self, cloud: Cloud, kind: str, arn_kind: str, spoken: str) -> None:
        """Keep records as documents of the kind `sagemaker.<kind>`."""
        self._cloud = cloud
        self._kind = f"sagemaker.{kind}"
        self._arn_kind = arn_kind
        self._spoken = spoken

    def arn(self, name: str) -> str:
        """Return the ARN of the resource of that name."""
        return f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:{self._arn_kind}/{name.lower()}"

    def create(self, name: str, body: Mapping[str, Any], tags: Sequence[Mapping[str, str]]) -> None:
        """Keep a new record; AwsError when there is one of that name."""
        with self._cloud.database.transaction():
            if self.find(name) is not None:
                message = f'Cannot create already existing {self._spoken} "{self.arn(name)}".'
                raise AwsError("ValidationException", message)
            self._cloud.database.put(self._kind, name, body)
            write_tags(self._cloud.database, self.arn(name), tags)

    def put(self, name: str, body: Mapping[str, Any]) -> None:
        """Keep a record in place of the one that was there."""
        self._cloud.database.put(self._kind, name, body)

    def find(self, name: str) -> dict[str, Any] | None:
        """Return a record, or None."""
        return self._cloud.database.get(self._kind, name)

    def get(self, name: str) -> dict[str, Any]:
        """Return a record; AwsError when there is none."""
        found = self.find(name)
        if found is None:
            raise AwsError("ValidationException", f'Could not find {self._spoken} "{self.arn(name)}".')
        return found

    def delete(self, name: str) -> None:
        """Drop a record and its tags; AwsError when there is none."""
        with self._cloud.database.transaction():
            self.get(name)
            self._cloud.database.delete(self._kind, name)
            forget_tags(self._cloud.database, self.arn(name))

    def all(self) -> list[dict[str, Any]]:
        """Return every record, by name."""
        return [body for _, body in self._cloud.database.all(self._kind)]
