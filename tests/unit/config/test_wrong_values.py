"""Each wrong value is named with what is allowed."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "description:",
            "no_such_key: 1\ndescription:",
            "1: no_such_key is not a known key; known keys: description, data,",
        ),
        ("evaluate: {script: evaluate.py, instance: ml.m5.large}\n", "", "evaluate is missing; it must be a mapping"),
        (
            "evaluate: {script: evaluate.py, instance: ml.m5.large}",
            "evaluate: evaluate.py",
            "is 'evaluate.py'; it must be a m",
        ),
        ("script: train.py", "script: trian.py", "is 'trian.py', which does not exist; did you mean train.py?"),
        (
            "script: train.py",
            "script: ../train.py",
            "it must be a Python file (.py) directly in the pipeline's folder.",
        ),
        ("script: train.py", "script: train.sh", "it must be a Python file (.py) directly in the pipeline's folder."),
        ("script: train.py", "script: 5", "is 5; it must be a Python file of the pipeline's folder; put it in quotes"),
        (
            "data/things.csv",
            "data/thing.csv",
            "is 'data/thing.csv', which does not exist; did you mean data/things.csv?",
        ),
        (
            "data/things.csv",
            "/etc/passwd",
            "it must be a path relative to the pipeline's folder, with forward slashes.",
        ),
        ("data/things.csv", "../../cdk.json", "which is outside the pipeline's folder; it must be inside."),
        ("data/things.csv", "s3://Bucket/x", "is 's3://Bucket/x'; it must be s3://bucket/prefix."),
        ("data/things.csv", "s3://bucket", "is 's3://bucket', a whole bucket; it must name a prefix or an object"),
        ("data/things.csv", "https://x/y.csv", "is 'https://x/y.csv'; it must be s3://bucket/prefix."),
        (
            "data/things.csv",
            "s3://bucket/ra*/",
            "which has '*'; roles and rules are made of the prefix, which may hold",
        ),
        ("data/things.csv", '"s3://bucket/${aws:x}/"', "which has '$', '{' and '}'; roles and rules are made of"),
        ("data/things.csv", "s3://bucket/größe/", "which has 'ö' and 'ß'; roles and rules are made of the prefix"),
        ("data/things.csv", f"s3://bucket/{'a' * 257}", "which has 257 characters after the bucket; at most 256"),
        ("data/things.csv", "./", "the whole folder; put the data into a folder of its own."),
        ("data/smoke.csv", "data/none.csv", "deploy.smoke_test is 'data/none.csv', which does not exist"),
        ("data/smoke.csv", "train.py", "is 'train.py'; it must be a .csv or a .json file."),
        ("instance: ml.t2.medium", "instance: ml.t2.mediun", "for hosting, SageMaker has t2 in the sizes"),
        ("instance: ml.t2.medium", "instance: t2.medium", "it must be ml.<family>.<size>, like ml.t2.medium."),
        (
            "instance: ml.t2.medium",
            "instance: ml.g5.xlarge",
            "a machine with an accelerator; AWS's sklearn image is for CPUs",
        ),
        (
            "instance: ml.t2.medium",
            "instance: ml.m6g.large",
            "a Graviton (Arm) machine; AWS's sklearn 1.9-0 image is for x86",
        ),
        (
            "instance: ml.t2.medium",
            "instance: ml.t2.medium, instance_count: 9",
            "is 9; it must be 1 to 4, limits.max_instance_count of the environment.",
        ),
        ("framework: sklearn", "framework: sklaern", "is 'sklaern'; it must be sklearn."),
        ("framework: sklearn", "framework: pytorch", "is 'pytorch' (planned, not supported yet); it must be sklearn."),
        ("framework: sklearn", "algorithm: xgboost", "train.algorithm is not supported yet; write framework: sklearn"),
        ('"1.9-0"', '"1.4-2"', "is '1.4-2', which AWS has for training but not for inference; it must be 0.20.0,"),
        ('"1.9-0"', "1.9", 'version is 1.9; it must be a version in quotes, like "1.9-0"; put it in quotes: "1.9".'),
        (
            '"1.9-0"',
            '"1.9"',
            "is '1.9'; sklearn must be 0.20.0, 0.23-1, 1.0-1, 1.2-1, 1.4-2-py312 or 1.9-0. Did you mean 1.9-0?",
        ),
        (
            "hyperparameters: {C: 1.0}",
            "hyperparameters: {C: .nan}",
            "hyperparameters.C is nan; it must be a value that JSON has.",
        ),
        (
            "hyperparameters: {C: 1.0}",
            "hyperparameters: {sagemaker_x: 1}",
            "is a name that SageMaker keeps for itself.",
        ),
        (
            "hyperparameters: {C: 1.0}",
            "hyperparameters: {'a b': 1}",
            "must be a name of letters, digits, `_`, `.` and `-`.",
        ),
        (
            "hyperparameters: {C: 1.0}",
            f"hyperparameters: {{C: {'x' * 2500}}}",
            "C has 2502 characters; it must have at most 2500.",
        ),
        (
            "hyperparameters: {C: 1.0}",
            f"hyperparameters: {{{', '.join(f'h{number}: {chr(26085) * 1000}' for number in range(40))}}}",
            "has 120511 bytes of JSON; it must have at most 99000.",
        ),
        ("hyperparameters: {C: 1.0}", "hyperparameters: [C]", "hyperparameters is a list; it must be a mapping"),
        (
            "instance: ml.m5.large\n  hyper",
            "instance: ml.m5.large\n  max_runtime_seconds: 90000\n  hyper",
            "it must be 1 to 86400, limits.max_runtime_seconds of the environment.",
        ),
        (
            "instance: ml.m5.large\n  hyper",
            "instance: ml.m5.large\n  volume_gib: 10.5\n  hyper",
            "it must be a whole number, 1 to 100, limits.max_volume_gib of the environment.",
        ),
        (
            "instance: ml.m5.large\n  hyper",
            "instance: ml.m5.large\n  instance_count: 2\n  hyper",
            "several machines is not supported yet",
        ),
        (
            "instance: ml.m5.large\n  hyper",
            "instance: ml.m5.large\n  instance_count: true\n  hyper",
            "is true; it must be a whole",
        ),
        ('["accuracy >= 0.80"]', '"accuracy >= 0.80"', "gate is 'accuracy >= 0.80'; it must be a list"),
        ('["accuracy >= 0.80"]', "[0.8]", 'gate[0] is 0.8; it must be a text like "accuracy >= 0.8".'),
        ("endpoint: realtime", "endpoint: realtme", "async, multi-model or none. Did you mean realtime?"),
        ("endpoint: realtime", "endpoint: none", "deploy.smoke_test has no meaning with endpoint: none: there is noth"),
        ("branch: main", "github: me/it", "triggers.merge.github needs what GitHub logs in with; write into environ"),
        ("branch: main", "github: me", "triggers.merge.github is 'me'; it must be owner/repository, or owner@id/"),
        ("branch: main", "github: me/it.git", "triggers.merge.github is 'me/it.git'; it must be owner/repository"),
        ("branch: main", "github: me@1/it", "triggers.merge.github is 'me@1/it'; it must be owner/repository"),
        ("branch: main", "codecommit: a/b", "is 'a/b'; it must be the name of a CodeCommit repository."),
        ("branch: main", "codecommit: a, github: b/c", "merge.github stands beside codecommit; merges come from one"),
        ("rate(7 days)", "rate(7 days), data: {marker: a/b}", "is 'a/b'; it must be an object's name, no slash."),
        (
            "rate(7 days)",
            "rate(7 days), data: {every_records: 9999999999}",
            "every_records is 9999999999; it must be 1 to 1000000000.",
        ),
        ("rate(7 days)", "rate(7 days), data: {every_records: 0}", "every_records is 0; it must be 1 or more."),
        ("rate(7 days)", "rate(7 days), data: {every_records: 5, marker: done}", "marker stands beside every_records"),
        ("branch: main", "branch: '*'", "is '*'; it must be a branch's name."),
        ("rate(7 days)", "rate(7 day)", "EventBridge wants rate(7 days)."),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(project, old: str, new: str, problem: str) -> None:
    project.replace(old, new)
    problems = project.problems()
    assert [line for line in problems if problem in line], problems
    assert all(line.startswith("training_code/things/pipeline.yaml:") for line in problems)
