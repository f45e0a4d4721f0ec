"""The statements of a deployed template one action at a time: what each is, and the local cloud without it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from modelwright.local.iam.patterns import Pattern
from modelwright.local.iam.statements import StatementRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.local.cloud import Cloud

_RESOURCE_POLICIES = {
    "AWS::Events::EventBusPolicy": ("Statement", "EventBusName", "arn:aws:events:{region}:{account}:event-bus/{name}"),
    "AWS::KMS::Key": ("KeyPolicy", None, ""),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket", "arn:aws:s3:::{name}"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics", "{name}"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues", "arn:aws:sqs:{region}:{account}:{name}"),
}


_RECORDED = {"AWS::EC2::VPCEndpoint"}  # whose policies decide nothing here: there is no network


def _of(kind: str, *verbs: str) -> Mapping[str, str]:
    return {f"sagemaker:{verb}": kind for verb in verbs}


_KIND: Mapping[str, str] = {
    **_of("model", "CreateModel"),
    **_of("endpoint", "DeleteEndpoint", "DescribeEndpoint"),
    **_of("endpoint-config", "DescribeEndpointConfig"),
    **_of("endpoint*", "CreateEndpoint", "UpdateEndpoint"),
    **_of("processing-job", "CreateProcessingJob", "DescribeProcessingJob", "StopProcessingJob"),
    **_of("training-job", "CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob"),
}
"""The kind of resource that an action is about: a statement may be about several kinds, to be short.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html
"""


@dataclass(frozen=True)
class Policy:
    """One policy of a deployed resource."""

    owner: str
    """The logical id of the resource in the template."""
    arn: str
    name: str
    """As the authority calls it: `trust`, a policy's name, or `policy`."""
    document: Mapping[str, Any]

    @property
    def identity(self) -> bool:
        """Whether a role has it, its trust policy included."""
        return ":role/" in self.arn


@dataclass(frozen=True, order=True)
class Grant:
    """One action of one statement."""

    owner: str
    sid: str
    action: str
    ref: StatementRef
    allows: bool = True

    def __str__(self) -> str:
        return f"{self.owner} {self.sid} {self.action}"


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def policies(cloud: Cloud) -> list[Policy]:
    """Every policy that the deployed stacks hold."""
    formation: Any = cloud.services["cloudformation"]
    found: list[Policy] = []
    for stack in formation._stacks.values():
        for logical_id, (resource, physical) in stack.resources.items():
            properties = resource.properties
            if resource.type == "AWS::IAM::Role":
                arn = physical.attributes["Arn"]
                found.append(Policy(logical_id, arn, "trust", properties["AssumeRolePolicyDocument"]))
                found += [
                    Policy(logical_id, arn, each["PolicyName"], each["PolicyDocument"])
                    for each in properties.get("Policies", [])
                ]
            elif resource.type in _RESOURCE_POLICIES:
                member, names, text = _RESOURCE_POLICIES[resource.type]
                given = _listed(properties[names]) if names else []
                arns = [_arn(cloud, text, str(name)) for name in given] or [physical.attributes["Arn"]]
                found += [Policy(logical_id, arn, "policy", properties[member]) for arn in arns]
            elif resource.type not in _RECORDED:
                unknown = {"PolicyDocument", "RepositoryPolicyText", "ResourcePolicy"} & set(properties)
                assert not unknown, f"{logical_id} ({resource.type}) has a policy that these tests do not know"
    return found


def _arn(cloud: Cloud, text: str, name: str) -> str:
    return text.format(region=cloud.region, account=cloud.account, name=name.rsplit("/", 1)[-1])


def grants(found: list[Policy]) -> list[Grant]:
    """Every action of every statement."""
    return [
        Grant(policy.owner, "trust" if policy.name == "trust" else sid, action, ref, statement["Effect"] == "Allow")
        for policy in found
        for index, statement in enumerate(policy.document["Statement"])
        for sid in [statement.get("Sid", str(index))]
        for ref in [StatementRef(policy.arn, policy.name, sid)]
        for action in _actions(statement)
    ]


def _actions(statement: Mapping[str, Any]) -> list[str]:
    """A denial of all actions but some is one grant."""
    return _listed(statement["Action"]) if "Action" in statement else ["*"]


class Decisions:
    """What the policies decided, watched where all decisions are made."""

    def __init__(self, cloud: Cloud) -> None:
        self.used: set[tuple[StatementRef, str, str]] = set()
        """Statement, action (lower case), resource."""
        self.refused: set[str] = set()
        """Actions that were refused."""
        self._decide = cloud.iam.decisions.decide
        cloud.iam.decisions.decide = self._watched  # type: ignore[method-assign]

    def _watched(self, access: Any, role: Any) -> Any:
        decision = self._decide(access, role)
        if decision:
            self.used.update((ref, access.action.lower(), access.resource) for ref in decision.statements)
        else:
            self.refused.add(access.action.lower())
        return decision

    def forget(self) -> None:
        """Begin anew."""
        self.used.clear()
        self.refused.clear()


def uses(grant: Grant, used: set[tuple[StatementRef, str]]) -> bool:
    """Whether the grant decided something."""
    return any(ref == grant.ref and fnmatchcase(action, grant.action.lower()) for ref, action in used)


def untouched(found: list[Policy], used: set[tuple[StatementRef, str, str]]) -> set[tuple[Grant, str]]:
    """Resources of roles' allowing statements on which an action of theirs was never used."""
    texts = {
        StatementRef(policy.arn, policy.name, statement.get("Sid", str(index))): _listed(statement["Resource"])
        for policy in found
        for index, statement in enumerate(policy.document["Statement"])
        if "Resource" in statement and policy.identity
    }
    return {
        (grant, text)
        for grant in grants(found)
        for text in texts.get(grant.ref, [])
        if grant.allows and _about_its_kind(grant.action, text) and not _touches(grant, text, used)
    }


def _about_its_kind(action: str, resource: str) -> bool:
    kind = _KIND.get(action)
    return kind is None or fnmatchcase(resource.rpartition(":")[2].partition("/")[0], kind)


def _touches(grant: Grant, text: str, used: set[tuple[StatementRef, str, str]]) -> bool:
    pattern = Pattern(text, style="resource")
    return any(
        ref == grant.ref
        and fnmatchcase(action, grant.action.lower())
        and (text == "*" or pattern.matches(resource, {}))
        for ref, action, resource in used
    )


@contextmanager
def without(cloud: Cloud, found: list[Policy], *taken: Grant) -> Iterator[None]:
    """The local cloud as if the template did not hold these actions."""
    changed = [policy for policy in found if any(_about(policy, grant) for grant in taken)]
    arns = {policy.arn for policy in changed}
    emptied = [grant.ref for grant in taken if _is_alone(found, grant, taken)]
    for arn in arns:
        _put(cloud, [policy for policy in found if policy.arn == arn], taken)
    try:
        with cloud.iam.without(*emptied):
            yield
    finally:
        for arn in arns:
            _put(cloud, [policy for policy in found if policy.arn == arn], ())


def _about(policy: Policy, grant: Grant) -> bool:
    return (policy.arn, policy.name) == (grant.ref.owner, grant.ref.policy)


def _is_alone(found: list[Policy], grant: Grant, taken: tuple[Grant, ...]) -> bool:
    """Whether nothing of the statement is left: a statement without an action is none."""
    mine = {other.action for other in grants(found) if other.ref == grant.ref}
    return not mine - {other.action for other in taken if other.ref == grant.ref}


def _put(cloud: Cloud, mine: list[Policy], taken: tuple[Grant, ...]) -> None:
    documents = {policy.name: _cut(policy, taken) for policy in mine}
    if "trust" in documents:
        cloud.iam.put_role(mine[0].arn, documents.pop("trust"), documents)
    else:
        cloud.iam.put_resource_policy(mine[0].arn, documents["policy"])


def _cut(policy: Policy, taken: tuple[Grant, ...]) -> dict[str, Any]:
    statements = []
    for index, statement in enumerate(policy.document["Statement"]):
        sid = statement.get("Sid", str(index))
        gone = {grant.action for grant in taken if _about(policy, grant) and grant.ref.statement == sid}
        left = [action for action in _actions(statement) if action not in gone]
        statements.append({**statement, "Action": left} if left and gone else statement)
    return {**policy.document, "Statement": statements}
