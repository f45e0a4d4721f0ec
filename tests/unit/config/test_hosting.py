"""`deploy`: each way to host, and each combination that AWS refuses."""

from __future__ import annotations

import pytest

from modelwright.client.releases.manifest import Origin, make_manifest
from modelwright.config.hosting import Api, Asynchronous, Autoscaling, Capture, Serverless, Shadow, Update, Variant
from modelwright.config.release import ReleasedCode, ReleasedData, ReleaseManifest

DEPLOY = "{endpoint: realtime, instance: ml.t2.medium, smoke_test: data/smoke.csv}"
REALTIME = "endpoint: realtime, instance: ml.m5.large, instance_count: 2, smoke_test: data/smoke.csv"
ASYNC = "endpoint: async, instance: ml.m5.large, smoke_test: data/smoke.csv"
SERVERLESS = "endpoint: serverless, smoke_test: data/smoke.csv"
MULTI_MODEL = "endpoint: multi-model, instance: ml.m5.large, smoke_test: data/smoke.csv"


def loaded(project, deploy: str):
    project.replace(DEPLOY, f"{{{deploy}}}")
    assert project.problems() == []
    return project.load().pipeline("things")


def test_a_realtime_endpoint_has_one_variant_and_a_bake_time(project) -> None:
    deploy = loaded(project, REALTIME).deploy
    assert deploy.variants == (Variant("AllTraffic", 1.0, "ml.m5.large", 2),)
    assert (deploy.serve, deploy.update) == ("auto", Update("all-at-once", None, 300))
    assert (deploy.capture, deploy.shadow, deploy.api, deploy.autoscaling, deploy.ttl_hours) == (None,) * 5


def test_the_defaults_of_each_update_are_possible(project) -> None:
    assert loaded(project, f"{REALTIME}, update: {{traffic: linear}}").deploy.update == Update("linear", 25, 240)


def test_everything_that_a_realtime_endpoint_can_have(project) -> None:
    project.write("training_code/things/hook.py", "def preprocess(rows):\n    return rows\n")
    more = (
        "serve: onnx, ttl_hours: 12, capture: {percent: 50}, update: {traffic: linear, percent: 25, wait_seconds: 60}, "
        "autoscaling: {min: 2, max: 4, requests_per_instance: 600}, shadow: {percent: 10, minutes: 5}, "
        "api: {authorization: api-key, requests_per_day: 100, hook: hook.py}"
    )
    deploy = loaded(project, f"{REALTIME}, {more}").deploy
    assert (deploy.serve, deploy.ttl_hours, deploy.capture) == ("onnx", 12, Capture(50))
    assert deploy.update == Update("linear", 25, 60)
    assert deploy.autoscaling == Autoscaling(2, 4, 600, None, 300, 60)
    assert deploy.shadow == Shadow(10, 5)
    assert deploy.api == Api("api-key", 10, 20, 100, "hook.py")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def prepare(rows): ...\n", "deploy.api.hook is 'hook.py', which has no function preprocess(rows)."),
        ("def preprocess(rows\n", "deploy.api.hook is 'hook.py', which is not Python: '(' was never closed"),
        ("#" * 1_048_577, "deploy.api.hook is 'hook.py' with 1048577 bytes; it must have at most 1048576."),
    ],
)
def test_a_hook_that_could_not_work_is_said_before_anything_starts(project, source: str, problem: str) -> None:
    project.write("training_code/things/hook.py", source)
    project.replace(DEPLOY, f"{{{REALTIME}, api: {{hook: hook.py}}}}")
    assert [line for line in project.problems() if problem in line]


@pytest.mark.parametrize(
    "source",
    [
        "def preprocess(rows): ...\n",
        "preprocess = list\n",
        "from json import loads as preprocess\n",
        "if True:\n    def preprocess(rows): ...\n",
    ],
)
def test_a_hook_may_define_its_function_as_it_likes(project, source: str) -> None:
    project.write("training_code/things/hook.py", source)
    assert loaded(project, f"{REALTIME}, api: {{hook: hook.py}}").deploy.api.hook == "hook.py"


def test_variants_take_what_they_do_not_say_from_above(project) -> None:
    variants = "variants: [{name: AllTraffic, weight: 9}, {name: Bigger, instance: ml.c5.xlarge, instance_count: 1}]"
    deploy = loaded(project, f"{REALTIME}, {variants}").deploy
    assert deploy.variants == (
        Variant("AllTraffic", 9.0, "ml.m5.large", 2),
        Variant("Bigger", 1.0, "ml.c5.xlarge", 1),
    )


@pytest.mark.parametrize(
    ("deploy", "problem"),
    [
        ("instance_count: two, update: {traffic: canary}", "instance_count is 'two'"),
        ("instance_count: 0, autoscaling: {min: 2, max: 4, requests_per_instance: 6}", "instance_count is 0"),
        ("variants: [{name: A, instance_count: no}], update: {traffic: canary}", "variants[0].instance_count is 'no'"),
        ("instance_count: 2, autoscaling: {min: x, max: 1, requests_per_instance: 6}", "autoscaling.min is 'x'"),
        ("instance_count: 2, autoscaling: {min: 2, max: x, requests_per_instance: 6}", "autoscaling.max is 'x'"),
        (
            "instance_count: 2, update: {traffic: canary}, autoscaling: {min: x, max: 4, requests_per_instance: 6}",
            "autoscaling.min is 'x'",
        ),
        (
            "instance_count: 2, autoscaling: {min: 2, max: 4, requests_per_instance: 0}",
            "requests_per_instance is 0; it must be 1 or more.",
        ),
    ],
)
def test_a_value_that_cannot_be_read_is_all_that_is_said(project, deploy: str, problem: str) -> None:
    endpoint = "endpoint: realtime, instance: ml.m5.large, smoke_test: data/smoke.csv"
    project.replace(DEPLOY, f"{{{endpoint}, {deploy}}}")
    (only,) = project.problems()
    assert problem in only


def test_the_other_kinds(project) -> None:
    deploy = loaded(project, SERVERLESS).deploy
    assert (deploy.instance, deploy.variants, deploy.serverless) == (None, (), Serverless(2, 10))


def test_an_asynchronous_endpoint_may_have_no_instance(project) -> None:
    deploy = loaded(project, f"{ASYNC}, autoscaling: {{max: 2, backlog_per_instance: 5}}").deploy
    assert deploy.asynchronous == Asynchronous(4)
    assert deploy.autoscaling == Autoscaling(0, 2, None, 5, 300, 60)


@pytest.mark.parametrize(
    ("serve", "compiled", "script_image", "own_image"),
    [
        ("auto", True, False, True),
        ("onnx", True, False, True),
        ("python", False, True, True),
        ("framework", False, False, False),
    ],
)
def test_what_serves_decides_which_images_are_made(
    project, serve: str, compiled: bool, script_image: bool, own_image: bool
) -> None:
    structure = loaded(project, f"{REALTIME}, serve: {serve}").structure()
    assert (structure.compiled, structure.script_image, structure.own_image) == (compiled, script_image, own_image)


@pytest.mark.parametrize("serve", ["onnx", "python"])
def test_what_needs_an_image_of_ours_is_refused_where_there_is_none(project, serve: str) -> None:
    project.replace('"1.9-0"', '"1.0-1"')
    assert project.problems() == []
    project.replace(DEPLOY, f"{{{REALTIME}, serve: {serve}}}")
    (found,) = project.problems()
    reason = f"deploy.serve is {serve}, which needs an image of our own, and the model is one of sklearn 1.0-1: "
    have = (
        "there is one for sklearn 1.2-1, 1.4-2-py312 or 1.9-0; write framework, or auto, which takes AWS's image then."
    )
    assert found.endswith(reason + have)


def test_several_models_are_served_by_the_scripts(project) -> None:
    things = loaded(project, MULTI_MODEL)
    assert (things.deploy.serve, things.structure().own_image) == ("framework", False)


@pytest.mark.parametrize(
    ("deploy", "problem"),
    [
        (
            f"{SERVERLESS}, instance: ml.m5.large",
            "deploy.instance cannot go with endpoint: serverless: a serverless end",
        ),
        (
            f"{SERVERLESS}, capture: {{}}",
            "deploy.capture cannot go with endpoint: serverless: serverless endpoints do no",
        ),
        (
            f"{SERVERLESS}, variants: []",
            "deploy.variants cannot go with endpoint: serverless: a serverless endpoint has",
        ),
        (
            f"{SERVERLESS}, shadow: {{}}",
            "deploy.shadow cannot go with endpoint: serverless: serverless endpoints have n",
        ),
        (f"{SERVERLESS}, update: {{}}", "only real-time and asynchronous endpoints have deployment guardrails"),
        (f"{SERVERLESS}, autoscaling: {{}}", "a serverless endpoint scales by itself, down to nothing"),
        (f"{SERVERLESS}, network_isolation: true", "is true, but serverless endpoints cannot be isolated"),
        (f"{MULTI_MODEL}, network_isolation: true", "a container with several models fetches their script from S3"),
        (f"{SERVERLESS}, serverless: {{memory_gib: 7}}", "deploy.serverless.memory_gib is 7; it must be 1 to 6."),
        (f"{SERVERLESS}, serverless: {{memory_gib: 1.5}}", "memory_gib is 1.5; it must be a whole number, 1 to 6."),
        (f"{SERVERLESS}, serverless: {{max_concurrency: 201}}", "max_concurrency is 201; it must be 1 to 200."),
        (
            f"{REALTIME}, serverless: {{}}",
            "deploy.serverless cannot go with endpoint: realtime: it is about another kind",
        ),
        (
            f"{ASYNC}, shadow: {{}}",
            "deploy.shadow cannot go with endpoint: async: asynchronous endpoints have no shadow",
        ),
        (f"{ASYNC}, api: {{}}", "deploy.api cannot go with endpoint: async: an asynchronous endpoint answers into S3"),
        (f"{ASYNC}, capture: {{}}", "deploy.capture cannot go with endpoint: async: only real-time endpoints capture"),
        (f"{MULTI_MODEL}, shadow: {{}}", "endpoints with several models have no shadow variants"),
        (f"{MULTI_MODEL}, serve: onnx", "deploy.serve is onnx; several models behind one endpoint are served by their"),
        (f"{MULTI_MODEL}, serve: python", "script in AWS's image: write framework."),
        (f"{REALTIME}, update: {{traffic: canary, percent: 51}}", "deploy.update.percent is 51; it must be 1 to 50."),
        (f"{REALTIME}, update: {{traffic: linear, percent: 9}}", "deploy.update.percent is 9; it must be 10 to 50."),
        (f"{ASYNC}, update: {{traffic: canary}}", "is canary, but AllTraffic has 1 instance, which cannot be moved in"),
        (f"{REALTIME}, update: {{percent: 5}}", "deploy.update.percent has no meaning with traffic: all-at-once"),
        (
            f"{REALTIME}, update: {{traffic: linear, percent: 10, wait_seconds: 180}}",
            "is 180, 10 times; all waits together must be less than 1200 s, what half of the envir",
        ),
        (
            f"{REALTIME.replace('m5.large', 't2.medium')}, autoscaling: {{max: 2, requests_per_instance: 9}}",
            "deploy.autoscaling cannot go with ml.t2.medium: AWS does not scale burstable t2 instances",
        ),
        (f"{REALTIME}, autoscaling: {{min: 0, max: 4, requests_per_instance: 9}}", "only asynchronous and serverless"),
        (
            f"{REALTIME}, autoscaling: {{min: 3, max: 2, requests_per_instance: 9}}",
            "max is 2, less than min, which is 3",
        ),
        (f"{REALTIME}, autoscaling: {{min: 3, max: 4, requests_per_instance: 9}}", "but AllTraffic begins with 2"),
        (f"{REALTIME}, autoscaling: {{max: 4, backlog_per_instance: 9}}", "write requests_per_instance"),
        (
            f"{REALTIME}, autoscaling: {{max: 4}}",
            "deploy.autoscaling.requests_per_instance is missing; it must be a whole",
        ),
        (
            f"{REALTIME}, shadow: {{minutes: 31}}",
            "is 31; a run may keep the endpoint for lease_seconds, which leaves at m",
        ),
        (
            f"{REALTIME}, variants: [{{name: A}}, {{name: B}}], shadow: {{}}",
            "deploy.shadow needs an endpoint with one var",
        ),
        (
            f"{REALTIME}, variants: [{{name: A}}, {{name: A}}]",
            "deploy.variants has A more than once; names must differ.",
        ),
        (f"{REALTIME}, variants: [{{name: A, weight: 0}}]", "has weights of 0 only; one of them must be more."),
        (
            f"{REALTIME}, variants: [{{name: A, weigth: 0}}]",
            "deploy.variants[0].weigth is not a known key; did you mean weig",
        ),
        (f"{REALTIME}, variants: [A]", "deploy.variants[0] is 'A'; it must be a mapping with a name."),
        (
            f"{REALTIME}, api: {{requests_per_day: 5}}",
            "is a quota of API keys: write authorization: api-key, or remove",
        ),
        (f"{REALTIME}, api: {{hook: hook.py}}", "deploy.api.hook is 'hook.py', which does not exist"),
        (f"{REALTIME}, api: {{authorization: none}}", "is 'none'; it must be iam or api-key."),
        (f"{REALTIME}, serve: fast", "deploy.serve is 'fast'; it must be auto, onnx, python or framework."),
        (f"{REALTIME}, data_capture: {{}}", "deploy.data_capture is not supported yet; write capture: {percent: 100}."),
        (f"{REALTIME}, ttl_hours: 0", "deploy.ttl_hours is 0; it must be 1 to 8760."),
        ("endpoint: asynchronous", "deploy.endpoint is 'asynchronous'; it is written async."),
        ("endpoint: none, ttl_hours: 5", "deploy.ttl_hours has no meaning with endpoint: none"),
    ],
)
def test_what_aws_does_not_combine_is_refused_with_the_reason(project, deploy: str, problem: str) -> None:
    project.replace(DEPLOY, f"{{{deploy}}}")
    problems = project.problems()
    assert [line for line in problems if problem in line], problems


def test_serverless_and_a_vpc(project) -> None:
    project.write(
        "environments/dev.yaml",
        "region: eu-central-1\nvpc: {subnets: [subnet-01234567, subnet-12345678], security_groups: [sg-01234567]}\n",
    )
    project.replace(DEPLOY, f"{{{SERVERLESS}}}")
    assert "which serverless endpoints cannot join" in "".join(project.problems())


def test_isolation_and_requirements(project) -> None:
    project.write("training_code/things/requirements.txt", "polars\n")
    project.replace(DEPLOY, f"{{{REALTIME}, network_isolation: true}}")
    assert "the container would have to install requirements.txt" in "".join(project.problems())


def test_batch_has_machines_of_its_own(project) -> None:
    project.replace("triggers:", "batch: {instance: ml.m5.large}\ntriggers:")
    batch = project.load().pipeline("things").batch
    assert batch is not None
    assert (batch.instance, batch.instance_count, batch.max_runtime_seconds) == ("ml.m5.large", 1, 3600)
    project.replace("batch: {instance: ml.m5.large}", "batch: {instance: ml.t2.medium}")
    assert "SageMaker has no t2 for transform" in "".join(project.problems())


@pytest.mark.parametrize(
    "deploy",
    [
        f"{REALTIME}, capture: {{percent: 50}}, autoscaling: {{max: 4, requests_per_instance: 600}}, api: {{}}",
        SERVERLESS,
        f"{ASYNC}, autoscaling: {{max: 2, backlog_per_instance: 5}}",
        MULTI_MODEL,
        "endpoint: none",
    ],
)
def test_a_release_of_every_kind_is_read_back(project, deploy: str) -> None:
    origin = Origin(None, False, ReleasedCode("s3://b/c", "s3://b/f/", "0" * 64, False), ReleasedData("s3://b/d", None))
    manifest = make_manifest(loaded(project, deploy), origin, "eu-central-1")
    assert ReleaseManifest.from_json(manifest.to_json()) == manifest
    assert "asynchronous" not in manifest.to_dict()["deploy"]
