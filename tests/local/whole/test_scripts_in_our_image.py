"""A script that has to be served by our own image, one by AWS's, and one whose image cannot be had."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from modelwright.client.deployment import find_deployment
from modelwright.local.daemon.attach import attach

NAMES = '    names = learnt["classes"]\n'
DEPLOY = "deploy: {endpoint: realtime, instance: ml.t2.medium, smoke_test: data/smoke.csv"
ROW = b"Adelie,Dream,39.5,16.7,178,3250\n"
ROUNDS = 200
"""of requests at once; two that meet are seen in the first or the second"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """The folder of files that the scripts write the rows of each call to `predict_fn` into."""
    return tmp_path_factory.mktemp("calls")


@pytest.fixture(scope="module")
def scripted(whole, calls):
    """The project with two pipelines that differ in `serve` alone, its local cloud kept up."""
    for name, serve in (("ours", "python"), ("theirs", "framework")):
        folder = whole.root / "training_code" / name
        shutil.copytree(whole.folder, folder)
        edit(folder / "pipeline.yaml", DEPLOY, f"{DEPLOY}, serve: {serve}")
        text = folder / "inference.py"
        edit(
            text,
            NAMES,
            f"    with open({str(calls / name)!r}, 'a') as told:\n        print(len(rows), file=told)\n{NAMES}",
        )
    whole.git("add", "-A")
    whole.git("commit", "-qm", "two scripts")
    whole.cli("up")
    return whole


@pytest.fixture(scope="module")
def session(scripted):
    with attach(scripted.root) as local:
        yield scripted.session(local)


def edit(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def run(scripted, name, code=0):
    with scripted.start("run", name, "--json") as process:
        out, err = process.communicate(timeout=180)
    assert process.returncode == code, f"{name} exited {process.returncode}\n{out}\n{err}"
    return json.loads(out)


def container(session, name):
    sagemaker = session.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=f"mw-dev-{name}")["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]


def ask_at_once(session, name, times=8):
    client = session.client("sagemaker-runtime")

    def ask(_):
        answer = client.invoke_endpoint(EndpointName=f"mw-dev-{name}", Body=ROW, ContentType="text/csv")
        return len(json.loads(answer["Body"].read())["predictions"])

    with ThreadPoolExecutor(times) as pool:
        assert list(pool.map(ask, range(times))) == [1] * times


def test_our_image_serves_the_script_and_gathers(scripted, session, calls):
    done = run(scripted, "ours")
    assert (done["status"], done["model"]["serve"], done["model"]["reason"]) == ("Deployed", "python", "")
    shown = scripted.cli("show", done["run"])
    assert "BuildServingImage" in shown
    assert "ConvertModel" not in shown
    found = container(session, "ours")
    assert "/mw-dev-serving:python-" in found["Image"]
    assert found["Image"].endswith("-sklearn-1.9-0")
    assert found["Environment"]["MODELWRIGHT_SERVE"] == "python"
    assert len(found["Environment"]["MODELWRIGHT_FILES_SHA256"]) == 64
    (calls / "ours").write_text("")
    for _ in range(ROUNDS):
        ask_at_once(session, "ours")
        if max(map(int, (calls / "ours").read_text().split())) > 1:
            return
    pytest.fail("no two requests were predicted together")


def test_aws_s_image_serves_the_same_script_one_request_at_a_time(scripted, session, calls):
    done = run(scripted, "theirs")
    assert (done["status"], done["model"]["serve"], done["model"]["reason"]) == ("Deployed", "framework", "")
    assert "FindServingImage" not in scripted.cli("show", done["run"])
    assert "/sagemaker-scikit-learn:" in container(session, "theirs")["Image"]
    (calls / "theirs").write_text("")
    for _ in range(5):
        ask_at_once(session, "theirs")
    assert (calls / "theirs").read_text().split() == ["1"] * 40
    deployment = find_deployment(session, "dev", "theirs")
    packages = session.client("sagemaker").list_model_packages(ModelPackageGroupName=deployment.model_package_group)
    (package,) = packages["ModelPackageSummaryList"]
    about = session.client("sagemaker").describe_model_package(ModelPackageName=package["ModelPackageArn"])
    assert about["CustomerMetadataProperties"]["serve"] == "framework"


def test_the_image_is_built_once_and_a_merge_finds_it(scripted):
    edit(scripted.root / "training_code" / "ours" / "inference.py", "BATCH = True", "BATCH = False")
    done = run(scripted, "ours")
    assert done["status"] == "Deployed"
    shown = scripted.cli("show", done["run"])
    assert "FindServingImage" in shown
    assert "BuildServingImage" not in shown
