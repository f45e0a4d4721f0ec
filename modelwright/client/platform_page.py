"""`docs/created.md`: what a deploy creates, what it costs idle, and what each role may do.

`python -m modelwright.client.platform_page` writes it anew from the template; a test says when it is stale.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.checks.templates import read_templates
from modelwright.workflow.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.templates import Template

PAGE = Path("docs/created.md")
KINDS: Mapping[str, tuple[str, str]] = {
    "AWS::ApiGateway::Account": ("with which role API Gateway writes logs, for all APIs of the account", "nothing"),
    "AWS::ApiGateway::ApiKey": ("what callers of the API show", "nothing"),
    "AWS::ApiGateway::Deployment": ("what the API's stage serves", "nothing"),
    "AWS::ApiGateway::GatewayResponse": ("what a body of another form is answered with", "nothing"),
    "AWS::ApiGateway::Method": ("who may call a route, and what answers", "nothing"),
    "AWS::ApiGateway::Model": ("the form of a request's body", "nothing"),
    "AWS::ApiGateway::RequestValidator": ("holds requests against that form", "nothing"),
    "AWS::ApiGateway::Resource": ("a path of the API", "nothing"),
    "AWS::ApiGateway::RestApi": ("the REST API in front of the endpoint", "nothing; each request costs"),
    "AWS::ApiGateway::Stage": ("its address, limits and access log", "nothing; there is no cache"),
    "AWS::ApiGateway::UsagePlan": ("what one key may ask", "nothing"),
    "AWS::ApiGateway::UsagePlanKey": ("which keys the plan counts", "nothing"),
    "AWS::CloudWatch::Alarm": ("says that somebody has to look", "each metric of an alarm costs; ten are free"),
    "AWS::CloudWatch::Dashboard": ("one page that says whether the pipeline is healthy", "three are free"),
    "AWS::CodeBuild::Project": (
        "builds our own images, when they are missing",
        "nothing; each minute of a build costs",
    ),
    "AWS::DynamoDB::Table": ("runs, champions, leases, events taken", "storage; on demand, so nothing for rest"),
    "AWS::EC2::VPCEndpoint": ("the way from your network to S3", "nothing"),
    "AWS::ECR::Repository": ("images of the pipeline's own, and ours that compile and serve models", "storage"),
    "AWS::Events::EventBus": ("merges are announced on it", "nothing"),
    "AWS::Events::EventBusPolicy": ("who may announce", "nothing"),
    "AWS::Events::Rule": ("starts the pipeline, or tells a function", "nothing"),
    "AWS::IAM::OIDCProvider": ("lets GitHub's workflows log in without a secret", "nothing"),
    "AWS::IAM::Role": ("see below", "nothing"),
    "AWS::KMS::Alias": ("the key's name", "nothing"),
    "AWS::KMS::Key": (
        "encrypts all that is at rest",
        "**1 USD a month**, and 1 more for each of its first two rotations",
    ),
    "AWS::Lambda::EventInvokeConfig": ("how often an event is tried, and where it goes then", "nothing"),
    "AWS::Lambda::Function": ("what is between the jobs", "nothing"),
    "AWS::Lambda::Permission": ("which rule may call a function", "nothing"),
    "AWS::Logs::LogGroup": ("what functions and state machine log", "storage, until the retention ends"),
    "AWS::Logs::ResourcePolicy": ("lets a service write logs", "nothing"),
    "AWS::S3::Bucket": ("data, artifacts, access logs", "storage; old versions go after 90 days"),
    "AWS::S3::BucketPolicy": ("TLS only; pipelines never write data", "nothing"),
    "AWS::SNS::Subscription": ("who is told", "nothing"),
    "AWS::SNS::Topic": ("what people are told", "nothing"),
    "AWS::SNS::TopicPolicy": ("who may tell", "nothing"),
    "AWS::SQS::Queue": ("events that could not be delivered", "nothing"),
    "AWS::SQS::QueuePolicy": ("who may put them there", "nothing"),
    "AWS::SSM::Parameter": ("tells the pipelines' stacks what they share", "nothing"),
    "AWS::SageMaker::ModelPackageGroup": ("the registered models", "nothing; their archives are in the bucket"),
    "AWS::StepFunctions::StateMachine": ("the pipeline", "nothing"),
}
"""What each type is for, and what it costs while nothing runs.

https://aws.amazon.com/kms/pricing/, https://aws.amazon.com/cloudwatch/pricing/, https://aws.amazon.com/privatelink/pricing/
"""
_SERVICES = re.compile(r"arn:<[^>]+>:(?P<service>[a-z0-9-]*):(?P<region>[^:]*):(?P<account>[^:]*):(?P<rest>.*)")
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
"""Of an asset's content: the page shall not change with it."""
_HEAD = """# What a deploy creates

Written from the template of the environment `dev` by `python -m modelwright.client.platform_page`; do not edit.
[platform.md](platform.md) says how to read it.
"""


def platform_page(templates: Sequence[Template]) -> str:
    """Return the page for the stacks in `templates`. Raises KeyError for a resource type that nobody described."""
    parts = [_HEAD]
    for template in templates:
        parts.append(
            f"## Stack `{template.stack}`\n\n{template.body.get('Description', '')}\n\n{_resources(template)}\n"
        )
        parts.extend(_role(template, name, role["Properties"]) for name, role in template.resources("AWS::IAM::Role"))
    return "\n".join(parts)


def _resources(template: Template) -> str:
    types = Counter(resource["Type"] for _, resource in template.resources())
    rows = [f"| {number} | `{type_}` | {' | '.join(KINDS[type_])} |" for type_, number in sorted(types.items())]
    return "\n".join(["| | type | what for | costs while nothing runs |", "|---|---|---|---|", *rows])


def _role(template: Template, name: str, properties: Mapping[str, Any]) -> str:
    rows = []
    for policy in properties.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            reason = _reason(properties["Description"], statement.get("Sid", ""))
            rows.append(_row(template, statement, reason))
    takers = ", ".join(_takers(template, properties["AssumeRolePolicyDocument"]))
    head = f"### {properties['Description']}\n\n`{name}`, taken by {takers}.\n"
    return "\n".join([head, "| what for | actions | on | only if |", "|---|---|---|---|", *rows, ""])


def _takers(template: Template, document: Mapping[str, Any]) -> Iterator[str]:
    for statement in document["Statement"]:
        principal = statement["Principal"]
        names = [shown(template, value) for kind in principal.values() for value in _listed(kind)]
        condition = _conditions(template, statement.get("Condition", {}))
        yield f"`{', '.join(names)}`" + (f" if {condition}" if condition else "")


def _reason(role: str, sid: str) -> str:
    """What a statement is for: a function's grants have reasons of their own, other statements say it in their id."""
    grant = re.match(r"Grant(\d+)", sid)
    function = next((item for item in FUNCTIONS if f" {item.name} " in role), None)
    if grant and function:
        return function.grants[int(grant[1]) - 1].reason
    return re.sub(r"(?<!^)(?=[A-Z])", " ", sid).lower()


def _row(template: Template, statement: Mapping[str, Any], words: str) -> str:
    refused = "**never** " if statement["Effect"] == "Deny" else ""
    actions = "<br>".join(f"`{action}`" for action in _listed(statement["Action"]))
    targets = "<br>".join(f"`{_short(shown(template, value))}`" for value in _listed(statement["Resource"]))
    return f"| {refused}{words} | {actions} | {targets} | {_conditions(template, statement.get('Condition', {}))} |"


def _conditions(template: Template, conditions: Mapping[str, Mapping[str, Any]]) -> str:
    return "<br>".join(
        f"`{key}` {operator} `{', '.join(_short(shown(template, item)) for item in _listed(value))}`"
        for operator, keys in conditions.items()
        for key, value in keys.items()
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _short(text: str) -> str:
    """An ARN without what all of them have: `s3: <artifact bucket>/code/penguins/*`."""
    found = _SERVICES.fullmatch(text)
    if not found:
        return text
    own = found["account"] in ("", "<account>")
    rest = _HASH.sub("<hash>", found["rest"])
    return f"{found['service']}: {rest}" if own else f"{found['service']} of {found['account']}: {rest}"


def shown(template: Template, value: Any) -> str:
    """Return a value of the template as a person reads it: `<Name>` for what a deployment decides."""
    match value:
        case {"Ref": name}:
            return f"<{_named(template, name)}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}>" if attribute == "Arn" else f"<{name}.{attribute}>"
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([A-Za-z:]+)\}", lambda found: f"<{_named(template, found[1])}>", text)
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(shown(template, part) for part in parts)
        case {"Fn::Select": [index, {"Fn::Split": [separator, inner]}]}:
            return f"part {index} by {separator} of {shown(template, inner)}"
    return str(value)


def _named(template: Template, name: str) -> str:
    """A pseudo parameter's or a shared parameter's plain name; a resource's logical id."""
    if name.startswith("AWS::"):
        return {"AWS::AccountId": "account", "AWS::Region": "region", "AWS::Partition": "partition"}.get(name, name)
    path = template.body.get("Parameters", {}).get(name, {}).get("Default", "")
    return path.rpartition("/")[2].replace("-", " ") if path.startswith("/modelwright/") else name


def main(root: Path, env: str = "dev") -> None:
    """Write the page of the project in `root`."""
    from modelwright.client.deploys.synth import ensure_assembly  # noqa: PLC0415 # a test has its own assembly

    (root / PAGE).write_text(platform_page(read_templates(ensure_assembly(root, env))), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
