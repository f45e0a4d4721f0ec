"""What our mapping says AWS checks, against the Service Authorization Reference (the copy that cfn-lint ships)."""

import importlib.resources
import json
import re

import botocore.session
import pytest

from modelwright.local.iam.checks import Facts, Request
from modelwright.local.iam.requests import SERVICES, required

ACCOUNT, REGION = "123456789012", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000"
LOADER = botocore.session.get_session().get_component("data_loader")
REFERENCE = json.loads((importlib.resources.files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text())

ARNS = {
    "ModelPackageArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/group/1",
    "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/name",
    "registryId": ACCOUNT,
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/name",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/name",
    "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:name",
    "SubscriptionArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:name:0000",
    "TargetArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:name",
    "executionArn": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:name:id",
    "mapRunArn": f"arn:aws:states:{REGION}:{ACCOUNT}:mapRun:name/label:id",
    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/name",
    "stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:name",
}
TAGGED = {  # what a parameter called ResourceArn is the ARN of
    "dynamodb": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/name",
    "ecr": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/name",
    "events": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/name",
    "lambda": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:name",
    "logs": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:name",
    "sagemaker": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/name",
    "sns": f"arn:aws:sns:{REGION}:{ACCOUNT}:name",
    "stepfunctions": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:name",
}
OTHERWISE = {
    ("cloudwatch", "*"): "only a call that names a data set is about one; none of ours does",
    ("sagemaker", "CreateModelPackage"): "earlier references list the group as well: see actions/sagemaker.py",
}


class Everything(dict):
    """Knows a key for each resource, so that every KMS check is made too."""

    def get(self, _key, _default=None):
        return KEY


FACTS = Facts(keys=Everything(), aliases={}, partition_keys={f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/name": "name"})


def shape_of(model, name):
    return model["shapes"][name]


def sample(service, model, shape_name, member, depth=0):
    """A value of the shape, every member given."""
    shape = shape_of(model, shape_name)
    kind = shape["type"]
    if kind == "structure":
        members = shape.get("members", {}) if depth < 6 else {}
        if shape.get("union"):
            members = dict(list(members.items())[:1])
        return {name: sample(service, model, inner["shape"], name, depth + 1) for name, inner in members.items()}
    if kind == "list":
        return [sample(service, model, shape["member"]["shape"], member, depth + 1)]
    if kind == "map":
        return {"name": sample(service, model, shape["value"]["shape"], member, depth + 1)}
    return {"string": text(service, member), "boolean": True, "blob": b"0" * 60}.get(kind, 1)


def text(service, member):
    if member in ARNS:
        return ARNS[member]
    if member.lower() in {"resourcearn", "resource"}:
        return TAGGED.get(service, "name")
    if member == "ModelPackageArnList":
        return ARNS["ModelPackageArn"]
    return {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/name", "CopySource": "bucket/key"}.get(member, "name")


def matches(resource, service, types):
    """Whether the resource's ARN has the form of one of the resource types that the reference lists for the action."""
    known = {name.lower(): about for name, about in REFERENCE[service]["Resources"].items()}
    formats = [form for name in types for form in known.get(name.lower(), {}).get("ARNFormats", [])]
    filled = [
        re.sub(r"\$\{Partition\}", "aws", form).replace("${Region}", REGION).replace("${Account}", ACCOUNT)
        for form in formats
    ]
    return any(re.fullmatch(form, resource) for form in filled)


FOR_EVERYONE = {("sts", "GetCallerIdentity"), ("sts", "AssumeRoleWithWebIdentity")}
"""No policy of the caller's decides: with a token, the role's own trust does, and the caller need be nobody."""


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_mapped_operation_exists_and_needs_what_the_reference_lists(service):
    model = LOADER.load_service_model(service, "service-2")
    wrong = []
    for operation in sorted(SERVICES[service]):
        described = model["operations"].get(operation)
        if described is None:
            wrong.append(f"{operation}: botocore has no such operation")
            continue
        params = sample(service, model, described["input"]["shape"], "") if "input" in described else {}
        request = Request(service, operation, params, REGION, ACCOUNT, FACTS)
        checks = required(request)
        if not checks and (service, operation) not in FOR_EVERYONE:
            wrong.append(f"{operation}: nothing is checked")
        for check in checks:
            prefix, _, name = check.action.partition(":")
            entry = REFERENCE[prefix]["Actions"].get(name.lower())
            if entry is None:
                wrong.append(f"{operation}: AWS has no action {check.action}")
                continue
            types = entry.get("Resources") or []
            if not types and check.resource != "*":
                wrong.append(f"{operation}: {check.action} knows no resource; ours is {check.resource}")
            if (service, operation) in OTHERWISE or (service, check.resource) in OTHERWISE:
                continue
            if types and check.resource != "*" and not matches(check.resource, prefix, types):
                wrong.append(f"{operation}: {check.resource} is none of {types} for {check.action}")
            if types and check.resource == "*":
                wrong.append(f"{operation}: {check.action} is about {types}; ours is *")
    assert wrong == [], "\n".join(wrong)
