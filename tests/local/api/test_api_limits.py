"""How often an API may be asked, and what stays when the local cloud starts anew or the template changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from api_stage import FUNCTION, Apis
from api_template import STAGE, api_resources, ask

from modelwright.clock import SystemClock
from modelwright.local.cloud import Cloud
from modelwright.local.template.intrinsics import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SetClock(SystemClock):
    """The machine's, further by as much as a test says; standing still otherwise."""

    def __init__(self) -> None:
        self.at = SystemClock().time()

    def time(self) -> float:
        return self.at


@pytest.fixture(scope="module")
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("limits")


@pytest.fixture(scope="module")
def limited(folder: Path, clock: SetClock) -> Iterator[list[Apis]]:
    """The cloud of the moment; a test may start it anew."""
    made: list[Apis] = []
    start(made, folder, clock)
    yield made
    made[0].cloud.stop()


def start(made: list[Apis], folder: Path, clock: SetClock) -> None:
    for before in made:
        before.cloud.stop()
    cloud = Cloud(folder / "cloud", "eu-central-1", warm=False, clock=clock)
    cloud.start()
    made[:] = [Apis(cloud, folder / f"{clock.at}")]
    made[0].deploy(rate=2, burst=3)


def asked(apis: Apis, path: str = "/unchecked", **headers: str) -> Any:
    return ask(apis.cloud, apis.id("Api"), path, "POST", {}, headers)


def test_a_burst_is_let_through_and_then_the_rate(limited: list[Apis], clock: SetClock) -> None:
    (apis,) = limited
    clock.at += 100
    assert [asked(apis).status for _ in range(5)] == [200, 200, 200, 429, 429]
    assert asked(apis).document == {"message": "Too Many Requests"}
    clock.at += 1  # two a second
    assert [asked(apis).status for _ in range(3)] == [200, 200, 429]


def test_a_quota_is_of_a_day_and_survives_a_start(limited: list[Apis], clock: SetClock, folder: Path) -> None:
    clock.at += 100
    key = limited[0].key("SpentKey")
    sent = {"x-api-key": key}
    assert [asked(limited[0], "/keyed", **sent).status for _ in range(2)] == [200, 200]
    clock.at += 100
    start(limited, folder, clock)
    assert limited[0].key("SpentKey") == key, "callers go on with the key that they have"
    got = asked(limited[0], "/keyed", **sent)
    assert (got.status, got.document) == (429, {"message": "Limit Exceeded"})
    clock.at += 86_400
    assert asked(limited[0], "/keyed", **sent).status == 200


def test_limits_of_a_stage_can_change(limited: list[Apis], clock: SetClock) -> None:
    (apis,) = limited
    clock.at += 100
    apis.deploy(rate=1, burst=1)
    assert [asked(apis).status for _ in range(2)] == [200, 429]
    apis.deploy(rate=2, burst=3)


def test_a_stage_serves_its_deployment_until_it_gets_another(limited: list[Apis], clock: SetClock) -> None:
    (apis,) = limited
    clock.at += 100
    fewer = {name: value for name, value in api_resources(FUNCTION).items() if name != "UncheckedMethod"}
    old = fewer["Deployment"]["DependsOn"]
    fewer["Deployment"] = fewer["Deployment"] | {"DependsOn": [name for name in old if name != "UncheckedMethod"]}
    apis.write(fewer)
    assert asked(apis).status == 200, "the deployment is the one before"
    other = {name if name != "Deployment" else "Deployment2": value for name, value in fewer.items()}
    other["Stage"]["Properties"]["DeploymentId"] = {"Ref": "Deployment2"}
    apis.write(other)
    assert asked(apis).document == {"message": "Missing Authentication Token"}
    assert len(apis.cloud.services["apigateway"].api(apis.id("Api")).deployments) == 1  # type: ignore[attr-defined]
    apis.deploy(rate=2, burst=3)


def test_a_stack_that_goes_takes_its_api_and_its_keys_along(limited: list[Apis], clock: SetClock) -> None:
    (apis,) = limited
    api, key = apis.id("Api"), apis.key("GoodKey")
    apis.write({name: value for name, value in api_resources(FUNCTION).items() if name == "ApiFunction"})
    assert ask(apis.cloud, api, "/signed").status == 403
    assert apis.client("apigateway").get_api_keys()["items"] == []
    apis.deploy(rate=2, burst=3)
    assert apis.key("GoodKey") != key, "a key that is made again is another one"


@pytest.mark.parametrize(
    ("name", "properties", "said"),
    [
        ("SignedMethod", {"AuthorizationType": "CUSTOM"}, "knows the authorization types NONE and AWS_IAM"),
        ("SignedMethod", {"Integration": {"Type": "MOCK"}}, "Lambda proxy integrations only"),
        ("Envelope", {"Schema": {"type": "object", "oneOf": []}}, "its schema has oneOf"),
        ("Stage", {"MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", "LoggingLevel": "INFO"}]}, "execution"),
        ("Stage", {"CacheClusterEnabled": True}, "has CacheClusterEnabled"),
        ("SmallPlan", {"Quota": {"Limit": 1, "Period": "MONTH"}}, "counts by the day, not by MONTH"),
        ("Keyed", {"PathPart": "{id}"}, "has a parameter"),
    ],
)
def test_what_is_not_supported_is_an_error_that_names_it(
    limited: list[Apis], name: str, properties: dict[str, Any], said: str
) -> None:
    (apis,) = limited
    resources = api_resources(FUNCTION, rate=2, burst=3)
    resources[name] = resources[name] | {"Properties": resources[name]["Properties"] | properties}
    with pytest.raises(TemplateError, match=said):
        apis.write(resources)
    apis.deploy(rate=2, burst=3)


def test_the_stage_is_described_as_aws_does(limited: list[Apis]) -> None:
    (apis,) = limited
    stage = apis.client("apigateway").get_stage(restApiId=apis.id("Api"), stageName=STAGE)
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 3
