"""checkov and CDK's own validation themselves, on templates that are wrong on purpose."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3

from modelwright.client.checks.checkov import check_checkov
from modelwright.client.checks.programs import ensure_environment
from modelwright.client.checks.report import Collector
from modelwright.client.checks.templates import Template


def test_checkov_finds_what_is_open_and_takes_acceptances_by_place(tmp_path: Path) -> None:
    """One run for all of it: the tool takes seconds to start."""
    python = ensure_environment(Path(__file__).parents[2])
    skip = [{"id": "CKV_AWS_18", "comment": "it takes the logs"}, {"id": "CKV_AWS_26", "comment": "of a topic"}]
    body = {
        "Resources": {
            "Open": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Logs": {"Type": "AWS::S3::Bucket", "Properties": {}, "Metadata": {"checkov": {"skip": skip}}},
        }
    }
    path = tmp_path / "x.template.json"
    path.write_text(json.dumps(body))
    collector = Collector()
    check_checkov(python, [Template("x", path, body)], collector)
    found = {(item.id, item.where) for item in collector.findings}
    assert {("CKV_AWS_18", "x/Open"), ("CKV_AWS_53", "x/Open"), ("CKV_AWS_53", "x/Logs")} <= found
    assert ("CKV_AWS_26", "x/Logs") in found  # accepted in vain
    assert ("CKV_AWS_18", "x/Logs") not in found
    assert [(item.id, item.where, item.reason) for item in collector.accepted] == [
        ("CKV_AWS_18", "x/Logs", "it takes the logs")
    ]


def test_cdk_itself_finds_a_value_that_aws_would_refuse(tmp_path: Path) -> None:
    app = App(analytics_reporting=False, outdir=str(tmp_path), builtin_cloud_formation_validation=True)
    s3.CfnBucket(Stack(app, "x"), "Bucket", versioning_configuration={"status": "Sometimes"})
    try:
        app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)  # noqa: PT017 # whether it raises is the version's business
    report = json.loads((tmp_path / "validation-report.json").read_text("utf-8"))
    places = {
        construct["constructPath"]
        for plugin in report["pluginReports"]
        if plugin["pluginName"] == "CloudFormation Validate"
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert places == {"x/Bucket"}
