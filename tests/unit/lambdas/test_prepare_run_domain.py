from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflow_answers import BUCKET, EVENT, KEY_ARN, WATCHED, manifest

from prepare_run import domain, plan
from prepare_run.domain import RunRequest
from shared.errors import DeployNeeded, InvalidInput, InvalidOverride, PipelineError, ReleaseNotFound
from shared.run_id import run_id

SHA = "b" * 64
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def request(**changes: Any) -> RunRequest:
    return domain.parse_request({**EVENT, **changes}, "penguins", WATCHED)


def test_a_full_input_is_read() -> None:
    trigger = {"kind": "merge", "id": "e1", "commit": "c" * 40}
    found = request(release="commit", trigger=trigger, data="s3://b/k/", overrides={"C": "0.5"})
    assert found == RunRequest("commit", "merge", "e1", "c" * 40, "s3://b/k/", {"C": "0.5"})


def test_all_problems_of_an_input_are_said_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        domain.parse_request(
            {"schema": 2, "pipeline": "fish", "release": "x", "trigger": {"kind": "cron"}, "data": "/tmp", "extra": 1},
            "penguins",
            WATCHED,
        )
    assert str(caught.value) == (
        "the execution's input is wrong: "
        "'extra' is not known, known are schema, pipeline, release, trigger, data, overrides; "
        "schema is 2, it must be 1; pipeline is \"fish\", it must be 'penguins'; "
        "release is \"x\", it must be 64 hex digits, 'default' or 'commit'; "
        'trigger.kind is "cron", it must be one of manual, merge, schedule, data; '
        "trigger.id is missing, it must be a text of 1 to 256 characters; "
        'data is "/tmp", it must be s3://<bucket>/<key or prefix/>.'
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"release": "commit"}, "trigger.commit is missing"),
        ({"trigger": {"kind": "merge", "id": "x", "commit": "HEAD"}}, "trigger.commit is"),
        ({"trigger": "x"}, "trigger is"),
        ({"overrides": {"C": 0.5}}, "overrides must be an object of texts"),
        ({"release": None}, "release is missing"),
    ],
)
def test_each_mistake_has_its_message(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        request(**changes)


@given(json_values)
def test_any_json_is_a_request_or_an_error_that_a_person_can_read(value: Any) -> None:
    with pytest.raises(InvalidInput):
        domain.parse_request(value, "penguins", WATCHED)


@given(st.dictionaries(st.sampled_from(["schema", "pipeline", "release", "trigger", "data", "overrides"]), json_values))
def test_any_object_is_a_request_or_an_error_that_a_person_can_read(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        domain.parse_request(value, "penguins", WATCHED)


def test_the_run_id_is_the_hash_of_the_execution() -> None:
    assert run_id("arn:x") == hashlib.sha256(b"arn:x").hexdigest()[:12]


def test_pointers() -> None:
    assert domain.pointer_key(request(), "penguins") is None
    assert domain.pointer_key(request(release="default"), "penguins") == "defaults/penguins.json"
    trigger = {"kind": "merge", "id": "x", "commit": "c" * 40}
    found = domain.pointer_key(request(release="commit", trigger=trigger), "penguins")
    assert found == f"commits/penguins/{'c' * 40}.json"


def test_a_pointer_names_a_release_or_is_an_error() -> None:
    assert domain.release_in_pointer(json.dumps({"release": SHA}).encode(), "s3://b/p") == SHA
    for content in (None, b"", b"[]", b"{}", b'{"release": "x"}', b'{"release": 5}'):
        with pytest.raises(ReleaseNotFound, match="s3://b/p"):
            domain.release_in_pointer(content, "s3://b/p")


def content_of(found: dict[str, Any]) -> tuple[bytes, str]:
    content = json.dumps(found, sort_keys=True, separators=(",", ":")).encode()
    return content, hashlib.sha256(content).hexdigest()


def test_a_release_is_taken_when_it_is_what_its_name_says() -> None:
    content, name = content_of(manifest())
    assert domain.verify_release(content, name, "penguins", "5" * 64, "s3://b/r") == manifest()


def test_a_release_that_does_not_exist_or_was_changed_is_not_found() -> None:
    content, name = content_of(manifest())
    with pytest.raises(ReleaseNotFound, match=f"there is no release {name} of penguins: s3://b/r does not exist"):
        domain.verify_release(None, name, "penguins", "5" * 64, "s3://b/r")
    with pytest.raises(ReleaseNotFound, match="was changed"):
        domain.verify_release(content + b" ", name, "penguins", "5" * 64, "s3://b/r")


def test_a_release_of_another_pipeline_is_not_found() -> None:
    content, name = content_of(manifest(pipeline="fish"))
    with pytest.raises(ReleaseNotFound, match="schema 1 of 'fish'; wanted is schema 1 of 'penguins'"):
        domain.verify_release(content, name, "penguins", "5" * 64, "s3://b/r")


def test_a_release_for_another_structure_needs_a_deploy() -> None:
    content, name = content_of(manifest())
    with pytest.raises(DeployNeeded, match="deploy penguins first"):
        domain.verify_release(content, name, "penguins", "6" * 64, "s3://b/r")


def test_overrides_take_the_place_of_hyperparameters() -> None:
    assert plan.hyperparameters(manifest(), {"C": "0.5"}) == {
        "C": "0.5",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/code.tar.gz",
    }


def test_an_override_that_the_release_does_not_know_is_an_error_that_names_the_known() -> None:
    with pytest.raises(InvalidOverride, match=r"D, E: no hyperparameter of penguins .*; known are C\."):
        plan.hyperparameters(manifest(), {"E": "1", "D": "2"})


@pytest.mark.parametrize(
    ("known", "overrides", "message"),
    [
        ({"C": "1"}, {"C": "x" * 2501}, "C: longer than 2500"),
        ({f"h{number}": "1" for number in range(99)}, {}, "99 hyperparameters; at most 98"),
        ({f"h{number}": "x" * 2500 for number in range(41)}, {}, "bytes of JSON; at most 100000 are possible"),
    ],
)
def test_hyperparameters_keep_within_sagemaker_s_limits(
    known: dict[str, str], overrides: dict[str, str], message: str
) -> None:
    found = manifest(train={**manifest()["train"], "hyperparameters": known})
    with pytest.raises(InvalidOverride, match=message):
        plan.hyperparameters(found, overrides)


@pytest.mark.parametrize(
    "instance",
    [
        "ml.g4dn.xlarge",
        "ml.g5.xlarge",
        "ml.m5d.large",
        "ml.p4de.24xlarge",
        "ml.p3dn.24xlarge",
        "ml.dl1.24xlarge",
        "ml.p6-b200.48xlarge",
        "ml.r7gd.large",
        "ml.trn1.2xlarge",
        "ml.c5d.xlarge",
    ],
)
def test_instances_with_local_disks_take_no_key(instance: str) -> None:
    assert plan.volume_key(instance, KEY_ARN, "VolumeKmsKeyId") == {}


@pytest.mark.parametrize(
    "instance", ["ml.m5.large", "ml.t2.medium", "ml.c5n.xlarge", "ml.p3.2xlarge", "ml.c7i-flex.large", "ml.inf2.xlarge"]
)
def test_other_instances_are_encrypted_with_our_key(instance: str) -> None:
    assert plan.volume_key(instance, KEY_ARN, "KmsKeyId") == {"KmsKeyId": KEY_ARN}


def test_without_a_key_none_is_named() -> None:
    assert plan.volume_key("ml.m5.large", "", "VolumeKmsKeyId") == {}


@given(st.lists(st.text(max_size=20), max_size=5))
def test_arguments_never_meet_the_shell(arguments: list[str]) -> None:
    command = plan.entrypoint("process.py", arguments, requirements=True)
    assert command[:2] == ["/bin/sh", "-c"]
    assert command[2].endswith('exec "$@"')
    assert command[4:] == ["python3", "/opt/ml/processing/input/code/process.py", *arguments]
    assert len(command[2]) <= 256  # of one part of an entrypoint


def make(changes: dict[str, Any] | None = None, **asked: Any) -> dict[str, Any]:
    run = {"id": "4a06a72749b5", "release": SHA, "started_at": "2026-11-20T10:00:00Z"}
    return plan.make_plan(manifest(**changes or {}), request(**asked), run, bucket=BUCKET, key_arn=KEY_ARN)


def test_the_plan_of_a_run() -> None:
    found = make()
    assert found["run"]["prefix"] == f"s3://{BUCKET}/runs/penguins/4a06a72749b5/"
    assert found["run"]["commit"] == "c" * 40
    assert found["isolated"] is True
    assert found["evaluate"]["entrypoint"][-2:] == ["--threshold", "0.5"]
    assert found["train"]["timeout_seconds"] > found["train"]["max_runtime_seconds"]
    assert found["deploy"]["volume_key"] == {"KmsKeyId": KEY_ARN}


def test_data_of_the_input_takes_the_place_of_the_release_s() -> None:
    found = make(data="s3://other/prefix/")["run"]["data"]
    assert found == {"uri": "s3://other/prefix/", "sha256": "not-hashed"}


def test_what_is_unknown_is_said_in_a_form_that_the_registry_takes() -> None:
    found = make({"commit": None, "data": {"uri": "s3://b/p/", "sha256": None}})["run"]
    assert (found["commit"], found["data"]["sha256"]) == ("uncommitted", "not-hashed")


def test_a_pipeline_without_an_endpoint_has_no_instance() -> None:
    deploy = {"image": "i", "instance": None, "instance_count": None, "keep": 3, "content_types": ["text/csv"]}
    assert make({"deploy": deploy})["deploy"]["volume_key"] == {}


def test_every_error_here_is_one_that_a_person_can_put_right() -> None:
    assert all(issubclass(kind, PipelineError) for kind in (InvalidInput, ReleaseNotFound, DeployNeeded))
