"""`modelwright synth --check` with `key: aws-owned`: what the project does without is accepted, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from own_environments import PROJECT, project_with

from modelwright.client.checks import run_checks
from modelwright.client.checks.programs import ENVIRONMENT, REQUIREMENTS, ensure_environment

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {
    "CKV_AWS_26": 1,  # the topic
    "CKV_AWS_27": 1,  # the dead letters
    "CKV_AWS_119": 1,  # the table
    "CKV_AWS_136": 1,  # the repository
    "NIST.800.53.R5-SNSEncryptedKMS": 1,
    "NIST.800.53.R5-S3DefaultEncryptionKMS": 3,  # the log bucket's is accepted in any case
}
"""What only this choice does without, and how often; log groups are beside."""


def test_what_has_no_key_is_accepted_resource_by_resource(tmp_path: Path) -> None:
    ensure_environment(PROJECT)
    settings = (PROJECT / "environments" / "dev.yaml").read_text("utf-8")
    project = project_with(tmp_path / "project", dev=f"{settings}\nkey: aws-owned\n")
    for name in (REQUIREMENTS, ENVIRONMENT):
        (project / name).symlink_to(PROJECT / name)
    report = run_checks(project, "dev")
    assert [str(finding) for finding in report.findings] == []
    found = [accepted.id for accepted in report.accepted]
    assert {id_: found.count(id_) for id_ in KEYS} == KEYS
    assert found.count("CKV_AWS_158") == found.count("NIST.800.53.R5-CloudWatchLogGroupEncrypted") > 1
