"""What AWS and the Lambdas answer in a good run of the penguins pipeline; a test changes what it is about."""

from __future__ import annotations

from typing import Any

from workflow_walk import RUN, TaskError

from prepare_run import plan
from prepare_run.domain import RunRequest

SHA = "a" * 64
COMPILED = "b" * 64
FILES = "f" * 64
BUCKET = "mw-artifacts"
COMPILED_URI = f"s3://{BUCKET}/models/penguins/{COMPILED}/model.tar.gz"
WATCHED = "s3://mw-data/incoming/penguins/"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PACKAGE_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/mw-dev-penguins/1"
ENDPOINT = "mw-dev-penguins"
CONFIG = f"dev-penguins-{RUN}-00"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mw-dev-penguins-answers"
SHADOW = f"dev-penguins-{RUN}-90"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py312"

EVENT = {
    "schema": 1,
    "pipeline": "penguins",
    "release": SHA,
    "trigger": {"kind": "manual", "id": "4be0643f-1d98-573b-97cd-ca98a65347dd"},
}

SUBSTITUTIONS = {
    "EndpointName": ENDPOINT,
    "ModelPackageGroupName": "mw-dev-penguins",
    "TableName": "mw-dev",
    "KeyArn": KEY_ARN,
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mw-dev-topic",
    "AnswersTopicArn": TOPIC,
    "EndpointErrorAlarmName": "mw-dev-penguins-errors",
    "EndpointLatencyAlarmName": "mw-dev-penguins-latency",
    **{name: f"arn:aws:iam::123456789012:role/{name}" for name in ("ProcessingRoleArn", "TrainingRoleArn")},
    "ServingImageHash": "0123456789abcdef",
    "ServingImageProject": "ServingImageProject-1",
    "ServingImageRepository": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mw-dev-serving",
    "HostingRoleArn": "arn:aws:iam::123456789012:role/HostingRoleArn",
}


def manifest(**changes: Any) -> dict[str, Any]:
    """A release of the penguins."""
    job = {
        "image": IMAGE,
        "instance": "ml.m5.large",
        "instance_count": 1,
        "volume_gib": 10,
        "max_runtime_seconds": 3600,
    }
    prefix = f"s3://{BUCKET}/code/penguins/{SHA}"
    return {
        "schema": 1,
        "pipeline": "penguins",
        "commit": "c" * 40,
        "clean": True,
        "code": {"uri": f"{prefix}/code.tar.gz", "files": f"{prefix}/files/", "sha256": SHA, "requirements": False},
        "data": {"uri": f"s3://mw-artifacts/datasets/penguins/{SHA}/penguins.csv", "sha256": SHA},
        "process": {**job, "script": "process.py", "arguments": []},
        "train": {**job, "script": "train.py", "hyperparameters": {"C": "1.0"}},
        "evaluate": {**job, "script": "evaluate.py", "arguments": ["--threshold", "0.5"]},
        "gate": [
            {"left": {"metric": "accuracy"}, "op": ">=", "right": {"number": 0.8}, "text": "accuracy >= 0.80"},
        ],
        "deploy": {
            "image": IMAGE,
            "instance": "ml.t2.medium",
            "instance_count": 1,
            "keep": 3,
            "content_types": ["text/csv"],
            "smoke_test": {"body_base64": "MQo=", "content_type": "text/csv", "accept": "application/json"},
            "serve": "auto",
        },
        "structure": "5" * 64,
        **changes,
    }


def ready_plan(**changes: Any) -> dict[str, Any]:
    """What PrepareRun answers."""
    request = RunRequest(SHA, "manual", "x", None, None, {})
    run = {"id": RUN, "release": SHA, "started_at": "2026-11-20T10:00:00.123Z"}
    return plan.make_plan(manifest(**changes), request, run, bucket=BUCKET, key_arn=KEY_ARN)


class Answers:
    """A table of answers by state; a list is used up from the front, its last answer stays."""

    def __init__(self, **changes: Any) -> None:
        """Start with a good run."""
        payloads = {
            "PrepareRun": ready_plan(),
            "RecordMetrics": {"metrics": {"accuracy": 0.9}},
            "CheckQualityGate": {
                "passed": True,
                "clauses": [{"text": "accuracy >= 0.80", "passed": True, "found": 0.9, "limit": 0.8}],
            },
            "PackageModel": {
                "uri": f"s3://{BUCKET}/models/penguins/{SHA}/model.tar.gz",
                "sha256": SHA,
                "files_sha256": FILES,
                "bytes": 9,
                "folder": f"s3://{BUCKET}/models/penguins/multi/{RUN}/",
                "names": ["small", "large"],
            },
            "ChooseModel": {
                "serve": "onnx",
                "uri": COMPILED_URI,
                "sha256": COMPILED,
                "python_sha256": SHA,
                "files_sha256": "",
                "reason": "",
            },
            "AcquireDeployment": {"status": "Acquired", "fence": 1},
            "WatchEndpoint": watched("Serving"),
            "SmokeTest": {"rows": 1, "predictions": 1, "contentType": "application/json"},
            "PromoteModel": {"champion": RUN, "modelPackageArn": PACKAGE_ARN},
            "RemoveOldModels": {"models": [], "endpointConfigs": [], "left": []},
            "RestoreEndpoint": {"status": "serves before as before"},
            "PrepareScaling": {"found": True, "targets": [], "retained": {}},
            "SetScaling": {"variants": 1, "min": 1, "max": 4},
            "JudgeShadow": {"good": True, "reason": "well", "requests": 9, "errors": 0, "latencyMs": 3.0},
        }
        model = f"s3://{BUCKET}/runs/penguins/{RUN}/training/dev-penguins-train-{RUN}-00/output/model.tar.gz"
        account = "arn:aws:sagemaker:eu-west-1:123456789012"
        self.table: dict[str, Any] = {
            **{name: {"Payload": payload, "StatusCode": 200} for name, payload in payloads.items()},
            "ProcessData": {"ProcessingJobName": f"dev-penguins-process-{RUN}-00"},
            "TrainModel": {
                "TrainingJobName": f"dev-penguins-train-{RUN}-00",
                "ModelArtifacts": {"S3ModelArtifacts": model},
            },
            "EvaluateModel": {"ProcessingJobName": f"dev-penguins-evaluate-{RUN}-00"},
            "FindServingImage": {"ImageDetails": [{}, {}]},
            "BuildServingImage": {"Build": {"Id": "images:1", "BuildStatus": "SUCCEEDED"}},
            "ConvertModel": {"ProcessingJobName": f"dev-penguins-convert-{RUN}-00"},
            "RegisterModel": {"ModelPackageArn": PACKAGE_ARN},
            "CreateModel": {"ModelArn": f"{account}:model/{CONFIG}"},
            "CreateEndpointConfig": {"EndpointConfigArn": f"{account}:endpoint-config/{CONFIG}"},
            "InspectEndpoint": TaskError("SageMaker.SageMakerException", f'Could not find endpoint "{ENDPOINT}".'),
            "CreateEndpoint": {"EndpointArn": f"{account}:endpoint/{ENDPOINT}"},
            "InspectAlarms": {"MetricAlarms": [alarm("errors"), alarm("latency")]},
            "InspectChampion": {
                "EndpointConfigName": "dev-penguins-000000000000-00",
                "KmsKeyId": KEY_ARN,
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": "dev-penguins-000000000000-00",
                        "InstanceType": "ml.t2.medium",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 2.0,
                    }
                ],
            },
            "CreateShadowConfig": {"EndpointConfigArn": f"{account}:endpoint-config/{SHADOW}"},
            "StartShadow": {"EndpointArn": f"{account}:endpoint/{ENDPOINT}"},
            "UpdateEndpoint": {"EndpointArn": f"{account}:endpoint/{ENDPOINT}"},
            "DeleteFailedEndpoint": {},
            **{key: {} for key in ["ReleaseLease", "ReleaseFailedLease"]},
            **{f"MarkRun{status}": {} for status in ("Rejected", "Registered", "Superseded", "Failed")},
            **{f"Notify{of}": {"MessageId": "m"} for of in ("Success", "Rejected", "Registered", "Failure")},
            **changes,
        }

    def __call__(self, state: str, arguments: Any) -> Any:
        """Answer as the table says; an error in it is raised."""
        found = self.table[state]
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, Exception):
            raise found
        return found


def alarm(name: str, state: str = "OK") -> dict[str, str]:
    """An alarm as it is described."""
    return {"AlarmName": name, "StateValue": state}


def described(status: str, config: str, **more: Any) -> dict[str, Any]:
    """An endpoint as it is described."""
    known = {"EndpointName": ENDPOINT, "EndpointStatus": status, "EndpointConfigName": config}
    return {**known, "ProductionVariants": [{"VariantName": "AllTraffic"}], **more}


def watched(outcome: str, config: str = CONFIG, reason: str = "no reason was given") -> dict[str, Any]:
    """What WatchEndpoint's function answers."""
    status = {"Serving": "InService", "RolledBack": "InService", "Waiting": "Updating"}.get(outcome, outcome)
    return {"outcome": outcome, "status": status, "endpointConfig": config, "reason": reason}


def substituted(text: str) -> str:
    """`text` with every placeholder filled."""
    for name, value in SUBSTITUTIONS.items():
        text = text.replace("${" + name + "}", value)
    return text.replace("${", "arn:aws:lambda:eu-west-1:123456789012:function:").replace("FunctionArn}", "")
