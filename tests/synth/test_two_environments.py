"""Two environments of one account: no name is there twice, and no grant of the one is about the other."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from own_environments import project_with
from template_queries import Stack, as_list, plain, read_stacks

from modelwright.client.deploys.synth import synthesize
from modelwright.local.iam.patterns import Pattern

SETTINGS = "region: eu-central-1\nrole_path: /ml/\n"
OTHERS_NAMES = {"AWS::EC2::VPCEndpoint": {"ServiceName"}, "AWS::CloudWatch::Alarm": {"MetricName"}}
"""Members that name something which is not the resource itself."""
OF_ALL = re.compile(
    r"StepFunctionsGetEvent(sForSageMaker|ForCodeBuild)|log-group:/aws/sagemaker/(Processing|Training|Transform)Jobs|:alarm:\*$|"
    r"^\*$|:ecr:.*:repository/sagemaker-|^<[A-Za-z.]+>|<Shared"
)
"""What is AWS's or the whole account's, and references: to what the stack has, or to its environment's parameters."""
RUN = "0123456789ab-00"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Stack]]:
    folder = tmp_path_factory.mktemp("two")
    root = project_with(folder / "p", dev=SETTINGS, dev2=SETTINGS)
    for environment in ("dev", "dev2"):
        synthesize(root, environment, folder / environment)
    return {environment: read_stacks(folder / environment) for environment in ("dev", "dev2")}


def names(stacks: list[Stack]) -> set[tuple[str, str]]:
    """Every name that a template chooses, with the type that has it: stacks and the outputs' exports, too."""
    found = {("stack", stack.name) for stack in stacks}
    for stack in stacks:
        for _, resource in stack.resources():
            kind, properties = resource["Type"], resource.get("Properties", {})
            own = {key for key in properties if key.endswith("Name")} - OTHERS_NAMES.get(kind, set())
            found |= {(f"{kind}.{key}", plain(properties[key])) for key in own if isinstance(properties[key], str)}
    return found


def test_no_name_is_the_same(both: dict[str, list[Stack]]) -> None:
    dev, dev2 = names(both["dev"]), names(both["dev2"])
    assert len(dev) == len(dev2) > 10
    assert dev & dev2 == set()


def test_each_name_says_whose_it_is(both: dict[str, list[Stack]]) -> None:
    for environment, stacks in both.items():
        strangers = [name for _, name in names(stacks) if not re.search(rf"(^|/|-){environment}(-|/|$)", name)]
        assert strangers == []


def granted(stacks: list[Stack]) -> set[str]:
    """Every resource that a role is granted something on, but what belongs to nobody."""
    statements = [item for stack in stacks for role in stack.roles() for item in role.statements]
    found = {text for item in statements if item["Effect"] == "Allow" for text in as_list(item["Resource"])}
    return {text for text in found if not OF_ALL.search(text) and "-assets-" not in text}  # equal files are one asset


def samples(stacks: list[Stack]) -> set[str]:
    """A name for each pattern of an environment's own grants."""
    return {text.replace("????????????-??", RUN).replace("*", "x").replace("?", "0") for text in granted(stacks)}


def test_no_grant_is_about_what_the_other_has(both: dict[str, list[Stack]]) -> None:
    """`dev` and `dev2`: the one's names begin as the other's."""
    assert len(granted(both["dev"])) > 10
    for mine, theirs in (("dev", "dev2"), ("dev2", "dev")):
        crossing = [
            (pattern, name)
            for pattern, name in product(granted(both[mine]), samples(both[theirs]))
            if Pattern(pattern, style="resource").matches(name, {})
        ]
        assert crossing == []


def test_shared_things_are_read_from_parameters_of_the_environment(both: dict[str, list[Stack]]) -> None:
    for environment, stacks in both.items():
        parameters: list[dict[str, Any]] = [
            each for stack in stacks for each in stack.body.get("Parameters", {}).values()
        ]
        paths = {each["Default"] for each in parameters if str(each.get("Default", "")).startswith("/modelwright/")}
        assert paths
        assert all(path.startswith(f"/modelwright/{environment}/") for path in paths)
