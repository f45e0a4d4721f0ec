"""SageMaker: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html.

https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelwright.local.iam.checks import Check, Mapper, Request, action, anywhere, passes, tags_context

if TYPE_CHECKING:
    from modelwright.local.iam.patterns import Values

_SERVICE = "sagemaker.amazonaws.com"

_NAMES = {
    "Endpoint": ("endpoint", "EndpointName"),
    "EndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "HyperParameterTuningJob": ("hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
    "Model": ("model", "ModelName"),
    "ModelPackage": ("model-package", "ModelPackageName"),
    "ModelPackageGroup": ("model-package-group", "ModelPackageGroupName"),
    "ProcessingJob": ("processing-job", "ProcessingJobName"),
    "TrainingJob": ("training-job", "TrainingJobName"),
    "TransformJob": ("transform-job", "TransformJobName"),
}
"""The kinds of resource: what operations call them -> how their ARN goes on, and the parameter that names one."""

_MANY = {"InstanceType": "instancetypes", "Subnets": "vpcsubnets", "SecurityGroupIds": "vpcsecuritygroupids"}
_MANY |= {"MemorySizeInMB": "serverlessmemorysize", "MaxConcurrency": "serverlessmaxconcurrency"}
_ONE = {
    "EnableInterContainerTrafficEncryption": "intercontainertrafficencryption",
    "EnableNetworkIsolation": "networkisolation",
    "KeepAlivePeriodInSeconds": "keepaliveperiod",
    "MaxRuntimeInSeconds": "maxruntimeinseconds",
    "ModelApprovalStatus": "modelapprovalstatus",
    "VolumeKmsKeyId": "volumekmskey",
}
_HOLDERS_OF_OUTPUT_KEYS = {"OutputDataConfig", "ProcessingOutputConfig", "TransformOutput"}


def resource(kind: str) -> Callable[[Request], str]:
    """Make the function that gives the ARN of the resource a request names: `resource("Endpoint")`."""
    prefix, param = _NAMES[kind]
    return lambda request: request.named("sagemaker", f"{prefix}/", request.text(param))


def _leaves(value: Any, holder: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every member of a request at any depth: the member that holds it, its name, its value."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield holder, name, inner
            yield from _leaves(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, holder)


def _context(request: Request) -> dict[str, Values]:
    """The `sagemaker:` keys that a request carries."""
    found: dict[str, Values] = {}
    for holder, name, value in _leaves(request.params):
        if name in _ONE:
            found[f"sagemaker:{_ONE[name]}"] = str(value).lower() if isinstance(value, bool) else str(value)
        elif name in _MANY:
            key = f"sagemaker:{_MANY[name]}"
            values = tuple(str(each) for each in (value if isinstance(value, list) else [value]))
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *values)))
        elif name == "KmsKeyId" and holder in _HOLDERS_OF_OUTPUT_KEYS:
            found["sagemaker:outputkmskey"] = str(value)
        elif name == "KmsKeyId" and not holder:  # CreateEndpointConfig
            found["sagemaker:volumekmskey"] = str(value)
    return found | tags_context(request.params.get("Tags"))


def _roles(request: Request) -> Iterator[str]:
    for _, name, value in _leaves(request.params):
        if name in {"RoleArn", "ExecutionRoleArn"} and isinstance(value, str):
            yield value


def _create(kind: str) -> Mapper:
    """Creating: the resource itself, the roles handed over, and its tags."""
    at = resource(kind)

    def mapper(request: Request) -> list[Check]:
        found = [Check(f"sagemaker:Create{kind}", at(request), _context(request))]
        for role in dict.fromkeys(_roles(request)):
            found += passes(role, _SERVICE)
        return found + _tagging(request, at(request))

    return mapper


def _tagging(request: Request, target: str) -> list[Check]:
    tags = request.params.get("Tags")
    return [Check("sagemaker:AddTags", target, tags_context(tags))] if tags else []


def _serve(operation: str) -> Mapper:
    """CreateEndpoint and UpdateEndpoint need both ARNs, and a grant on the key of the volumes if there is one."""

    def mapper(request: Request) -> list[Check]:
        endpoint, config = resource("Endpoint")(request), resource("EndpointConfig")(request)
        found = [Check(f"sagemaker:{operation}", target, _context(request)) for target in (endpoint, config)]
        key = request.facts.keys.get(config)
        if key:
            grant = request.key_check("CreateGrant", key, "sagemaker", {})
            found.append(
                Check(grant.action, key, {**grant.context, "kms:grantisforawsresource": "true"}, forwarded=True)
            )
        return found + _tagging(request, endpoint)

    return mapper


def _versions(request: Request) -> str:
    """The ARN of all versions in a package group: what a version will be called is not known before."""
    group = resource("ModelPackageGroup")(request)
    return group.replace(":model-package-group/", ":model-package/", 1) + "/*"


def _create_package(request: Request) -> list[Check]:
    """A version in a group needs the group and its versions; a package of its own needs only itself.

    The reference of today lists the version alone, earlier ones the group as well: who grants both is right either way.
    """
    context = _context(request)
    if not request.text("ModelPackageGroupName"):
        targets = [resource("ModelPackage")(request)]
    else:
        targets = [resource("ModelPackageGroup")(request), _versions(request)]
    found = [Check("sagemaker:CreateModelPackage", target, context) for target in targets]
    return found + _tagging(request, targets[-1])


def _list_packages(request: Request) -> list[Check]:
    target = _versions(request) if request.text("ModelPackageGroupName") else "*"
    return [Check("sagemaker:ListModelPackages", target)]


def _describe_packages(request: Request) -> list[Check]:
    arns = request.params.get("ModelPackageArnList") or []
    return [Check("sagemaker:BatchDescribeModelPackage", str(arn)) for arn in arns]


def _update_package(request: Request) -> list[Check]:
    target = request.text("ModelPackageArn") or resource("ModelPackage")(request)
    return [Check("sagemaker:UpdateModelPackage", target, _context(request))]


def _by_arn(request: Request) -> str:
    return request.text("ResourceArn")


_ON_NAMED = {
    "Delete": ("Endpoint", "EndpointConfig", "HyperParameterTuningJob", "Model", "ModelPackage", "ModelPackageGroup"),
    "Describe": tuple(_NAMES),
    "Stop": ("HyperParameterTuningJob", "ProcessingJob", "TrainingJob", "TransformJob"),
}
_LISTS: tuple[str, ...] = ("Endpoints", "EndpointConfigs", "HyperParameterTuningJobs", "Models", "ModelPackageGroups")
_LISTS += ("ProcessingJobs", "TrainingJobs", "TransformJobs")
_GROUP_POLICIES = ("DeleteModelPackageGroupPolicy", "GetModelPackageGroupPolicy", "PutModelPackageGroupPolicy")

OPERATIONS: dict[str, Mapper] = {
    **{
        f"{verb}{kind}": action(f"sagemaker:{verb}{kind}", resource(kind))
        for verb, ks in _ON_NAMED.items()
        for kind in ks
    },
    **{f"Create{kind}": _create(kind) for kind in _NAMES},
    **{name: action(f"sagemaker:{name}", resource("ModelPackageGroup")) for name in _GROUP_POLICIES},
    **{name: action(f"sagemaker:{name}", _by_arn) for name in ("AddTags", "DeleteTags", "ListTags")},
    **anywhere("sagemaker", ("Search", *(f"List{plural}" for plural in _LISTS))),
    "BatchDescribeModelPackage": _describe_packages,
    "CreateEndpoint": _serve("CreateEndpoint"),
    "CreateModelPackage": _create_package,
    "ListModelPackages": _list_packages,
    "ListTrainingJobsForHyperParameterTuningJob": action(
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob", resource("HyperParameterTuningJob")
    ),
    "UpdateEndpoint": _serve("UpdateEndpoint"),
    "UpdateEndpointWeightsAndCapacities": action("sagemaker:UpdateEndpointWeightsAndCapacities", resource("Endpoint")),
    "UpdateModelPackage": _update_package,
}
