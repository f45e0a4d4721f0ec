"""Training jobs: what is asked for and refused, listed, told and measured."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from training_channel import channel


def test_a_name_can_be_used_once(work) -> None:
    request = work.training("unique", "")
    with pytest.raises(ClientError) as caught:
        work.client.create_training_job(**request)
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    assert work.ended("TrainingJob", "unique")["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"TrainingJobName": "no_underscore"}, "trainingJobName"),
        ({"HyperParameters": {"long": "x" * 2501}}, "2500"),
        ({"HyperParameters": {f"h{number}": "" for number in range(101)}}, "100"),
        ({"HyperParameters": {"sagemaker_mpi_enabled": "true"}}, "sagemaker_mpi_enabled"),
        ({"EnableManagedSpotTraining": True}, "spot"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c"}}, "CheckpointConfig"),
        ({"InputDataConfig": [channel("s3://b/c/"), channel("s3://b/d/")]}, "'train' is there twice"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}}, "InstanceCount"),
        ({"ResourceConfig": {"InstanceType": "ml.no.such", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "ml.no.such"),
        ({"AlgorithmSpecification": {"TrainingImage": "python:3", "TrainingInputMode": "File"}}, "not in ECR"),
        ({"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "Pipe"}}, "TrainingImage"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
    ],
)
def test_a_wrong_request_is_refused_and_nothing_is_kept(work, change, said) -> None:
    name = change.get("TrainingJobName", "refused")
    with pytest.raises(ClientError) as caught:
        work.training(name, "", **{key: value for key, value in change.items() if key != "TrainingJobName"})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert said in caught.value.response["Error"]["Message"]
    assert not [each for each in _all(work) if each["TrainingJobName"] == name]


def _all(work) -> list[dict[str, Any]]:
    return work.client.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]


def test_tuning_jobs_are_an_error_that_says_so(work) -> None:
    with pytest.raises(ClientError, match="does not do hyperparameter tuning yet"):
        work.client.list_hyper_parameter_tuning_jobs()


def test_statuses_are_sent_as_events(work, cloud, monkeypatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(cloud, "publish_event", sent.append)
    work.trained("told", "")
    assert {event["detail-type"] for event in sent} == {"SageMaker Training Job State Change"}
    statuses = [(event["detail"]["TrainingJobStatus"], event["detail"]["SecondaryStatus"]) for event in sent]
    assert statuses[0] == ("InProgress", "Starting")
    assert statuses[-1] == ("Completed", "Completed")
    assert sent[-1]["resources"] == ["arn:aws:sagemaker:us-east-1:123456789012:training-job/told"]
    assert isinstance(sent[-1]["detail"]["CreationTime"], int)


def test_jobs_are_listed_newest_first_and_by_status(work) -> None:
    work.trained("listed-a", "")
    work.trained("listed-b", "raise SystemExit(3)")
    listing = work.client.list_training_jobs(NameContains="listed-")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listing] == ["listed-b", "listed-a"]
    failed = work.client.list_training_jobs(NameContains="listed-", StatusEquals="Failed")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in failed] == ["listed-b"]


def test_metrics_are_read_from_the_log_and_the_last_value_wins(work) -> None:
    definitions = [{"Name": "acc", "Regex": "accuracy=([0-9.]+)"}, {"Name": "none", "Regex": "no=(x)"}]
    image = {"TrainingImage": work.image, "TrainingInputMode": "File"}
    script = "print('accuracy=0.5 accuracy=0.7')\nprint('accuracy=0.9')\nprint('no=x')\n"
    found = work.trained("metrics", script, AlgorithmSpecification={**image, "MetricDefinitions": definitions})
    assert [(each["MetricName"], each["Value"]) for each in found["FinalMetricDataList"]] == [("acc", 0.9)]
    wrong = [{"Name": "acc", "Regex": "accuracy"}]
    with pytest.raises(ClientError, match="has no group"):
        work.training("no-group", "", AlgorithmSpecification={**image, "MetricDefinitions": wrong})
