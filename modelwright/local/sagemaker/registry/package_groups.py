"""Model package groups: one for each pipeline, the number of its next version kept with it.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.listing import page
from modelwright.local.sagemaker.tags import forget_tags, write_tags
from modelwright.local.sagemaker.unsupported import refuse_members
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

_KIND = "sagemaker.model-package-group"
_VERSIONS = "sagemaker.model-package-version"
_SUMMARY = (
    "ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription", "CreationTime",
    "ModelPackageGroupStatus",
)  # fmt: skip


class PackageGroups:
    """CreateModelPackageGroup and its neighbours."""

    operations = frozenset(
        {
            "CreateModelPackageGroup",
            "DescribeModelPackageGroup",
            "ListModelPackageGroups",
            "DeleteModelPackageGroup",
        }
    )

    def __init__(self, cloud: Cloud, has_packages: Callable[[str], bool]) -> None:
        """Keep groups in the cloud's database; one that `has_packages` is not deleted."""
        self._cloud = cloud
        self._has_packages = has_packages

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        return {
            "CreateModelPackageGroup": self._create,
            "DescribeModelPackageGroup": lambda params: self.get(params["ModelPackageGroupName"]),
            "ListModelPackageGroups": self._list,
            "DeleteModelPackageGroup": self._delete,
        }[call.operation](call.params)

    def get(self, name_or_arn: str) -> dict[str, Any]:
        """Return a group; AwsError when there is none."""
        name = name_or_arn.rpartition("/")[2]
        found = self._cloud.database.get(_KIND, name)
        if found is None:
            raise AwsError("ValidationException", f"ModelPackageGroup {self._arn(name)} does not exist.")
        return found

    def next_version(self, group: str) -> int:
        """Count one up; a number is never given twice, even when its package is deleted. Call in a transaction."""
        last = (self._cloud.database.get(_VERSIONS, group) or {"last": 0})["last"]
        self._cloud.database.put(_VERSIONS, group, {"last": last + 1})
        return int(last) + 1

    def _arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:model-package-group/{name}"

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        refuse_members("CreateModelPackageGroup", params, {"ManagedConfiguration": "leave it out"})
        name = params["ModelPackageGroupName"]
        arn = self._arn(name)
        body = {
            **{key: value for key, value in params.items() if key != "Tags"},
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupStatus": "Completed",
            "CreatedBy": {},
            "CreationTime": self._cloud.clock.now(),
        }
        with self._cloud.database.transaction():
            if self._cloud.database.get(_KIND, name) is not None:
                raise AwsError("ValidationException", f"Model Package Group already exists: {arn}")
            self._cloud.database.put(_KIND, name, body)
            write_tags(self._cloud.database, arn, params.get("Tags", []))
        return {"ModelPackageGroupArn": arn}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("CrossAccountFilterOption", "SameAccount") != "SameAccount":
            return {"ModelPackageGroupSummaryList": []}  # there is one account here
        kept = [body for _, body in self._cloud.database.all(_KIND)]
        found, more = page(kept, params, "ModelPackageGroupName", "Ascending")
        return {"ModelPackageGroupSummaryList": [{key: g[key] for key in _SUMMARY if key in g} for g in found], **more}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        group = self.get(params["ModelPackageGroupName"])
        name, arn = group["ModelPackageGroupName"], group["ModelPackageGroupArn"]
        if self._has_packages(name):
            message = f"Model Package Group cannot be deleted as it contains Model Packages: {arn}"
            raise AwsError("ConflictException", message)
        with self._cloud.database.transaction():
            self._cloud.database.delete(_KIND, name)
            self._cloud.database.delete(_VERSIONS, name)
            forget_tags(self._cloud.database, arn)
        return {}
