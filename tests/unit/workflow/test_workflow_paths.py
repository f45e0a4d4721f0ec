"""What a run can come to, with real JSONata and answers from a table."""

from __future__ import annotations

from workflow_answers import (
    ENDPOINT,
    PACKAGE_ARN,
    SHA,
    ready_plan,
)
from workflow_paths import arguments, payload, walk
from workflow_walk import RUN


def test_a_good_run_deploys() -> None:
    done = walk()

    assert done.failure is None
    assert done.output == {
        "status": "Deployed",
        "pipeline": "penguins",
        "run": RUN,
        "release": SHA,
        "metrics": {"accuracy": 0.9},
        "gate": [{"text": "accuracy >= 0.80", "passed": True, "found": 0.9, "limit": 0.8}],
        "modelPackageArn": PACKAGE_ARN,
        "model": {"sha256": SHA, "serve": "framework", "reason": ""},
        "endpoint": ENDPOINT,
    }
    order = ["ProcessData", "TrainModel", "EvaluateModel", "RecordMetrics", "CheckQualityGate", "PackageModel"]
    order += ["RegisterModel", "AcquireDeployment", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    order += ["WatchEndpoint", "SmokeTest", "PromoteModel", "RemoveOldModels", "ReleaseLease", "NotifySuccess"]
    assert [name for name in done.path if name in order] == order
    assert done.waits == []


def test_a_model_that_misses_its_gate_is_registered_as_rejected_and_nothing_is_deployed() -> None:
    clauses = [{"text": "accuracy >= 0.99", "passed": False, "found": 0.9, "limit": 0.99}]
    done = walk(CheckQualityGate=payload(passed=False, clauses=clauses))

    assert done.output["status"] == "Rejected"
    assert done.output["gate"] == clauses
    assert arguments(done, "RegisterModel")["ModelApprovalStatus"] == "Rejected"
    assert arguments(done, "NotifyRejected")["Message"].splitlines()[2] == "Gate: missed accuracy >= 0.99"
    assert not {"AcquireDeployment", "ReleaseLease", "CreateModel"} & set(done.path)


def test_an_event_that_another_execution_took_ends_at_once() -> None:
    run = {"id": RUN, "release": SHA, "started_at": "2026-11-20T10:00:00.123Z"}
    done = walk(PrepareRun=payload(status="Duplicate", of="arn:other", run=run))

    assert done.path == ["PrepareRun", "CheckRun", "ReportDuplicate"]
    assert done.output["status"] == "Duplicate"
    assert done.output["of"] == "arn:other"


def test_a_run_older_than_the_champion_is_superseded() -> None:
    done = walk(AcquireDeployment=payload(status="Superseded", champion="ffffffffffff"))

    assert done.output["status"] == "Superseded"
    assert done.path[-2:] == ["MarkRunSuperseded", "ReportSuperseded"]
    assert "CreateModel" not in done.path


def test_a_pipeline_without_an_endpoint_ends_registered() -> None:
    done = walk("none")

    assert done.output["status"] == "Registered"
    assert done.path[-4:] == ["DecideDeployment", "MarkRunRegistered", "NotifyRegistered", "ReportRegistered"]


def test_a_bundle_with_requirements_runs_without_isolation_and_installs_them() -> None:
    code = {**ready_plan()["run"]["code"], "requirements": True}
    done = walk(PrepareRun={"Payload": ready_plan(code=code)})

    assert arguments(done, "TrainModel")["EnableNetworkIsolation"] is False
    assert arguments(done, "CreateModel")["EnableNetworkIsolation"] is False
    job = arguments(done, "ProcessData")
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": False}
    assert job["AppSpecification"]["ContainerEntrypoint"][0] == "/bin/sh"
    assert job["AppSpecification"]["ContainerEntrypoint"][-1] == "/opt/ml/processing/input/code/process.py"
