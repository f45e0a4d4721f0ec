"""AWS's limits on templates and on what every resource has; `quotas_of_resources.py` has those of single types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.quotas_of_resources import LIMITS, MIB, nothing
from modelwright.client.checks.report import Finding, Measure
from modelwright.client.checks.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    """Compare sizes, counts and names with AWS's limits."""
    samples = Samples(templates)
    found = [finding for template in templates for finding in _template(template, samples)]
    settle(TOOL, templates, found, collector)
    for template in templates:
        collector.measure(Measure("template", template.stack, template.path.stat().st_size, MIB, "bytes"))
        count = len(template.body.get("Resources", {}))
        collector.measure(Measure("template", template.stack, count, ENTRIES["Resources"], "resources"))


def _template(template: Template, samples: Samples) -> Iterator[Finding]:
    yield from _over(template.stack, _of_template(template))
    for logical_id, resource in template.resources():
        properties = samples.of(template, resource.get("Properties", {}))
        limits = LIMITS.get(resource["Type"], nothing)
        where = f"{template.stack}/{logical_id}"
        yield from _over(where, [*limits(properties), *_of_any(resource["Type"], properties)])


def _over(where: str, limits: Iterable[Limit]) -> Iterator[Finding]:
    for rule, what, found, limit in limits:
        if found > limit:
            yield Finding(TOOL, rule, where, f"has {found} {what}; AWS takes at most {limit}.")


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
