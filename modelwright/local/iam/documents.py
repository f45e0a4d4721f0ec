"""Policy documents: read whole, checked, and compiled when they are loaded.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelwright.local.iam import keys
from modelwright.local.iam.conditions import Condition, parse_conditions
from modelwright.local.iam.patterns import Pattern, UnknownVariableError
from modelwright.local.iam.principals import Principals, parse_principals
from modelwright.local.iam.problems import PolicyError, Problems
from modelwright.local.iam.statements import Document, Kind, Statement, StatementRef, Texts

_VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT = {"Version", "Id", "Statement"}
_STATEMENT = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
}
_ACTION = re.compile(r"\*|\*:\*|[a-z0-9-]+:[A-Za-z0-9*?]+", re.IGNORECASE)


def parse_document(
    document: str | Mapping[str, object], *, kind: Kind, owner: str, name: str, without_resource: bool = False
) -> Document:
    """Read the policy `name` of `owner` (an ARN), or raise PolicyError with all that is wrong and where.

    `without_resource`: the policy's statements have no Resource, as an ECR repository's; they are about the owner.
    """
    problems = Problems()
    where = f"{kind} policy {name} of {owner}"
    content = _content(document, where)
    for key in sorted(set(content) - _DOCUMENT):
        problems.add(key, f"is not an element of a policy; known are {', '.join(sorted(_DOCUMENT))}")
    version = content.get("Version", _VERSIONS[1])
    if version not in _VERSIONS:
        problems.add("Version", f"is {version!r}; it must be {' or '.join(_VERSIONS)}")
    reader = _Reader(kind, owner, name, without_resource, variables=version == _VERSIONS[0], problems=problems)
    statements = reader.statements(content.get("Statement"))
    problems.raise_if_any(where)
    return Document(owner, name, kind, statements)


def _content(document: str | Mapping[str, object], where: str) -> Mapping[str, object]:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError as error:
            raise PolicyError(where, [f"is no JSON: {error}"]) from None
    if not isinstance(document, Mapping):
        raise PolicyError(where, [f"is {type(document).__name__}; it must be an object"])
    return document


@dataclass(frozen=True)
class _Reader:
    """Reads one document's statements; what is wrong goes to `problems`."""

    kind: Kind
    owner: str
    name: str
    without_resource: bool
    variables: bool
    problems: Problems

    def statements(self, value: object) -> tuple[Statement, ...]:
        if value is None or value == []:
            self.problems.add("Statement", "is missing; a policy needs at least one statement")
            return ()
        listed = value if isinstance(value, list) else [value]
        found = [self._statement(raw, index) for index, raw in enumerate(listed)]
        self._check_sids([str(raw["Sid"]) for raw in listed if isinstance(raw, Mapping) and raw.get("Sid")])
        return tuple(statement for statement in found if statement)

    def _check_sids(self, sids: list[str]) -> None:
        for sid in sorted({sid for sid in sids if sids.count(sid) > 1}):
            self.problems.add("Statement", f"the Sid {sid!r} is there twice")

    def _statement(self, raw: object, index: int) -> Statement | None:
        place = f"Statement[{index}]"
        if not isinstance(raw, Mapping):
            self.problems.add(place, f"is {type(raw).__name__}; it must be an object")
            return None
        for key in sorted(set(raw) - _STATEMENT):
            self.problems.add(f"{place}.{key}", f"is not an element of a statement; {_nearest_element(key)}")
        if raw.get("Effect") not in {"Allow", "Deny"}:
            self.problems.add(f"{place}.Effect", f"is {raw.get('Effect')!r}; it must be 'Allow' or 'Deny'")
        return Statement(
            ref=StatementRef(self.owner, self.name, str(raw.get("Sid") or index)),
            allow=raw.get("Effect") == "Allow",
            actions=self._actions(raw, place),
            resources=self._resources(raw, place),
            principals=self._principals(raw, place),
            conditions=self._conditions(raw, place),
        )

    def _either(self, raw: Mapping[str, object], name: str, place: str) -> tuple[str, object] | None:
        """The element or its Not form; exactly one of the two must be there."""
        present = [key for key in (name, f"Not{name}") if key in raw]
        if len(present) == 1:
            return present[0], raw[present[0]]
        wrong = "has both" if present else "has neither"
        self.problems.add(place, f"{wrong} {name} {'and' if present else 'nor'} Not{name}")
        return None

    def _list(self, raw: Mapping[str, object], name: str, place: str) -> tuple[bool, list[str]]:
        chosen = self._either(raw, name, place)
        if chosen is None:
            return False, []
        key, value = chosen
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text for text in texts):
            self.problems.add(f"{place}.{key}", f"is {value!r}; it must be a text or a list of texts")
        return key.startswith("Not"), [text for text in texts if isinstance(text, str)]

    def _actions(self, raw: Mapping[str, object], place: str) -> Texts:
        inverted, texts = self._list(raw, "Action", place)
        for text in texts:
            if not _ACTION.fullmatch(text):
                self.problems.add(f"{place}.Action", f"{text!r} is not of the form service:Name")
        lowered = [text.lower() for text in texts]
        patterns = [Pattern(text, variables=False) for text in lowered if set(text) & set("*?")]
        return _made(lowered, patterns, {"*", "*:*"}, inverted=inverted)

    def _resources(self, raw: Mapping[str, object], place: str) -> Texts:
        if self.kind == "trust" or self.without_resource:
            if "Resource" in raw or "NotResource" in raw:
                self.problems.add(f"{place}.Resource", "has no place here: this policy is about its owner alone")
            return Texts(frozenset(), (), everything=True, inverted=False)
        inverted, texts = self._list(raw, "Resource", place)
        patterns = [pattern for text in texts if (pattern := self._resource(text, place))]
        return _made(texts, patterns, {"*"}, inverted=inverted)

    def _resource(self, text: str, place: str) -> Pattern | None:
        if text != "*" and not text.startswith(("arn:", "${")):
            self.problems.add(f"{place}.Resource", f'{text!r} is no ARN, nor "*"')
            return None
        try:
            pattern = Pattern(text, style="resource", variables=self.variables)
        except UnknownVariableError as error:
            self.problems.add(f"{place}.Resource", str(error))
            return None
        for key in pattern.variables:
            if not keys.is_known(key):
                self.problems.add(f"{place}.Resource", keys.unknown(key))
        return pattern

    def _principals(self, raw: Mapping[str, object], place: str) -> Principals | None:
        if self.kind in {"identity", "boundary"}:
            if "Principal" in raw or "NotPrincipal" in raw:
                self.problems.add(f"{place}.Principal", "has no place in a policy of a role")
            return None
        chosen = self._either(raw, "Principal", place)
        if chosen is None:
            return None
        key, value = chosen
        if key == "NotPrincipal" and raw.get("Effect") == "Allow":
            self.problems.add(f"{place}.NotPrincipal", "with Allow lets in everyone else; write Principal")
        return parse_principals(value, f"{place}.{key}", self.problems, inverted=key == "NotPrincipal")

    def _conditions(self, raw: Mapping[str, object], place: str) -> tuple[Condition, ...]:
        return parse_conditions(raw.get("Condition", {}), f"{place}.Condition", self.problems, variables=self.variables)


def _made(texts: Iterable[str], patterns: Iterable[Pattern], everything: set[str], *, inverted: bool) -> Texts:
    """Keep as patterns only what has wildcards or variables; a plain text is looked up in a set."""
    listed = list(texts)
    plain = frozenset(text for text in listed if not set(text) & set("*?$"))
    kept = tuple(pattern for pattern in patterns if pattern.text not in plain)
    return Texts(plain, kept, everything=any(text in everything for text in listed), inverted=inverted)


def _nearest_element(key: str) -> str:
    from modelwright.errors import nearest  # noqa: PLC0415  # only when something is wrong

    near = nearest(key, _STATEMENT)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(_STATEMENT))}"
