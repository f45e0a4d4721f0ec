"""The environment of a training script: the platform's variables and the toolkit's `SM_*`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.contract import hyperparameters
from modelwright.contract.layout import TrainingLayout
from modelwright.contract.problems import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping

_INFO = 20  # logging.INFO: SM_LOG_LEVEL where sagemaker_container_log_level does not say


@dataclass(frozen=True)
class TrainingContext:
    """What a training container is told, and where it runs.

    `hyperparameters` are the strings of the API, `input_data_config` and `resource_config` the content of the two
    JSON files, `environment` the `Environment` of the request.
    """

    name: str
    arn: str
    region: str
    hyperparameters: Mapping[str, str]
    input_data_config: Mapping[str, Mapping[str, str]]
    resource_config: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)
    cpus: int = 1
    gpus: int = 0
    layout: TrainingLayout = field(default_factory=TrainingLayout)

    @property
    def values(self) -> dict[str, Any]:
        """All hyperparameters as values."""
        return hyperparameters.read(self.hyperparameters)

    @property
    def program(self) -> str:
        """The entry point: SAGEMAKER_PROGRAM of the environment over the hyperparameter."""
        found = self.environment.get("SAGEMAKER_PROGRAM") or self.values.get("sagemaker_program")
        if not found:
            raise ContractError(
                "no entry point: neither the hyperparameter 'sagemaker_program' nor the environment variable "
                "SAGEMAKER_PROGRAM names a script"
            )
        return str(found)

    @property
    def submit_directory(self) -> str:
        """Where the code comes from: `sagemaker_submit_directory`, else the code folder itself."""
        return str(self.values.get("sagemaker_submit_directory", self.layout.code))

    @property
    def arguments(self) -> list[str]:
        """Argv behind the script's name."""
        return hyperparameters.arguments(hyperparameters.of_script(self.values))


def platform_environment(context: TrainingContext) -> dict[str, str]:
    """Return what SageMaker itself sets in a training container, the job's `Environment` included."""
    return {
        "TRAINING_JOB_NAME": context.name,
        "TRAINING_JOB_ARN": context.arn,
        "AWS_REGION": context.region,
        **context.environment,
    }


def script_environment(context: TrainingContext) -> dict[str, str]:
    """Return the whole environment of the script: the platform's, the toolkit's own names, and every `SM_*`."""
    values = context.values
    hyperparameters.check_passable(hyperparameters.of_script(values))
    inherited = platform_environment(context)
    path = [context.layout.code, *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **inherited,
        "SAGEMAKER_JOB_NAME": _text(values, "sagemaker_job_name", ""),
        "CURRENT_HOST": context.resource_config["current_host"],
        "SAGEMAKER_REGION": _text(values, "sagemaker_region", context.region),
        "PYTHONPATH": ":".join(path),
        **sm_variables(context),
    }


def sm_variables(context: TrainingContext) -> dict[str, str]:
    """Return every `SM_*` variable; names are upper case and otherwise as they are (dashes stay)."""
    described = describe(context)
    variables: dict[str, Any] = {name: described[key] for name, key in _PLAIN.items()}
    variables["channels"] = sorted(described["channel_input_dirs"])
    variables["training_env"] = described
    variables["user_args"] = context.arguments
    variables |= {f"channel_{name}": path for name, path in described["channel_input_dirs"].items()}
    variables |= {f"hp_{name}": value for name, value in described["hyperparameters"].items()}
    return {f"SM_{name.upper()}": hyperparameters.environment_text(value) for name, value in variables.items()}


def describe(context: TrainingContext) -> dict[str, Any]:
    """Return the toolkit's picture of the job: the object in `SM_TRAINING_ENV`."""
    return {
        **_described_paths(context.layout),
        **_described_program(context),
        **_described_cluster(context.resource_config),
        "channel_input_dirs": {name: context.layout.channel(name) for name in context.input_data_config},
        "input_data_config": {name: dict(config) for name, config in context.input_data_config.items()},
        "num_cpus": context.cpus,
        "num_gpus": context.gpus,
        "num_neurons": 0,
    }


def _text(values: Mapping[str, Any], name: str, default: str) -> str:
    found = values.get(name, default)
    if not isinstance(found, str):
        raise ContractError(f"hyperparameter {name!r} is {found!r}; it must be a text")
    return found


def _described_paths(layout: TrainingLayout) -> dict[str, Any]:
    return {
        "input_dir": layout.input,
        "input_config_dir": layout.config,
        "model_dir": layout.model,
        "output_dir": layout.output,
        "output_data_dir": layout.output_data,
        "output_intermediate_dir": layout.output_intermediate,
    }


def _described_program(context: TrainingContext) -> dict[str, Any]:
    values = context.values
    parallel = context.environment.get("SM_HP_MP_PARAMETERS")
    return {
        "additional_framework_parameters": hyperparameters.of_framework(values),
        "framework_module": context.environment.get("SAGEMAKER_TRAINING_MODULE"),
        "hyperparameters": hyperparameters.of_script(values),
        "is_modelparallel_enabled": parallel and parallel != "{}",
        "is_smddpmprun_installed": False,
        "is_smddprun_installed": False,
        "job_name": context.name,
        "log_level": values.get("sagemaker_container_log_level", _INFO),
        "module_dir": context.submit_directory,
        "module_name": context.program.removesuffix(".py"),
        "user_entry_point": context.program,
    }


def _described_cluster(config: Mapping[str, Any]) -> dict[str, Any]:
    groups = {group["instance_group_name"]: dict(group) for group in config.get("instance_groups", [])}
    current = config.get("current_group_name", "homogeneousCluster")
    return {
        "current_host": config["current_host"],
        "current_instance_group": current,
        "current_instance_group_hosts": groups.get(current, {}).get("hosts", []),
        "current_instance_type": config.get("current_instance_type", "local"),
        "distribution_hosts": [] if groups else list(config["hosts"]),
        "distribution_instance_groups": [],
        "hosts": list(config["hosts"]),
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "is_master": config["current_host"] == config["hosts"][0],
        "master_hostname": config["hosts"][0],
        "network_interface_name": config.get("network_interface_name", "eth0"),
        "resource_config": dict(config),
        "topology": config.get("topology", []),
    }


_PLAIN = {
    "hosts": "hosts",
    "network_interface_name": "network_interface_name",
    "hps": "hyperparameters",
    "user_entry_point": "user_entry_point",
    "framework_params": "additional_framework_parameters",
    "resource_config": "resource_config",
    "input_data_config": "input_data_config",
    "output_data_dir": "output_data_dir",
    "current_host": "current_host",
    "current_instance_type": "current_instance_type",
    "current_instance_group": "current_instance_group",
    "current_instance_group_hosts": "current_instance_group_hosts",
    "instance_groups": "instance_groups",
    "instance_groups_dict": "instance_groups_dict",
    "distribution_instance_groups": "distribution_instance_groups",
    "is_hetero": "is_hetero",
    "module_name": "module_name",
    "log_level": "log_level",
    "framework_module": "framework_module",
    "input_dir": "input_dir",
    "input_config_dir": "input_config_dir",
    "output_dir": "output_dir",
    "num_cpus": "num_cpus",
    "num_gpus": "num_gpus",
    "num_neurons": "num_neurons",
    "model_dir": "model_dir",
    "module_dir": "module_dir",
    "output_intermediate_dir": "output_intermediate_dir",
}
"""SM_ name (lower case) -> key of `describe`"""
