"""Other ways to host, each a pipeline of the same project: from `run` to `predict`, updated, and taken away again."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from modelwright.client.deployment import find_deployment
from modelwright.client.session import Session
from modelwright.local.daemon.attach import attach

SMOKE = "smoke_test: data/smoke.csv, serve: python"
FRAMEWORK = SMOKE.replace("python", "framework")
DEPLOY = {
    "several": f"{{endpoint: multi-model, instance: ml.m5.large, keep: 1, {FRAMEWORK}}}",
    "small": f"{{endpoint: serverless, serverless: {{memory_gib: 2, max_concurrency: 4}}, ttl_hours: 1, {SMOKE}}}",
    "safe": (
        f"{{endpoint: realtime, instance: ml.m5.large, instance_count: 2, {SMOKE}, capture: {{percent: 100}}, "
        "shadow: {percent: 100, minutes: 2}, update: {traffic: canary, percent: 50, wait_seconds: 60}, ttl_hours: 12, "
        "autoscaling: {min: 2, max: 3, requests_per_instance: 1000000}}"
    ),
}
SAVES = '    joblib.dump(learnt, options.model_dir / "model.joblib")\n'
SAVES_TWO = (
    '    for name in ("one", "two"):\n'
    "        (options.model_dir / name).mkdir(exist_ok=True)\n"
    '        joblib.dump(learnt, options.model_dir / name / "model.joblib")\n'
)
NAMES = '    names = learnt["classes"]\n'
BREAKS = f"    if '9.0' in str(learnt):\n        raise RuntimeError('broken')\n{NAMES}"


@pytest.fixture(scope="module")
def hosted(whole):
    """The project with a pipeline for each way to host, its local cloud kept up."""
    for name, deploy in DEPLOY.items():
        folder = whole.root / "training_code" / name
        shutil.copytree(whole.folder, folder)
        lines = (folder / "pipeline.yaml").read_text().splitlines(keepends=True)
        kept = [f"deploy: {deploy}\n" if line.startswith("deploy:") else line for line in lines]
        (folder / "pipeline.yaml").write_text(
            "".join(line for line in kept if not line.startswith(("batch:", "triggers:")))
        )
    edit(whole, "several", "train.py", SAVES, SAVES_TWO)
    edit(whole, "several", "evaluate.py", '"model.joblib"', '"one/model.joblib"')
    shutil.rmtree(whole.folder)
    whole.git("add", "-A")
    whole.git("commit", "-qm", "ways to host")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELWRIGHT_MINUTE_SECONDS", "1")
        whole.cli("up")
    return whole


@pytest.fixture(scope="module")
def place(hosted):
    with attach(hosted.root) as local:
        yield hosted.session(local)


def edit(whole, pipeline, name, before, after):
    path = whole.root / "training_code" / pipeline / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def run(hosted, pipeline, *arguments, code=0):
    with hosted.start("run", pipeline, "--json", *arguments) as process:
        out, err = process.communicate(timeout=180)
    assert process.returncode == code, f"{pipeline} exited {process.returncode}\n{out}\n{err}"
    return json.loads(out)


def predict(hosted, pipeline, *arguments):
    rows = hosted.root / "training_code" / pipeline / "data" / "smoke.csv"
    return json.loads(hosted.cli("predict", pipeline, "--file", str(rows), *arguments))


def endpoint(place: Session, pipeline: str) -> dict:
    return place.client("sagemaker").describe_endpoint(EndpointName=f"mw-dev-{pipeline}")


def archives(place, pipeline):
    bucket = find_deployment(place, "dev", pipeline).artifact_bucket
    found = place.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"models/{pipeline}/multi/")
    return sorted(item["Key"].split("/")[-2:] for item in found.get("Contents", []))


def test_several_models_answer_behind_one_endpoint_and_old_archives_go(hosted, place):
    runs = [run(hosted, "several", "-p", f"C={c}") for c in (1.0, 0.5, 0.25)]
    assert [each["status"] for each in runs] == ["Deployed"] * 3
    assert predict(hosted, "several", "--model", "one") == predict(hosted, "several", "--model", "two")
    kept = {each["run"] for each in runs[1:]}  # what serves, and one more
    assert archives(place, "several") == sorted([run, f"{name}.tar.gz"] for run in kept for name in ("one", "two"))


def test_a_model_beside_the_folders_is_refused_with_what_to_do(hosted):
    edit(hosted, "several", "train.py", SAVES_TWO, SAVES)
    edit(hosted, "several", "evaluate.py", '"one/model.joblib"', '"model.joblib"')
    ended = run(hosted, "several", code=1)
    assert ended["error"] == "ArchiveInvalid"
    assert "each model into a folder of its own" in ended["cause"]


def test_a_serverless_endpoint_is_made_updated_and_expires(hosted, place):
    assert run(hosted, "small")["status"] == "Deployed"
    second = run(hosted, "small", "-p", "C=0.5")
    assert second["status"] == "Deployed"
    assert predict(hosted, "small")["predictions"]
    assert endpoint(place, "small")["ProductionVariants"][0]["CurrentServerlessConfig"]["MemorySizeInMB"] == 2048

    assert expired(place, "small").startswith("it ends at ")
    assert "The endpoint of small ends at " in hosted.cli("status")
    set_deployed_at(place, "small", second["run"], datetime.now(UTC) - timedelta(hours=2))
    assert expired(place, "small") == "deleted"
    assert expired(place, "small") == "absent"
    assert "expired" in hosted.cli("inbox")
    assert run(hosted, "small", "-p", "C=0.4")["status"] == "Deployed"


def expired(place, pipeline):
    """What the schedule's function says now."""
    deployment = find_deployment(place, "dev", pipeline)
    resources = place.client("cloudformation").describe_stack_resources(StackName=deployment.stack)["StackResources"]
    (name,) = [
        item["PhysicalResourceId"]
        for item in resources
        if item["ResourceType"] == "AWS::Lambda::Function" and item["LogicalResourceId"].startswith("ExpireEndpoint")
    ]
    answer = place.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    found = json.loads(answer["Payload"].read())
    assert "outcome" in found, found
    return found["outcome"]


def set_deployed_at(place, pipeline, run, when):
    table = find_deployment(place, "dev", pipeline).table
    place.client("dynamodb").update_item(
        TableName=table,
        Key={"pk": {"S": f"PIPELINE#{pipeline}"}, "sk": {"S": f"RUN#{run}"}},
        UpdateExpression="SET ended_at = :when",
        ExpressionAttributeValues={":when": {"S": when.isoformat(timespec="milliseconds").replace("+00:00", "Z")}},
    )


def test_a_safe_deployment_goes_through_shadow_canary_and_scaling(hosted, place):
    assert run(hosted, "safe")["status"] == "Deployed"
    targets = place.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    limits = {item["ResourceId"]: (item["MinCapacity"], item["MaxCapacity"]) for item in targets["ScalableTargets"]}
    assert limits == {"endpoint/mw-dev-safe/variant/AllTraffic": (2, 3)}

    ended = run(hosted, "safe", "-p", "C=0.5", "--traffic", "20rps")
    assert ended["status"] == "Deployed"
    assert (ended["traffic"]["lost"], ended["traffic"]["errors"]) == (0, {})
    shadows = [each for each in ended["traffic"]["configurations"] if each["config"].endswith("-90")]
    assert len(shadows) == 1
    configs = place.client("sagemaker").list_endpoint_configs(NameContains="dev-safe-")["EndpointConfigs"]
    assert not [each for each in configs if each["EndpointConfigName"].endswith("-90")]  # cleaned up again


def test_a_model_that_is_bad_in_the_shadow_answers_nobody(hosted, place):
    before = endpoint(place, "safe")["EndpointConfigName"]
    edit(hosted, "safe", "inference.py", NAMES, BREAKS)
    ended = run(hosted, "safe", "-p", "C=9.0", "--traffic", "30rps", code=1)

    assert (ended["status"], ended["error"]) == ("RolledBack", "RolledBack")
    assert "in the shadow were errors" in ended["cause"]
    assert (ended["traffic"]["lost"], ended["traffic"]["errors"]) == (0, {})  # nobody saw an error
    assert endpoint(place, "safe")["EndpointConfigName"] == before
    assert "ShadowProductionVariants" not in endpoint(place, "safe")


def test_destroy_takes_scaling_away_too(hosted, place):
    out = hosted.cli("destroy", "safe", "--yes")
    assert "endpoint mw-dev-safe: removed" in out
    targets = place.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert targets["ScalableTargets"] == []
