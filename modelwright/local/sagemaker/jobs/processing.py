"""A processing job from its inputs to its outputs: the container's own command, no SM_ variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.contract import configs, outcomes
from modelwright.contract.layout import ProcessingLayout
from modelwright.local.sagemaker.jobs.channels import Inputs
from modelwright.local.sagemaker.jobs.outputs import Outputs
from modelwright.local.sagemaker.jobs.permissions import join_network, lend_volume_key, pull_image
from modelwright.local.sagemaker.jobs.process import Container

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.jobs.logs import JobLog
    from modelwright.local.sagemaker.jobs.record import JobRecord
    from modelwright.local.sagemaker.jobs.tree import JobTree

_LAYOUT = ProcessingLayout()


class ProcessingFailure(Exception):  # noqa: N818 - it becomes FailureReason as it is
    """The container ended with another status than 0; the text is FailureReason."""


class ProcessingRun:
    """One processing job's work, in the order in which AWS does it."""

    def __init__(self, cloud: Cloud, record: JobRecord, tree: JobTree, log: JobLog) -> None:
        self._cloud = cloud
        self._record = record
        self._tree = tree
        self._log = log
        self._job: dict[str, Any] = record.describe()
        self._role: str = self._job["RoleArn"]
        self.container = Container(cloud, tree, log, self._job["StoppingCondition"]["MaxRuntimeInSeconds"])

    def run(self) -> dict[str, Any]:
        """Do it all; returns what the description gains. Raises ClientProblem, ProcessingFailure or Stopped."""
        self._prepare()
        self._record.enter("Training")
        status = self._run_program()
        gained = self.exit_message()
        if status != 0:
            raise ProcessingFailure(outcomes.processing_failure(status, list(self._log.last)))
        self._upload()
        return gained

    def exit_message(self) -> dict[str, Any]:
        """Return ExitMessage if the container left one."""
        file = self._tree.path(_LAYOUT.message)
        if not file.is_file():
            return {}
        with file.open("rb") as content:
            return {"ExitMessage": outcomes.exit_message(content.read(outcomes.MESSAGE_BYTES))}

    def _prepare(self) -> None:
        cluster = self._job["ProcessingResources"]["ClusterConfig"]
        files = {
            f"{_LAYOUT.config}/processingjobconfig.json": configs.processing_job_config(self._job, self._record.arn),
            f"{_LAYOUT.config}/resourceconfig.json": configs.processing_resource_config(),
        }
        outputs = [output["S3Output"]["LocalPath"] for output in self._outputs()]
        self._tree.make([*_LAYOUT.directories(), *outputs], files)
        join_network(self._cloud, self._role, self._job.get("NetworkConfig", {}).get("VpcConfig"))
        pull_image(self._cloud, self._role, self._job["AppSpecification"]["ImageUri"])
        lend_volume_key(self._cloud, self._role, cluster.get("VolumeKmsKeyId"))
        inputs = Inputs(self._cloud, self._role)
        for given in self._job.get("ProcessingInputs", []):
            source = given["S3Input"]
            inputs.fetch(source["S3Uri"], self._tree.path(source["LocalPath"]))

    def _run_program(self) -> int:
        application = self._job["AppSpecification"]
        isolated = bool(self._job.get("NetworkConfig", {}).get("EnableNetworkIsolation"))
        env = {
            **self.container.base_environment(self._role, isolated=isolated),
            **self._job.get("Environment", {}),
            "PROCESSING_JOB_NAME": self._record.name,
            "AWS_REGION": self._cloud.region,
        }
        command = [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]
        return self.container.run(command, env, self._tree.root)

    def _upload(self) -> None:
        key = self._job.get("ProcessingOutputConfig", {}).get("KmsKeyId") or None
        outputs = Outputs(self._cloud, self._role, key)
        for output in self._outputs():
            target = output["S3Output"]
            outputs.files(self._tree.path(target["LocalPath"]), target["S3Uri"])

    def _outputs(self) -> list[dict[str, Any]]:
        return list(self._job.get("ProcessingOutputConfig", {}).get("Outputs", []))
