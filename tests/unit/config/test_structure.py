from __future__ import annotations

import pytest


def digest(project) -> str:
    return project.load().pipeline("things").structure().digest()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{C: 1.0}", "{C: 2.0}"),
        ("instance: ml.t2.medium", "instance: ml.m5.large, instance_count: 2, keep: 5"),
        ("script: process.py, instance: ml.m5.large", "script: process.py, instance: ml.c5.xlarge, volume_gib: 20"),
        ("accuracy >= 0.80", "f1 >= champion.f1"),
        ('"1.9-0"', '"1.2-1"'),
        ("data/things.csv", "data"),
        ("description: Tell", "description: Don't tell"),
    ],
)
def test_what_a_release_carries_needs_no_deploy(project, old: str, new: str) -> None:
    before = digest(project)
    project.replace(old, new)
    assert digest(project) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rate(7 days)", "rate(1 day)"),
        (", schedule: rate(7 days)", ""),
        ("branch: main", "branch: release"),
        ("branch: main", "codecommit: things"),
        ("rate(7 days)", "rate(7 days), data: {}"),
        ("rate(7 days)", "rate(7 days), data: {every_records: 10}"),
        ("{endpoint: realtime, instance: ml.t2.medium, smoke_test: data/smoke.csv}", "{endpoint: none}"),
        ("data/things.csv", "s3://elsewhere/things/"),
    ],
)
def test_what_the_template_is_made_from_needs_a_deploy(project, old: str, new: str) -> None:
    before = digest(project)
    project.replace(old, new)
    assert digest(project) != before


def test_code_is_no_part_of_the_structure(project) -> None:
    before = digest(project)
    project.write("training_code/things/train.py", "print('other')")
    assert digest(project) == before
