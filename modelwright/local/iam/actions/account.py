"""What an account has around its pipelines: parameters, images, identities, stacks, repositories.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.iam.checks import Check, Mapper, Request, anywhere, on, tags_context

if TYPE_CHECKING:
    from modelwright.local.iam.patterns import Values


def _parameter(request: Request, name: str) -> str:
    return name if name.startswith("arn:") else request.arn("ssm", f"parameter/{name.lstrip('/')}")


def _decrypting(request: Request, check: Check) -> list[Check]:
    """A SecureString is decrypted with the caller's consent."""
    key = request.facts.keys.get(check.resource)
    if not key or not request.params.get("WithDecryption"):
        return [check]
    return [check, request.key_check("Decrypt", key, "ssm", {"PARAMETER_ARN": check.resource})]


def _get_parameter(request: Request) -> list[Check]:
    return _decrypting(request, Check("ssm:GetParameter", _parameter(request, request.text("Name"))))


def _each_parameter(name: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        arns = [_parameter(request, str(each)) for each in request.params.get("Names") or []]
        checks = [_decrypting(request, Check(f"ssm:{name}", arn)) for arn in arns]
        return [check for found in checks for check in found]

    return mapper


def _by_path(request: Request) -> list[Check]:
    target = _parameter(request, request.text("Path"))
    return [Check("ssm:GetParametersByPath", target, {"ssm:recursive": _flag(request, "Recursive")})]


def _put_parameter(request: Request) -> list[Check]:
    context: dict[str, Values] = {"ssm:overwrite": _flag(request, "Overwrite")}
    target = _parameter(request, request.text("Name"))
    return [Check("ssm:PutParameter", target, context | tags_context(request.params.get("Tags")))]


def _flag(request: Request, name: str) -> str:
    return str(bool(request.params.get(name))).lower()


def _named_parameter(request: Request) -> str:
    return _parameter(request, request.text("Name"))


SSM: dict[str, Mapper] = {
    **on("ssm", _named_parameter, ("DeleteParameter", "GetParameterHistory")),
    **anywhere("ssm", ("DescribeParameters",)),
    "DeleteParameters": _each_parameter("DeleteParameters"),
    "GetParameter": _get_parameter,
    "GetParameters": _each_parameter("GetParameters"),
    "GetParametersByPath": _by_path,
    "PutParameter": _put_parameter,
}


def _repository(request: Request) -> str:
    owner = request.text("registryId") or request.account
    return f"arn:{request.partition}:ecr:{request.region}:{owner}:repository/{request.text('repositoryName')}"


def _repositories(request: Request) -> list[Check]:
    names = request.params.get("repositoryNames") or ["*"]
    return [Check("ecr:DescribeRepositories", request.arn("ecr", f"repository/{name}")) for name in names]


_ON_REPOSITORY = (
    "BatchCheckLayerAvailability",
    "BatchDeleteImage",
    "BatchGetImage",
    "CompleteLayerUpload",
    "CreateRepository",
    "DeleteRepository",
    "DescribeImageScanFindings",
    "DescribeImages",
    "GetDownloadUrlForLayer",
    "GetLifecyclePolicy",
    "GetRepositoryPolicy",
    "InitiateLayerUpload",
    "ListImages",
    "PutImage",
    "UploadLayerPart",
)

ECR: dict[str, Mapper] = {
    **on("ecr", _repository, _ON_REPOSITORY),
    **on("ecr", lambda request: request.text("resourceArn"), ("ListTagsForResource", "TagResource", "UntagResource")),
    **anywhere("ecr", ("DescribeRegistry", "GetAuthorizationToken")),
    "DescribeRepositories": _repositories,
}


def _assume(request: Request) -> list[Check]:
    context: dict[str, Values] = {"sts:rolesessionname": request.text("RoleSessionName")}
    if request.params.get("ExternalId"):
        context["sts:externalid"] = request.text("ExternalId")
    return [Check("sts:AssumeRole", request.text("RoleArn"), context | tags_context(request.params.get("Tags")))]


STS: dict[str, Mapper] = {
    # Everyone may ask who he is, whatever a policy says:
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    "GetCallerIdentity": lambda _request: (),
    "AssumeRole": _assume,
    # The token decides and the role's trust in it, whoever brings it (`identity/service.py`):
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    "AssumeRoleWithWebIdentity": lambda _request: (),
    **anywhere("sts", ("DecodeAuthorizationMessage", "GetAccessKeyInfo")),
}


def _role(request: Request) -> str:
    return f"arn:{request.partition}:iam::{request.account}:role/{request.text('RoleName')}"


IAM: dict[str, Mapper] = {
    **on("iam", _role, ("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags")),
    **anywhere("iam", ("ListPolicies", "ListRoles")),
}


def _stack(request: Request) -> str:
    """A stack that is given by name has an id that the request does not know."""
    name = request.text("StackName")
    if not name:
        return "*"
    return name if name.startswith("arn:") else request.arn("cloudformation", f"stack/{name}/*")


_ON_STACK = (
    "DeleteStack",
    "DescribeStackEvents",
    "DescribeStackResource",
    "DescribeStackResources",
    "DescribeStacks",
    "GetTemplate",
    "ListStackResources",
)

CLOUDFORMATION: dict[str, Mapper] = {
    **on("cloudformation", _stack, _ON_STACK),
    **anywhere("cloudformation", ("ListExports", "ListStacks")),
}


def _code_repository(request: Request) -> str:
    return request.arn("codecommit", request.text("repositoryName"))


_ON_CODE = ("GetBlob", "GetBranch", "GetCommit", "GetDifferences", "GetFile", "GetFolder", "GetRepository")

CODECOMMIT: dict[str, Mapper] = {
    **on("codecommit", _code_repository, (*_ON_CODE, "ListBranches")),
    **anywhere("codecommit", ("ListRepositories",)),
}
