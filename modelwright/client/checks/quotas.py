"""AWS's limits on what a template holds.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.report import Finding
from modelwright.client.checks.templates import definition_text, sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "quotas"
MIB = 1024 * 1024
ENTRIES = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
"""How many of each a template may have."""
MAX_ROLE_POLICIES = 10_240
"""Characters of all policies inside one role, white space not counted."""
MAX_TRUST_POLICY = 2048
NAMES = {
    "AWS::DynamoDB::Table": ("TableName", 255),
    "AWS::ECR::Repository": ("RepositoryName", 256),
    "AWS::Events::EventBus": ("Name", 256),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", 63),
}
"""The physical names that are ours, and how long each may be; the endpoint's is the package group's."""


def check_quotas(templates: Sequence[Template], collector: Collector) -> None:
    """Compare sizes, counts and names with AWS's limits."""
    collector.add(TOOL, (finding for template in templates for finding in _template(template)))


def _template(template: Template) -> Iterator[Finding]:
    size = template.path.stat().st_size
    yield from _over("template-size", template.stack, "bytes of template", size, MIB)
    for section, limit in ENTRIES.items():
        count = len(template.body.get(section, {}))
        yield from _over(f"{section.lower()}-count", template.stack, section.lower(), count, limit)
    for logical_id, resource in template.resources():
        yield from _resource(f"{template.stack}/{logical_id}", resource["Type"], resource.get("Properties", {}))


def _resource(where: str, type_: str, properties: Mapping[str, Any]) -> Iterator[Finding]:
    if type_ == "AWS::StepFunctions::StateMachine":
        size = len(definition_text(properties).encode())
        yield from _over("definition-size", where, "bytes of definition", size, MIB)
    if type_ == "AWS::IAM::Role":
        policies = sum(_characters(policy["PolicyDocument"]) for policy in properties.get("Policies", []))
        yield from _over("role-policy-size", where, "characters of policy", policies, MAX_ROLE_POLICIES)
        trust = _characters(properties["AssumeRolePolicyDocument"])
        yield from _over("trust-policy-size", where, "characters of trust policy", trust, MAX_TRUST_POLICY)
    key, limit = NAMES.get(type_, ("", 0))
    if isinstance(properties.get(key), str):
        yield from _over("name-length", where, f"characters of {key}", len(properties[key]), limit)


def _characters(document: Any) -> int:
    return len(json.dumps(sample(document), separators=(",", ":")))


def _over(id_: str, where: str, what: str, found: int, limit: int) -> Iterator[Finding]:
    if found > limit:
        yield Finding(TOOL, id_, where, f"has {found} {what}; AWS takes at most {limit}.")
