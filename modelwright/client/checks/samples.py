"""What a template's references will look like once it is deployed: names and ARNs of the right form.

A reference to a shared SSM parameter is followed into the stack that writes it, so that a grant on the shared key is
seen as one on a key. What has no known form becomes a text that fits nothing: whoever reads it says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.templates import PSEUDO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.client.checks.templates import Template

_NAMED: Final[Mapping[str, tuple[str | None, int]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", 64),
    "AWS::CodeBuild::Project": ("Name", 150),
    "AWS::DynamoDB::Table": ("TableName", 64),
    "AWS::ECR::Repository": ("RepositoryName", 64),
    "AWS::Events::EventBus": ("Name", 64),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", 64),
    "AWS::IAM::OIDCProvider": (None, 0),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::KMS::Key": (None, 36),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Logs::LogGroup": ("LogGroupName", 64),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::SNS::Topic": ("TopicName", 64),
    "AWS::SQS::Queue": ("QueueName", 64),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", 63),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", 64),
}
"""The property that holds a resource's name, and how long a name is that CloudFormation chooses."""
_ARNS: Final[Mapping[str, str]] = {
    "AWS::CodeBuild::Project": "codebuild:{place}:project/{name}",
    "AWS::CloudWatch::Alarm": "cloudwatch:{place}:alarm:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{place}:table/{name}",
    "AWS::ECR::Repository": "ecr:{place}:repository/{name}",
    "AWS::Events::EventBus": "events:{place}:event-bus/{name}",
    "AWS::Events::Rule": "events:{place}:rule/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::OIDCProvider": "iam::{account}:oidc-provider/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{place}:key/{name}",
    "AWS::Lambda::Function": "lambda:{place}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{place}:{name}",
    "AWS::SQS::Queue": "sqs:{place}:{name}",
    "AWS::SageMaker::ModelPackageGroup": "sagemaker:{place}:model-package-group/{name}",
    "AWS::StepFunctions::StateMachine": "states:{place}:stateMachine:{name}",
}
"""https://docs.aws.amazon.com/service-authorization/latest/reference/ (Resource types defined by …)"""
_REFERENCE_IS_ARN: Final = frozenset(
    {
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::SNS::Topic",
        "AWS::SageMaker::ModelPackageGroup",
        "AWS::StepFunctions::StateMachine",
    }
)
"""Those whose `Ref` is their ARN: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"""
UNKNOWN: Final = "no-known-form".ljust(64, "-")
"""As long as most names may be."""


class Samples:
    """Evaluates the intrinsic functions of an assembly's templates."""

    def __init__(self, templates: Sequence[Template]) -> None:
        """Know the resources and the SSM parameters of `templates`."""
        self._published = {
            resource["Properties"]["Name"]: (template, resource["Properties"]["Value"])
            for template in templates
            for _, resource in template.resources("AWS::SSM::Parameter")
        }
        self._functions: Mapping[str, Callable[[Template, Any], Any]] = {
            "Ref": self._reference,
            "Fn::GetAtt": self._attribute,
            "Fn::Join": self._join,
            "Fn::Sub": self._substitute,
            "Fn::Select": self._select,
            "Fn::Split": lambda template, found: str(self.of(template, found[1])).split(found[0]),
        }

    def of(self, template: Template, value: Any) -> Any:
        """Return `value`, of `template`, with every intrinsic function replaced by a sample of its result."""
        if isinstance(value, list):
            return [self.of(template, item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._functions:
                return self._functions[name](template, argument)
        return {key: self.of(template, item) for key, item in value.items()}

    def _reference(self, template: Template, name: str) -> Any:
        if name in PSEUDO:
            return PSEUDO[name]
        parameter = template.body.get("Parameters", {}).get(name)
        if parameter is not None:
            where, value = self._published.get(parameter.get("Default"), (template, parameter.get("Default", UNKNOWN)))
            return self.of(where, value)
        resource = template.body.get("Resources", {}).get(name, {})
        by_arn = resource.get("Type") in _REFERENCE_IS_ARN
        return self.arn(template, resource) if by_arn else self._name(template, resource)

    def _attribute(self, template: Template, argument: Any) -> str:
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        resource = template.body.get("Resources", {}).get(name, {})
        if attribute.endswith("Arn"):
            return self.arn(template, resource)
        return self._name(template, resource) if attribute.endswith("Name") else UNKNOWN

    def _name(self, template: Template, resource: Mapping[str, Any]) -> str:
        key, length = _NAMED.get(resource.get("Type", ""), (None, 0))
        properties = resource.get("Properties", {})
        if resource.get("Type") == "AWS::IAM::OIDCProvider":
            return str(self.of(template, properties["Url"])).removeprefix("https://")
        chosen = properties.get(key) if key else None
        return str(self.of(template, chosen)) if chosen else ("x" * length or UNKNOWN)

    def arn(self, template: Template, resource: Mapping[str, Any]) -> str:
        """Return a sample of the ARN of a resource of `template`."""
        form = _ARNS.get(resource.get("Type", ""))
        if form is None:
            return UNKNOWN
        account = PSEUDO["AWS::AccountId"]
        place = f"{PSEUDO['AWS::Region']}:{account}"
        properties = resource.get("Properties", {})
        path = str(properties.get("Path", "/")).lstrip("/")
        if resource["Type"] == "AWS::Events::Rule" and "EventBusName" in properties:
            # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
            path = f"{self.of(template, properties['EventBusName'])}/"
        name = self._name(template, resource)
        return "arn:aws:" + form.format(place=place, account=account, name=path + name)

    def _select(self, template: Template, argument: Any) -> Any:
        number, parts = argument
        found = self.of(template, parts)
        return found[int(number)] if int(number) < len(found) else UNKNOWN

    def _join(self, template: Template, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(str(self.of(template, part)) for part in self.of(template, parts))

    def _substitute(self, template: Template, argument: Any) -> str:
        text, values = argument if isinstance(argument, list) else (argument, {})

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in values:
                return str(self.of(template, values[name]))
            return str(self._attribute(template, name) if "." in name else self._reference(template, name))

        return re.sub(r"\$\{([^!}]+)\}", value, text)


def role_sample() -> str:
    """Return the ARN of some role."""
    return f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:role/name"
