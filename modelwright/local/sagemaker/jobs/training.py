"""A training job from its inputs to its artifacts: what SageMaker and its training toolkit do around a script."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from modelwright.contract import configs, entry_points, outcomes
from modelwright.contract.environment import TrainingContext, script_environment
from modelwright.contract.layout import TrainingLayout
from modelwright.contract.problems import ContractError
from modelwright.local.sagemaker.jobs import code as job_code
from modelwright.local.sagemaker.jobs.channels import Inputs
from modelwright.local.sagemaker.jobs.outputs import Outputs
from modelwright.local.sagemaker.jobs.permissions import join_network, lend_volume_key, pull_image
from modelwright.local.sagemaker.jobs.problems import ContainerFailure
from modelwright.local.sagemaker.jobs.process import Container, Stopped

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.jobs.logs import JobLog
    from modelwright.local.sagemaker.jobs.record import JobRecord
    from modelwright.local.sagemaker.jobs.tree import JobTree

_LAYOUT = TrainingLayout()


class TrainingRun:
    """One training job's work, in the order in which AWS does it."""

    def __init__(self, cloud: Cloud, record: JobRecord, tree: JobTree, log: JobLog) -> None:
        self._cloud = cloud
        self._record = record
        self._tree = tree
        self._log = log
        self._job: dict[str, Any] = record.describe()
        self._role: str = self._job["RoleArn"]
        self._isolated = bool(self._job.get("EnableNetworkIsolation"))
        self._inputs = Inputs(cloud, self._role)
        self.container = Container(cloud, tree, log, self._job["StoppingCondition"]["MaxRuntimeInSeconds"])

    def run(self) -> dict[str, Any]:
        """Do it all; returns what the description gains. Raises ClientProblem, ContainerFailure or Stopped."""
        context = self._context()
        self._prepare(context)
        self._record.enter("Training")
        try:
            self._train(context)
        except Stopped:
            self._upload()
            raise
        self._record.enter("Uploading")
        self._upload()
        metrics = self._log.metrics()
        return {"FinalMetricDataList": metrics} if metrics else {}

    def _context(self) -> TrainingContext:
        cluster = self._job["ResourceConfig"]
        mode = self._job["AlgorithmSpecification"].get("TrainingInputMode", "File")
        return TrainingContext(
            name=self._record.name,
            arn=self._record.arn,
            region=self._cloud.region,
            hyperparameters=self._job.get("HyperParameters", {}),
            input_data_config=configs.input_data_config(self._job.get("InputDataConfig", []), mode),
            resource_config=configs.resource_config(cluster["InstanceType"]),
            environment=self._job.get("Environment", {}),
            cpus=os.cpu_count() or 1,
        )

    def _prepare(self, context: TrainingContext) -> None:
        files = {
            f"{_LAYOUT.config}/hyperparameters.json": dict(context.hyperparameters),
            f"{_LAYOUT.config}/inputdataconfig.json": context.input_data_config,
            f"{_LAYOUT.config}/resourceconfig.json": context.resource_config,
        }
        self._tree.make(_LAYOUT.directories(), files)
        join_network(self._cloud, self._role, self._job.get("VpcConfig"))
        pull_image(self._cloud, self._role, self._job["AlgorithmSpecification"]["TrainingImage"])
        lend_volume_key(self._cloud, self._role, self._job["ResourceConfig"].get("VolumeKmsKeyId"))
        self._record.enter("Downloading")
        for channel in self._job.get("InputDataConfig", []):
            target = self._tree.path(_LAYOUT.channel(channel["ChannelName"]))
            self._inputs.fetch(channel["DataSource"]["S3DataSource"]["S3Uri"], target)

    def _train(self, context: TrainingContext) -> None:
        try:
            self._run_program(context)
        except (ContainerFailure, ContractError) as error:
            raise ContainerFailure(self._failure_text(str(error))) from error
        self._tree.path(_LAYOUT.success).touch()

    def _run_program(self, context: TrainingContext) -> None:
        program = context.program
        entry_points.check_name(program)
        job_code.place_code(context.submit_directory, self._tree, None if self._isolated else self._inputs)
        code = self._tree.path(_LAYOUT.code)
        kind = entry_points.kind_of(program, os.listdir(code))  # noqa: PTH208 - names are what it takes
        env = {**self.container.base_environment(self._role, isolated=self._isolated), **script_environment(context)}
        if kind is not entry_points.EntryPoint.COMMAND:
            env = self._with_requirements(code, env, package=kind is entry_points.EntryPoint.PACKAGE)
        elif (code / program).is_file():
            (code / program).chmod(0o755)
        command = entry_points.command(kind, program, context.arguments, sys.executable)
        status = self.container.run(command, env, code)
        if status != 0:
            raise ContainerFailure(outcomes.script_failure(status, command, list(self._log.last)))

    def _with_requirements(self, code: Path, env: dict[str, str], *, package: bool) -> dict[str, str]:
        """Install what the code folder asks for, outside the job's tree so that the next job has it already."""
        found = code / job_code.REQUIREMENTS
        if not found.is_file():
            return env
        if self._isolated and job_code.missing_requirements(found):
            self._log.line("pip cannot run: the container is isolated from the network (EnableNetworkIsolation)")
            raise ContainerFailure(outcomes.requirements_failure(1, self._pip("-r", found.name), list(self._log.last)))
        folder = self._cloud.directory / "environments"
        target = job_code.requirements_target(folder, found, lambda into: self._install(found, into, package=package))
        if target is None:
            return env
        return {**env, "PYTHONPATH": os.pathsep.join([env["PYTHONPATH"], str(target)])}

    def _install(self, requirements: Path, into: Path, *, package: bool) -> None:
        command = self._pip("--target", str(into), "-r", str(requirements))
        status = self.container.run(command, dict(os.environ), requirements.parent)
        if status != 0:
            shutil.rmtree(into, ignore_errors=True)
            text = outcomes.package_failure if package else outcomes.requirements_failure
            raise ContainerFailure(text(status, command, list(self._log.last)))

    def _pip(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]

    def _failure_text(self, ours: str) -> str:
        """Return what lies in `output/failure`: the script's own words, else ours, which are put there."""
        file = self._tree.path(_LAYOUT.failure)
        if file.is_file():
            return file.read_text(encoding="utf-8", errors="replace")
        self._tree.path(_LAYOUT.output).mkdir(parents=True, exist_ok=True)
        file.write_text(ours, encoding="utf-8")
        return ours

    def _upload(self) -> None:
        settings = self._job["OutputDataConfig"]
        outputs = Outputs(self._cloud, self._role, settings.get("KmsKeyId") or None)
        base = f"{settings['S3OutputPath'].rstrip('/')}/{self._record.name}/output"
        outputs.archive(self._tree.path(_LAYOUT.model), f"{base}/model.tar.gz", self._tree.temporary)
        outputs.archive(self._tree.path(_LAYOUT.output_data), f"{base}/output.tar.gz", self._tree.temporary)
