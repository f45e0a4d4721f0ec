"""AWS's limits on templates and on what every resource has; `quotas_of_resources.py` has those of single types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.quotas_of_resources import LIMITS, MIB, nothing
from modelwright.client.checks.report import Finding, Measure
from modelwright.client.checks.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.quotas_of_resources import Limit
    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template


TOOL = "quotas"
ENTRIES: Final = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
"""How many of each a template may have.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""
LONGEST_NAME: Final = 255
"""Characters in the name of any of them: the same page."""
MAX_TAGS: Final = 50
"""Of a resource: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""
NAMES: Final = {
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::DynamoDB::Table": ("TableName", 255),
    "AWS::ECR::Repository": ("RepositoryName", 256),
    "AWS::Events::EventBus": ("Name", 256),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::SNS::Topic": ("TopicName", 256),
    "AWS::SQS::Queue": ("QueueName", 80),
    "AWS::SSM::Parameter": ("Name", 1011),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", 63),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", 80),
}
"""The physical names that may be ours, and how long each may be (each service's API reference); the endpoint's is the
package group's."""


def check_quotas(templates: Sequence[Template], collector: Collector) -> None:
    """Compare sizes, counts and names with AWS's limits; tell of each template which size is nearest to its limit."""
    samples = Samples(templates)
    findings: list[Finding] = []
    for template in templates:
        limits = list(_limits(template, samples))
        findings += [_finding(where, limit) for where, limit in limits if limit[2] > limit[3]]
        sizes = [item for item in limits if item[1][0].endswith("-size")]
        where, (rule, what, found, most) = max(sizes, key=lambda item: item[1][2] / item[1][3])
        collector.measure(Measure(f"nearest limit ({rule})", where, found, most, what))
        size, count = template.path.stat().st_size, len(template.body.get("Resources", {}))
        collector.measure(Measure("template", template.stack, size, MIB, "bytes"))
        collector.measure(Measure("template", template.stack, count, ENTRIES["Resources"], "resources"))
    settle(TOOL, templates, findings, collector)


def _limits(template: Template, samples: Samples) -> Iterator[tuple[str, Limit]]:
    """Yield each limit, and what it is about."""
    yield from ((template.stack, limit) for limit in _of_template(template))
    for logical_id, resource in template.resources():
        properties = samples.of(template, resource.get("Properties", {}))
        own = LIMITS.get(resource["Type"], nothing)(properties)
        for limit in (*own, *_of_any(resource["Type"], properties)):
            yield f"{template.stack}/{logical_id}", limit


def _finding(where: str, limit: Limit) -> Finding:
    rule, what, found, most = limit
    return Finding(TOOL, rule, where, f"has {found} {what}; AWS takes at most {most}.")


def _of_template(template: Template) -> Iterator[Limit]:
    yield "template-size", "bytes of template", template.path.stat().st_size, MIB
    for section, limit in ENTRIES.items():
        yield f"{section.lower()}-count", section.lower(), len(template.body.get(section, {})), limit
        for name in template.body.get(section, {}):
            yield "logical-id", f"characters in the name {name}", len(name), LONGEST_NAME
    yield "description", "bytes of description", len(str(template.body.get("Description", "")).encode()), 1024
    yield "stack-name", "characters in its name", len(template.stack), 128


def _of_any(type_: str, properties: Mapping[str, Any]) -> Iterator[Limit]:
    key, limit = NAMES.get(type_, ("", 0))
    if isinstance(properties.get(key), str):
        yield "name-length", f"characters of {key}", len(properties[key]), limit
    if isinstance(properties.get("Tags"), list | dict):
        yield "tags", "tags", len(properties["Tags"]), MAX_TAGS
