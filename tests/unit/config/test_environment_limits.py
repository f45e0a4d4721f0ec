"""What an environment allows its pipelines: other instance types are a mistake, before anything starts."""

from __future__ import annotations

import pytest

from modelwright.config.instances import known_pattern, limit_problem

NETWORK = "vpc: {security_groups: [sg-01234567], subnets: [%s]}\n"


def test_what_is_allowed_by_name_or_pattern_is_no_problem(project) -> None:
    project.write("environments/dev.yaml", "region: eu-central-1\nlimits: {instances: [ml.m5.large, ml.t2.*]}\n")
    assert project.problems() == []


def test_another_instance_is_a_problem_that_lists_what_is_allowed(project) -> None:
    project.write("environments/dev.yaml", "region: eu-central-1\nlimits: {instances: [ml.m5.xlarge, ml.c5.*]}\n")
    allowed = "limits.instances of the environment allows ml.m5.xlarge or ml.c5.*."
    found = project.problems()
    assert len(found) == 4, "process, train, evaluate and deploy"
    assert all(allowed in line for line in found)
    assert found[0].endswith(
        f"process.instance is 'ml.m5.large'; {allowed} The nearest that SageMaker has for processing is ml.m5.xlarge."
    )


def test_without_limits_everything_is_allowed() -> None:
    assert limit_problem("ml.p4d.24xlarge", "training", ()) is None


@pytest.mark.parametrize(("pattern", "known"), [("ml.t2.*", True), ("ml.*.large", True), ("ml.t99.*", False)])
def test_a_pattern_is_known_when_some_type_is_like_it(pattern: str, *, known: bool) -> None:
    assert known_pattern(pattern) is known


def test_an_endpoint_needs_two_subnets(project) -> None:
    project.write("environments/dev.yaml", "region: eu-central-1\n" + NETWORK % "subnet-01234567")
    (problem,) = project.problems()
    assert problem.endswith(
        "deploy.endpoint is realtime, but the environment's vpc has 1 subnet; an endpoint needs 2 or more, in "
        "different availability zones."
    )


def test_two_subnets_are_enough(project) -> None:
    project.write("environments/dev.yaml", "region: eu-central-1\n" + NETWORK % "subnet-01234567, subnet-12345678")
    assert project.problems() == []


def test_without_an_endpoint_one_subnet_is_enough(project) -> None:
    project.write("environments/dev.yaml", "region: eu-central-1\n" + NETWORK % "subnet-01234567")
    project.replace(
        "deploy: {endpoint: realtime, instance: ml.t2.medium, smoke_test: data/smoke.csv}", "deploy: {endpoint: none}"
    )
    assert project.problems() == []
