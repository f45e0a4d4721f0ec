"""How models are hosted: parts of requests, scaling, shadows, several models, endpoints whose time is over."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from typing import Any

import pytest

from expire_endpoint.domain import expires_at, message
from judge_shadow.domain import Levels, Watched, judge
from package_model import archive
from prepare_run import hosting
from remove_old_models import domain as removal
from scale_endpoint import domain as scaling

SCALING = {
    "min": 1,
    "max": 4,
    "requests_per_instance": 1000,
    "backlog_per_instance": None,
    "scale_in_seconds": 300,
    "scale_out_seconds": 60,
}
FLEET = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large"}


def hosted(**settings: Any) -> dict[str, Any]:
    return hosting.hosting(settings, isolated=True, bucket="artifacts", pipeline="penguins")


def test_a_release_of_before_there_were_kinds_is_real_time() -> None:
    found = hosted(instance="ml.t2.medium", instance_count=1)
    assert found["kind"] == "realtime"
    assert found["routing"] == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}
    assert found["variants"] == [
        {
            "VariantName": "AllTraffic",
            "InstanceType": "ml.t2.medium",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1,
        }
    ]
    assert (found["capture"], found["async"], found["autoscaling"], found["shadow"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("kind", "possible", "written", "isolated"),
    [
        ("realtime", True, None, True),
        ("realtime", False, None, False),
        ("realtime", True, False, False),
        ("serverless", True, None, False),
        ("multi-model", True, None, False),
    ],
)
def test_who_is_isolated(kind: str, possible: bool, written: bool | None, isolated: bool) -> None:  # a table
    size = (
        {"serverless": {"memory_gib": 1, "max_concurrency": 1}} if kind == "serverless" else {"instance": "ml.m5.large"}
    )
    settings = {"endpoint": kind, "network_isolation": written, **size}
    assert hosting.hosting(settings, isolated=possible, bucket="b", pipeline="p")["isolated"] is isolated


def test_a_shadow_is_the_fleet_under_another_name() -> None:
    found = hosted(endpoint="realtime", instance="ml.m5.large", instance_count=2, shadow={"percent": 25, "minutes": 3})
    variant = {"VariantName": "Shadow", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    assert found["shadow"] == {"variant": variant, "share": 0.25, "seconds": 180}


def test_real_time_scales_by_the_requests_of_each_machine_in_a_minute() -> None:
    (target,) = scaling.targets("mw-dev-penguins", [FLEET], SCALING)
    (policy,) = target["policies"]
    assert (target["variant"], target["min"], target["max"]) == ("AllTraffic", 1, 4)
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 1000.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 60,
    }


def test_a_queue_scales_by_what_waits_and_starts_from_nothing() -> None:
    queue = {**SCALING, "min": 0, "requests_per_instance": None, "backlog_per_instance": 5}
    (target,) = scaling.targets("mw-dev-penguins", [FLEET], queue)
    tracked, first = target["policies"]
    metric = tracked["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    assert metric["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert metric["Dimensions"] == [{"Name": "EndpointName", "Value": "mw-dev-penguins"}]
    assert first["PolicyType"] == "StepScaling"
    assert scaling.targets("e", [FLEET], {**queue, "min": 1})[0]["policies"] == [
        {
            **tracked,
            "TargetTrackingScalingPolicyConfiguration": {
                **tracked["TargetTrackingScalingPolicyConfiguration"],
                "CustomizedMetricSpecification": {**metric, "Dimensions": [{"Name": "EndpointName", "Value": "e"}]},
            },
        }
    ]


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ({"A": "ml.m5.large"}, {"A": "ml.m5.large"}, []),
        ({"A": "ml.m5.large"}, {"A": "ml.m5.xlarge"}, ["A"]),
        ({"A": "ml.m5.large", "B": "ml.m5.large"}, {"A": "ml.m5.large"}, ["B"]),
        ({"A": "ml.m5.large"}, {"A": "ml.m5.large", "B": "ml.m5.large"}, []),
    ],
)
def test_only_another_machine_or_a_variant_that_goes_has_to_be_deregistered(
    before: dict[str, str], after: dict[str, str], refused: list[str]
) -> None:
    assert scaling.refused(before, after) == refused


def test_the_number_of_machines_stays_only_where_all_variants_scale_already() -> None:
    target = {"variant": "A", "min": 1, "max": 2, "policies": []}
    assert scaling.kept_number([target], ["A"], "realtime") == scaling.KEPT
    assert scaling.kept_number([target], ["A", "B"], "realtime") == {}
    assert scaling.kept_number([], ["A"], "realtime") == {}
    assert scaling.kept_number([target], ["A"], "async") == {}


@pytest.mark.parametrize(
    ("watched", "good", "told"),
    [
        (Watched(100, 0, 12.0, 100), True, "100 answers"),
        (Watched(100, 50, 12.0, 100), False, "50 of 100 answers"),
        (Watched(1, 1, 12.0, 1), True, "1 answers"),
        (Watched(100, 0, 1200.0, 100), False, "1200 ms"),
        (Watched(0, 0, None, 100), False, "the shadow not one"),
        (Watched(0, 0, None, 0), True, "nobody asked"),
    ],
)
def test_a_shadow_is_judged_by_the_levels_of_the_alarms(watched: Watched, good: bool, told: str) -> None:  # a table
    found = judge(watched, Levels(error_percent=5, latency_ms=1000))
    assert found["good"] is good
    assert told in found["reason"]


def packed(*names: str) -> tarfile.TarFile:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    file.seek(0)
    return tarfile.open(fileobj=file)


def test_each_folder_is_a_model_with_the_code_and_nothing_of_the_others() -> None:
    model, code = packed("one/model.joblib", "two/deep/model.joblib", "code/old.py"), packed("inference.py")
    assert archive.model_names(model, "model") == ["one", "two"]
    target = io.BytesIO()
    archive.combine(model, code, target, ("model", "code"), folder="two/")
    target.seek(0)
    with tarfile.open(fileobj=target, mode="r:gz") as made:
        assert made.getnames() == ["deep/model.joblib", "code/inference.py"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("model.joblib",), "holds model.joblib beside its folders"),
        (("one/model.joblib", "notes.txt"), "holds notes.txt beside its folders"),
        (("code/inference.py",), "holds no folder"),
        (("a b/model.joblib",), "is named 'a b'"),
        (tuple(f"m{number}/x" for number in range(101)), "is one of 101"),
    ],
)
def test_what_is_no_set_of_models_is_refused(names: tuple[str, ...], told: str) -> None:
    with pytest.raises(archive.ArchiveInvalid, match=told):
        archive.model_names(packed(*names), "model.tar.gz")


def test_archives_of_a_run_go_with_its_last_model() -> None:
    when = datetime(2026, 11, 21, tzinfo=UTC)
    every = [removal.Named(f"dev-p-{run}-{attempt}", when) for run, attempt in (("a" * 12, "00"), ("a" * 12, "01"))]
    assert removal.runs_without_models([every[0].name], every) == []
    assert removal.runs_without_models([each.name for each in every], every) == ["a" * 12]
    assert removal.archives("p", "a" * 12) == f"models/p/multi/{'a' * 12}/"
    assert removal.is_shadow("dev-p-aaaaaaaaaaaa-90")
    assert not removal.is_shadow("dev-p-aaaaaaaaaaaa-40")


def test_an_endpoint_ends_so_many_hours_after_its_last_deployment() -> None:
    end = datetime(2026, 11, 21, 22, tzinfo=UTC)
    assert expires_at("2026-11-21T10:00:00.000Z", 12) == end
    assert expires_at(datetime(2026, 11, 21, 10, tzinfo=UTC), 12) == end
    told = message("penguins", "mw-dev-penguins", 12, {"run": "abc", "release": "def"})
    assert "more than 12 hours ago" in told
    assert "modelwright run penguins" in told
    assert "none was promoted" in message("penguins", "e", 1, None)
