"""What the expressions of one stack may refer to before any of its resources is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError

from .intrinsics import Scope, TemplateError
from .registry import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.local.cloud import Cloud

    from .assembly import StackTemplate


def scope_of(cloud: Cloud, stack: StackTemplate) -> Scope:
    """The stack's pseudo parameters and parameters; TemplateError for a parameter that has no value here."""
    ssm = _parameter_reader(cloud)
    entries = stack.template.get("Parameters", {})
    parameters = {name: _parameter(stack.name, name, entry, ssm) for name, entry in entries.items()}
    return Scope(_pseudo(cloud, stack.name), parameters, stack.template, ssm)


def stack_arn(cloud: Cloud, name: str) -> str:
    """The stack's id: the same at every start."""
    uuid = Resource(name, "", "AWS::CloudFormation::Stack", {}).uuid()
    return f"arn:aws:cloudformation:{cloud.region}:{cloud.account}:stack/{name}/{uuid}"


def _pseudo(cloud: Cloud, stack: str) -> dict[str, str]:
    return {
        "AWS::AccountId": cloud.account,
        "AWS::Region": cloud.region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack,
        "AWS::StackId": stack_arn(cloud, stack),
        "AWS::NotificationARNs": "",
    }


def _parameter(stack: str, name: str, entry: Mapping[str, Any], ssm: Callable[[str], str]) -> Any:
    if "Default" not in entry:
        raise TemplateError(f"{stack}: parameter {name} has no default, and the local cloud is given no values.")
    if name == "BootstrapVersion":  # CDK's own check of the account's bootstrap stack: there is none here
        return entry["Default"]
    if entry["Type"] == "AWS::SSM::Parameter::Value<String>":
        return ssm(entry["Default"])
    if entry["Type"] in {"String", "Number"}:
        return entry["Default"]
    raise TemplateError(
        f"{stack}: parameter {name} is of type {entry['Type']}; the local cloud knows String, Number and SSM strings."
    )


def _parameter_reader(cloud: Cloud) -> Callable[[str], str]:
    def read(name: str) -> str:
        try:
            return str(Direct(cloud, "ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except AwsError:
            raise TemplateError(
                f"there is no SSM parameter {name}; the stack that writes it is not in the assembly."
            ) from None

    return read
