"""Several models behind one endpoint: fetched when they are asked for, kept, dropped."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import threading

import pytest
from botocore.exceptions import ClientError

BUCKET = "models"
NUMBERS = itertools.count(1)
SCRIPT = """
import os, pathlib

def model_fn(model_dir):
    return float(pathlib.Path(model_dir, "model.txt").read_text())

def predict_fn(data, model):
    return [float(row.sum()) * model for row in data]
"""
PID = SCRIPT.replace("return [float(row.sum()) * model for row in data]", "return os.getpid()")


class Several:
    """A prefix of models, a script for them, and an endpoint."""

    def __init__(self, hosting, archive):
        self.hosting, self.archive = hosting, archive
        self.prefix = f"several/{next(NUMBERS)}"

    def put(self, name, factor):
        body = self.archive({"model.txt": str(factor)})
        self.hosting.cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=body)

    def model(self, script=SCRIPT, *, environment=None, **more):
        code = self.hosting.upload(self.archive({"serve.py": script}))
        found = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
        container = {
            "Image": self.hosting.image,
            "Mode": "MultiModel",
            "ModelDataUrl": f"s3://{BUCKET}/{self.prefix}/",
            "Environment": found if environment is None else environment,
            **more.pop("container", {}),
        }
        name = f"several-{next(NUMBERS)}"
        self.hosting.client.create_model(
            ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.hosting.role, **more
        )
        return name

    def serve(self, script=SCRIPT, count=1, **more):
        return self.hosting.served(self.hosting.config(self.model(script, **more), count=count))

    def loaded(self, name):
        fleet = self.hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet
        return [member.server.loaded for member in fleet.members]


@pytest.fixture
def several(hosting, archive):
    return Several(hosting, archive)


def error_of(call, *args, **arguments):
    with pytest.raises(ClientError) as caught:
        call(*args, **arguments)
    return caught.value.response["Error"]


def test_a_model_is_loaded_when_it_is_first_asked_for_and_stays(several, hosting):
    several.put("a.tar.gz", 2)
    name = several.serve()
    several.put("later/b.tar.gz", 5)
    assert several.loaded(name) == [[]]
    assert hosting.ask(name, TargetModel="a.tar.gz") == [6.0]
    assert hosting.ask(name, TargetModel="later/b.tar.gz") == [15.0]
    assert hosting.ask(name, TargetModel="a.tar.gz") == [6.0]
    assert several.loaded(name) == [["later/b.tar.gz", "a.tar.gz"]]
    (hits,) = hosting.points(name, "ModelCacheHit")
    assert (hits["SampleCount"], hits["Sum"]) == (3, 1), "the average is the share of requests that found their model"
    for metric in ("ModelLoadingWaitTime", "ModelDownloadingTime", "ModelLoadingTime"):
        (found,) = hosting.points(name, metric)
        assert (found["SampleCount"], found["Maximum"] > 0) == (2, True), metric
    assert hosting.total(name, "Invocations") == 3
    (count,) = hosting.points(name, "LoadedModelCount", namespace="/aws/sagemaker/Endpoints")
    assert count["Maximum"] >= 1


def test_those_that_were_asked_longest_ago_make_room(several, hosting, monkeypatch):
    monkeypatch.setenv("MODELWRIGHT_MOST_LOADED_MODELS", "2")
    for number, name in enumerate("abc"):
        several.put(name, number + 1)
    endpoint = several.serve(PID)
    pids = {each: hosting.ask(endpoint, TargetModel=each) for each in "ab"}
    assert hosting.ask(endpoint, TargetModel="a") == pids["a"]
    hosting.ask(endpoint, TargetModel="c")
    assert several.loaded(endpoint) == [["a", "c"]]
    assert hosting.ask(endpoint, TargetModel="b") != pids["b"]
    assert several.loaded(endpoint) == [["c", "b"]]


def test_a_model_is_never_dropped_under_a_request(several, hosting, monkeypatch):
    monkeypatch.setenv("MODELWRIGHT_MOST_LOADED_MODELS", "1")
    for number, name in enumerate("abc"):
        several.put(name, number + 1)
    endpoint = several.serve()
    asked = list("abc") * 10
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda each: hosting.ask(endpoint, "1,0", TargetModel=each), asked))
    assert found == [[float("abc".index(each) + 1)] for each in asked]


def test_without_a_cache_a_model_goes_after_its_request(several, hosting):
    several.put("a", 1)
    name = several.serve(container={"MultiModelConfig": {"ModelCacheSetting": "Disabled"}})
    for _ in range(2):
        assert hosting.ask(name, TargetModel="a") == [3.0]
        assert several.loaded(name) == [[]]
    (hits,) = hosting.points(name, "ModelCacheHit")
    assert (hits["SampleCount"], hits["Sum"]) == (2, 0)


def test_a_model_that_two_ask_for_at_once_is_loaded_once(several, hosting, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    several.put("a", 1)
    slow = PID.replace("def model_fn(model_dir):", f"def model_fn(model_dir):\n    open({str(gate)!r}).read()")
    name, answers = several.serve(slow), []
    asking = [threading.Thread(target=lambda: answers.append(hosting.ask(name, TargetModel="a"))) for _ in range(2)]
    for each in asking:
        each.start()
    gate.write_text("go on")
    for each in asking:
        each.join(120)
    assert (len(answers), len(set(answers))) == (2, 1)
    assert hosting.points(name, "ModelLoadingTime")[0]["SampleCount"] == 1


def test_the_same_model_is_asked_of_the_same_instance(several, hosting):
    for name in "abcdef":
        several.put(name, 1)
    endpoint = several.serve(PID, count=2)
    asked = [[hosting.ask(endpoint, TargetModel=each) for each in "abcdef"] for _ in range(2)]
    assert asked[0] == asked[1]
    assert all(several.loaded(endpoint)), "both instances have some"


def test_a_model_that_is_not_there_is_said_in_awss_words(several, hosting):
    name = several.serve()
    error = error_of(hosting.ask, name, TargetModel="no.tar.gz")
    assert error["Code"] == "ValidationError"
    assert error["Message"].startswith(
        f"Failed to download model data(bucket: {BUCKET}, key: {several.prefix}/no.tar.gz). Please ensure that there "
        "is an object located at the URL and that the role passed to CreateModel has permissions to download the model."
    )
    several.put("no.tar.gz", 3)
    assert hosting.ask(name, TargetModel="no.tar.gz") == [9.0]


def test_a_request_without_a_target_is_refused_and_one_with_a_target_elsewhere(several, hosting):
    name = several.serve()
    error = error_of(hosting.ask, name)
    assert (error["Code"], "is missing a target model header" in error["Message"]) == ("ValidationError", True)


def test_a_model_that_does_not_load_is_a_model_error_and_the_others_serve(several, hosting):
    several.put("a", 1)
    several.put("bad", "not a number")
    name = several.serve()
    with pytest.raises(ClientError) as caught:
        hosting.ask(name, TargetModel="bad")
    found = caught.value.response
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 500)
    assert "could not convert string to float" in found["OriginalMessage"]
    assert hosting.ask(name, TargetModel="a") == [3.0]
    assert several.loaded(name) == [["a"]]
    assert hosting.total(name, "Invocation5XXErrors") == 1


def test_the_model_lies_where_awss_container_has_it(several, hosting):
    script = """
import os
def model_fn(d):
    return [d.startswith("/opt/ml/models/"), os.path.exists("/opt/ml/model"), os.environ["SAGEMAKER_MULTI_MODEL"]]
def predict_fn(data, model): return model
"""
    several.put("a", 1)
    assert hosting.ask(several.serve(script), TargetModel="a") == [True, False, "true"]


@pytest.mark.parametrize(
    ("environment", "more", "reason"),
    [
        (
            {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
            {},
            "must be an s3:// URL of a tar.gz; found /opt/ml/model",
        ),
        ({}, {}, "must be an s3:// URL of a tar.gz; found nothing"),
        (None, {"EnableNetworkIsolation": True}, "is isolated from the network and cannot download its script"),
    ],
)
def test_a_container_that_could_not_get_its_script_fails_the_endpoint(several, hosting, environment, more, reason):
    found = hosting.settled(hosting.endpoint(hosting.config(several.model(environment=environment, **more))))
    assert (found["EndpointStatus"], reason in found["FailureReason"]) == ("Failed", True), found["FailureReason"]


def test_our_own_image_does_not_take_several_models(several, hosting):
    image = hosting.own_image()
    role = "arn:aws:iam::123456789012:role/any-image"
    statement = {"Effect": "Allow", "Action": ["ecr:*", "s3:*", "logs:*"], "Resource": "*"}
    hosting.cloud.iam.put_role(role, TRUST, {"all": {"Version": "2012-10-17", "Statement": [statement]}})
    several.hosting = type(hosting)(hosting.cloud, role)
    config = several.hosting.config(several.model(container={"Image": image}))
    found = hosting.settled(hosting.endpoint(config))
    assert "does not take several models" in found["FailureReason"]


def test_the_role_may_read_the_models_and_look_for_them(role_without, archive):
    for sid, served in (("List", False), ("Read", True)):
        several = Several(role_without(sid), archive)
        if not served:
            error = error_of(several.model)
            assert '"s3:ListBucket" permission' in error["Message"]
            continue
        found = several.hosting.settled(several.hosting.endpoint(several.hosting.config(several.model())))
        assert "Could not access model data" in found["FailureReason"], "the script is read as the role, too"


def test_a_model_whose_server_is_given_up_is_loaded_anew(several, hosting, tmp_path):
    licence = tmp_path / "licence"
    licence.touch()
    script = f"""
import os
def model_fn(d): return open({str(licence)!r})
def predict_fn(data, model): return os._exit(1) if float(data.max()) > 1000 else "yes"
"""
    several.put("a", 1)
    name = several.serve(script)
    assert hosting.ask(name, TargetModel="a") == "yes"
    licence.unlink()
    for body in ("2000,1", "1,2"):  # it ends, and cannot be started again
        with pytest.raises(ClientError):
            hosting.ask(name, body, TargetModel="a")
    licence.touch()
    assert hosting.ask(name, TargetModel="a") == "yes"


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
