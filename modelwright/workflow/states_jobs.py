"""The SageMaker jobs of each run, and waiting for capacity.

Requests: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
Paths: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import job_name, jsonata, tags, with_optional
from modelwright.workflow.tasks import SAGEMAKER_ERRORS, State, call, catch

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure

PROCESSING_ROOT: Final = "/opt/ml/processing"
CODE_CHANNEL_FILE: Final = "/opt/ml/input/data/code/code.tar.gz"
CAPACITY_WAITS_SECONDS: Final = [60, 120, 240, 480]
MAX_CAPACITY_WAITS: Final = len(CAPACITY_WAITS_SECONDS)
# A job's FailureReason, or the refusal of a job because others use up the account's quota of its instance type. A quota
# of 0 has nothing to wait for. https://docs.aws.amazon.com/sagemaker/latest/dg/regions-quotas.html
CAPACITY_FAILURE: Final = (
    r"""/"FailureReason": ?"(CapacityError|InternalServerError)|with current utilization of [1-9]/"""
)


def job_input(name: str, uri: str, path: str) -> dict[str, Any]:
    """What a processing job finds at `path`: the object `uri`, or everything under it."""
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def job_output(name: str) -> dict[str, Any]:
    """What a processing job leaves in its folder `name`, and the run keeps under that name."""
    target = {
        "S3Uri": jsonata(f"$plan.run.prefix & '{name}/'"),
        "LocalPath": f"{PROCESSING_ROOT}/{name}",
        "S3UploadMode": "EndOfJob",
    }
    return {"OutputName": name, "S3Output": target}


def machines(step: str) -> str:
    """The machines that the plan has for a step."""
    fixed = {
        "InstanceType": jsonata(f"$plan.{step}.instance"),
        "InstanceCount": jsonata(f"$plan.{step}.instance_count"),
        "VolumeSizeInGB": jsonata(f"$plan.{step}.volume_gib"),
    }
    # A key for volumes is refused where disks are encrypted by hardware: `volume_key` is empty there.
    return with_optional(fixed, f"$plan.{step}.volume_key")


def _processing_job(structure: WorkflowStructure, step: str, inputs: list[Any], outputs: list[str]) -> dict[str, Any]:
    return {
        "ProcessingJobName": job_name(structure, step),
        "RoleArn": "${ProcessingRoleArn}",
        "AppSpecification": {
            "ImageUri": jsonata(f"$plan.{step}.image"),
            "ContainerEntrypoint": jsonata(f"[$plan.{step}.entrypoint]"),
        },
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": [job_output(name) for name in outputs], **structure.output_key},
        "ProcessingResources": {"ClusterConfig": machines(step)},
        "NetworkConfig": {"EnableNetworkIsolation": jsonata("$plan.isolated"), **structure.vpc_config},
        "StoppingCondition": {"MaxRuntimeInSeconds": jsonata(f"$plan.{step}.max_runtime_seconds")},
        "Tags": tags(structure),
    }


def _job(resource: str, step: str, arguments: dict[str, Any]) -> State:
    timeout = jsonata(f"$plan.{step}.timeout_seconds")
    return call(f"sagemaker:{resource}.sync", arguments, SAGEMAKER_ERRORS, timeout_seconds=timeout)


def process_data(structure: WorkflowStructure) -> State:
    """Run the pipeline's process script on its data source."""
    inputs = [
        job_input("data", jsonata("$plan.run.data.uri"), f"{PROCESSING_ROOT}/input/data"),
        job_input("code", jsonata("$plan.run.code.files"), f"{PROCESSING_ROOT}/input/code"),
    ]
    return {
        **_job("createProcessingJob", "process", _processing_job(structure, "process", inputs, ["train", "test"])),
        "Output": {"job": jsonata("$states.result.ProcessingJobName"), "outputs": jsonata("$plan.run.prefix")},
        "Catch": catch("ProcessData", "CheckCapacity"),
        "Next": "TrainModel",
    }


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def _training_job(structure: WorkflowStructure) -> dict[str, Any]:
    output = {"S3OutputPath": jsonata("$plan.run.prefix & 'training/'"), **structure.output_key}
    return {
        "TrainingJobName": job_name(structure, "train"),
        "RoleArn": "${TrainingRoleArn}",
        "AlgorithmSpecification": {"TrainingImage": jsonata("$plan.train.image"), "TrainingInputMode": "File"},
        "HyperParameters": jsonata("$plan.train.hyperparameters"),
        "InputDataConfig": [
            _channel("train", jsonata("$plan.run.prefix & 'train/'")),
            _channel("code", jsonata("$plan.run.code.uri")),
        ],
        "OutputDataConfig": output,
        "ResourceConfig": machines("train"),
        "EnableNetworkIsolation": jsonata("$plan.isolated"),
        **structure.vpc_config,
        "StoppingCondition": {"MaxRuntimeInSeconds": jsonata("$plan.train.max_runtime_seconds")},
        "Tags": tags(structure),
    }


def train_model(structure: WorkflowStructure) -> State:
    """Train on what processing made."""
    return {
        **_job("createTrainingJob", "train", _training_job(structure)),
        "Assign": {"trained": {"model_uri": jsonata("$states.result.ModelArtifacts.S3ModelArtifacts")}},
        "Output": {
            "job": jsonata("$states.result.TrainingJobName"),
            "model": jsonata("$states.result.ModelArtifacts.S3ModelArtifacts"),
        },
        "Catch": catch("TrainModel", "CheckCapacity"),
        "Next": "EvaluateModel",
    }


def evaluate_model(structure: WorkflowStructure) -> State:
    """Measure the model on the data that was held out."""
    inputs = [
        job_input("model", jsonata("$trained.model_uri"), f"{PROCESSING_ROOT}/model"),
        job_input("test", jsonata("$plan.run.prefix & 'test/'"), f"{PROCESSING_ROOT}/test"),
        job_input("code", jsonata("$plan.run.code.files"), f"{PROCESSING_ROOT}/input/code"),
    ]
    job = _processing_job(structure, "evaluate", inputs, ["evaluation"])
    return {
        **_job("createProcessingJob", "evaluate", job),
        "Output": {
            "job": jsonata("$states.result.ProcessingJobName"),
            "evaluation": jsonata("$plan.run.prefix & 'evaluation/evaluation.json'"),
        },
        "Catch": catch("EvaluateModel", "CheckCapacity"),
        "Next": "RecordMetrics",
    }


def check_capacity(structure: WorkflowStructure) -> State:
    """A job that got no machines (of AWS, or of the account's quota), or failed inside SageMaker, is tried again."""
    again = f"$contains($failure.cause, {CAPACITY_FAILURE}) and $capacity_waits < {MAX_CAPACITY_WAITS}"
    choices = [{"Condition": jsonata(again), "Next": "WaitForCapacity"}]
    if structure.compiled:  # a conversion that failed is a reason to serve the script
        choices.append({"Condition": jsonata("$failure.state = 'ConvertModel'"), "Next": "ChooseModel"})
    return {
        "Type": "Choice",
        "Comment": f"Did AWS lack machines for this job of {structure.pipeline}?",
        "Choices": choices,
        "Default": "MarkRunFailed",
    }


def wait_for_capacity(structure: WorkflowStructure) -> State:
    """Wait 1, 2, 4, then 8 minutes."""
    return {
        "Type": "Wait",
        "Comment": f"Machines for {structure.pipeline} may be free later",
        "Seconds": jsonata(f"{CAPACITY_WAITS_SECONDS}[$capacity_waits]"),
        "Assign": {"capacity_waits": jsonata("$capacity_waits + 1")},
        "Next": "ResumeJob",
    }


def resume_job(structure: WorkflowStructure) -> State:
    """Go back to the job that got no machines."""
    back = ["ProcessData", "TrainModel", *(["ConvertModel"] if structure.compiled else [])]
    choices = [{"Condition": jsonata(f"$failure.state = '{state}'"), "Next": state} for state in back]
    return {
        "Type": "Choice",
        "Comment": f"Which job of {structure.pipeline} was it?",
        "Choices": choices,
        "Default": "EvaluateModel",
    }
