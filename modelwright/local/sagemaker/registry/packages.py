"""The model registry: groups and their versioned packages.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.listing import page
from modelwright.local.sagemaker.registry.package_groups import PackageGroups
from modelwright.local.sagemaker.tags import forget_tags, write_tags
from modelwright.local.sagemaker.unsupported import refuse_members
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

_KIND = "sagemaker.model-package"
_TOKENS = "sagemaker.model-package-token"
NOT_YET = {
    "ModelPackageName": "packages without a group are no versions of anything: give ModelPackageGroupName",
    "ValidationSpecification": "the pipeline's evaluation says how good a model is",
    "SourceAlgorithmSpecification": "give InferenceSpecification",
    "AdditionalInferenceSpecifications": "give one InferenceSpecification",
    "ManagedStorageType": "the archive stays in the artifact bucket",
}
UPDATE_NOT_YET = {
    "AdditionalInferenceSpecificationsToAdd": "register another version",
    "ModelPackageRegistrationType": "register another version",
}
_SUMMARY = (
    "ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription",
    "CreationTime", "ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle", "ModelPackageRegistrationType",
)  # fmt: skip


class Packages:
    """Model package groups and model packages."""

    operations = frozenset(
        {
            "CreateModelPackage",
            "DescribeModelPackage",
            "ListModelPackages",
            "UpdateModelPackage",
            "DeleteModelPackage",
            *PackageGroups.operations,
        }
    )

    def __init__(self, cloud: Cloud) -> None:
        """Keep groups and packages in the cloud's database."""
        self._cloud = cloud
        self._groups = PackageGroups(cloud, lambda group: bool(self._of(group)))

    def start(self) -> None:
        """The database is the state."""

    def stop(self) -> None:
        """Nothing runs here."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        if call.operation in self._groups.operations:
            return self._groups.handle(call)
        return {
            "CreateModelPackage": self._create,
            "DescribeModelPackage": lambda params: self._find(params["ModelPackageName"]),
            "ListModelPackages": self._list,
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
        }[call.operation](call.params)

    def container(self, name: str) -> dict[str, Any]:
        """Return the container of an approved package; AwsError when it is not approved.

        https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy.html
        """
        package = self._find(name)
        if package["ModelApprovalStatus"] != "Approved":
            found, status = package["ModelPackageArn"], package["ModelApprovalStatus"]
            message = f"{found} is {status}; only a model package that is Approved can be deployed."
            raise AwsError("ValidationException", message)
        return dict(package["InferenceSpecification"]["Containers"][0])

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        refuse_members("CreateModelPackage", params, NOT_YET)
        if "ModelPackageGroupName" not in params or "InferenceSpecification" not in params:
            raise AwsError("ValidationException", "A package needs ModelPackageGroupName and InferenceSpecification.")
        if len(params["InferenceSpecification"]["Containers"]) != 1:
            raise AwsError("ValidationException", "The local cloud supports one container in InferenceSpecification.")
        group = self._groups.get(params["ModelPackageGroupName"])["ModelPackageGroupName"]
        with self._cloud.database.transaction():
            known = self._known_token(params)
            if known is not None:
                return {"ModelPackageArn": known}
            package = self._described(params, group, self._groups.next_version(group))
            self._keep(package)
            write_tags(self._cloud.database, package["ModelPackageArn"], params.get("Tags", []))
            self._remember_token(params, package["ModelPackageArn"])
        self._announce(package)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def _described(self, params: dict[str, Any], group: str, version: int) -> dict[str, Any]:
        now = self._cloud.clock.now()
        given = {key: value for key, value in params.items() if key not in ("Tags", "ClientToken")}
        return {
            "ModelApprovalStatus": "PendingManualApproval",
            "CertifyForMarketplace": False,
            **given,
            "ModelPackageName": group,
            "ModelPackageGroupName": group,
            "ModelPackageVersion": version,
            "ModelPackageArn": self._arn(group, version),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreationTime": now,
            "LastModifiedTime": now,
        }

    def _arn(self, group: str, version: int) -> str:
        return f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:model-package/{group}/{version}"

    def _known_token(self, params: dict[str, Any]) -> str | None:
        """Return the ARN that an earlier call with the same ClientToken made."""
        known = self._cloud.database.get(_TOKENS, params.get("ClientToken", ""))
        if known is None:
            return None
        if known["params"] != _comparable(params):
            message = f"ClientToken {params['ClientToken']} was used before with other parameters."
            raise AwsError("ConflictException", message)
        return str(known["arn"])

    def _remember_token(self, params: dict[str, Any], arn: str) -> None:
        if "ClientToken" in params:
            body = {"arn": arn, "params": _comparable(params)}
            self._cloud.database.put(_TOKENS, params["ClientToken"], body)

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        group = params.get("ModelPackageGroupName")
        if group is None and params.get("ModelPackageType", "Unversioned") == "Unversioned":
            return {"ModelPackageSummaryList": []}  # every package here is a version
        name = None if group is None else self._groups.get(group)["ModelPackageGroupName"]
        status = params.get("ModelApprovalStatus")
        kept = [p for p in self._of(name) if status in (None, p["ModelApprovalStatus"])]
        found, more = page(kept, params, "ModelPackageName", "Ascending")
        return {"ModelPackageSummaryList": [{key: p[key] for key in _SUMMARY if key in p} for p in found], **more}

    def _update(self, params: dict[str, Any]) -> dict[str, Any]:
        refuse_members("UpdateModelPackage", params, UPDATE_NOT_YET)
        with self._cloud.database.transaction():
            package = self._find(params["ModelPackageArn"])
            properties = {
                **package.get("CustomerMetadataProperties", {}),
                **params.get("CustomerMetadataProperties", {}),
            }
            for key in params.get("CustomerMetadataPropertiesToRemove", []):
                properties.pop(key, None)
            for member in ("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri",
                           "ModelCard", "ModelLifeCycle"):  # fmt: skip
                if member in params:
                    package[member] = params[member]
            if properties:
                package["CustomerMetadataProperties"] = properties
            package["LastModifiedTime"] = self._cloud.clock.now()
            self._keep(package)
        self._announce(package)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        package = self._find(params["ModelPackageName"])
        with self._cloud.database.transaction():
            self._cloud.database.delete(_KIND, _key(package["ModelPackageGroupName"], package["ModelPackageVersion"]))
            forget_tags(self._cloud.database, package["ModelPackageArn"])
        return {}

    def _find(self, name: str) -> dict[str, Any]:
        """Find a package by its ARN or `group/version`."""
        group, _, version = name.rpartition(":model-package/")[2].partition("/")
        found = self._cloud.database.get(_KIND, _key(group, int(version))) if version.isdigit() else None
        if found is None:
            raise AwsError("ValidationException", f"ModelPackage {name} does not exist.")
        return found

    def _of(self, group: str | None) -> list[dict[str, Any]]:
        return [body for _, body in self._cloud.database.all(_KIND, "" if group is None else f"{group}/")]

    def _keep(self, package: dict[str, Any]) -> None:
        self._cloud.database.put(_KIND, _key(package["ModelPackageGroupName"], package["ModelPackageVersion"]), package)

    def _announce(self, package: dict[str, Any]) -> None:
        """Tell EventBridge.

        https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
        """
        members = ("ModelPackageGroupName", "ModelPackageName", "ModelPackageVersion", "ModelPackageArn",
                   "ModelPackageStatus", "ModelApprovalStatus", "CustomerMetadataProperties")  # fmt: skip
        self._cloud.publish_event(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Model Package State Change",
                "resources": [package["ModelPackageArn"]],
                "detail": {
                    **{key: package[key] for key in members if key in package},
                    "CreationTime": package["CreationTime"].isoformat(),
                    "LastModifiedTime": package["LastModifiedTime"].isoformat(),
                },
            }
        )


def _key(group: str, version: int) -> str:
    return f"{group}/{version:09d}"


def _comparable(params: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key != "ClientToken"}
