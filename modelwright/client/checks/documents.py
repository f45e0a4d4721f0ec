"""Every policy document of a template, wherever it stands: of roles, keys, buckets, queues, topics, endpoints, …."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from modelwright.client.checks.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.templates import Template

Kind = Literal["identity", "trust", "resource"]


@dataclass(frozen=True)
class Document:
    """One policy document, with samples for what only a deployment knows."""

    where: str
    """`<stack>/<resource>`."""
    path: str
    """The property that holds it: `Policies.0.PolicyDocument`."""
    kind: Kind
    body: Mapping[str, Any]
    own_arn: str | None = None
    """What `*` stands for in it: the key, in a key's policy.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    """

    @property
    def statements(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Each statement with its label: its Sid, or its place."""
        found = as_list(self.body["Statement"])
        return [(item.get("Sid", f"{self.path}.{number}"), item) for number, item in enumerate(found)]


def documents(templates: Sequence[Template]) -> Iterator[Document]:
    """Yield every policy document of the templates."""
    samples = Samples(templates)
    for template in templates:
        for logical_id, resource in template.resources():
            where, type_ = f"{template.stack}/{logical_id}", resource["Type"]
            for path, body in _found(samples.of(template, resource.get("Properties", {})), ""):
                own = samples.arn(template, resource) if type_ == "AWS::KMS::Key" else None
                yield Document(where, path, _kind(type_, path), body, own)


def as_list(value: Any) -> list[Any]:
    """Return a value of a policy as the list that it stands for."""
    return value if isinstance(value, list) else [value]


def _kind(type_: str, path: str) -> Kind:
    if path == "AssumeRolePolicyDocument":
        return "trust"
    return "identity" if type_.startswith("AWS::IAM::") else "resource"


def _found(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Whatever has statements with an effect, also as JSON inside a text."""
    if isinstance(value, str) and value.lstrip().startswith("{") and '"Statement"' in value:
        yield from _found(json.loads(value), path)
    elif isinstance(value, dict) and _is_document(value):
        yield path, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _found(item, f"{path}.{key}".lstrip("."))


def _is_document(value: Mapping[str, Any]) -> bool:
    statements = as_list(value.get("Statement"))
    return all(isinstance(item, dict) and "Effect" in item for item in statements)
