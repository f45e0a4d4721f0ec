"""The JSON files and the environment of a container."""

from __future__ import annotations

import json

import pytest

from modelwright.contract import configs
from modelwright.contract.environment import TrainingContext, script_environment
from modelwright.contract.layout import ProcessingLayout, TrainingLayout
from modelwright.contract.problems import ContractError


def context(**more: object) -> TrainingContext:
    given = {
        "name": "job", "arn": "arn:job", "region": "eu-west-1",
        "hyperparameters": {"sagemaker_program": "train.py", "C": "1.0"},
        "input_data_config": {"my-chan": {}, "b": {}},
        "resource_config": configs.resource_config("ml.m5.large"), **more,
    }  # fmt: skip
    return TrainingContext(**given)  # type: ignore[arg-type]


def test_two_hosts_are_told_of_each_other() -> None:
    assert configs.resource_config("ml.c5.xlarge", 2, current=2) == {
        "current_host": "algo-2",
        "current_instance_type": "ml.c5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1", "algo-2"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.c5.xlarge",
                "hosts": ["algo-1", "algo-2"],
            }
        ],
        "network_interface_name": "eth0",
    }


def test_a_channel_says_how_it_is_read_and_its_type_only_when_it_has_one() -> None:
    source = {
        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/", "S3DataDistributionType": "ShardedByS3Key"}
    }
    channels = [
        {"ChannelName": "a", "DataSource": source},
        {"ChannelName": "b", "DataSource": {}, "ContentType": "text/csv"},
    ]
    assert configs.input_data_config(channels, "FastFile") == {
        "a": {"TrainingInputMode": "FastFile", "S3DistributionType": "ShardedByS3Key", "RecordWrapperType": "None"},
        "b": {"TrainingInputMode": "FastFile", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None",
              "ContentType": "text/csv"},
    }  # fmt: skip


def test_the_job_s_environment_wins_over_the_platform_s_and_loses_to_the_toolkit_s() -> None:
    env = script_environment(context(environment={"TRAINING_JOB_NAME": "mine", "SM_MODEL_DIR": "/x", "X": "1"}))
    assert (env["TRAINING_JOB_NAME"], env["SM_MODEL_DIR"], env["X"]) == ("mine", "/opt/ml/model", "1")


def test_names_keep_their_dashes_and_channels_are_sorted() -> None:
    env = script_environment(context())
    assert env["SM_CHANNEL_MY-CHAN"] == "/opt/ml/input/data/my-chan"
    assert json.loads(env["SM_CHANNELS"]) == ["b", "my-chan"]
    assert json.loads(env["SM_HPS"]) == {"C": 1.0}
    assert env["PYTHONPATH"] == "/opt/ml/code"


def test_the_environment_s_program_wins_and_none_is_an_error() -> None:
    assert context(environment={"SAGEMAKER_PROGRAM": "other.py"}).program == "other.py"
    with pytest.raises(ContractError, match="no entry point"):
        _ = context(hyperparameters={}).program


def test_the_base_moves_everything() -> None:
    layout = TrainingLayout("/base")
    paths = [*layout.directories(), layout.failure, layout.success, layout.channel("x"), layout.checkpoints]
    assert all(path.startswith("/base/") for path in paths)
    assert ProcessingLayout().message == "/opt/ml/output/message"
