"""`RecordMetrics` and `CheckQualityGate`: what was measured, published and decided."""

from __future__ import annotations

import json

import boto3
import pytest
from handler_ground import item, put

import check_quality_gate.handler as gate
import record_metrics.handler as record
from shared.table import run_key

pytestmark = pytest.mark.usefixtures("aws")


def test_metrics_go_into_the_run_and_into_cloudwatch() -> None:
    put("runs/penguins/r/evaluation/evaluation.json", b'{"metrics": {"accuracy": 0.9, "tiny": 1e-300}}')
    uri = "s3://artifacts/runs/penguins/r/evaluation/evaluation.json"

    found = record.handler({"run": "r", "evaluation_uri": uri}, None)

    assert found == {"metrics": {"accuracy": 0.9, "tiny": 1e-300}}
    assert json.loads(item(run_key("penguins", "r"))["metrics"]) == found["metrics"]
    published = boto3.client("cloudwatch").list_metrics(Namespace="Modelwright")["Metrics"]
    assert [metric["MetricName"] for metric in published] == ["accuracy"]


def test_without_a_champion_the_gate_says_so() -> None:
    assert gate.handler({"gate": [], "metrics": {}}, None) == {"passed": True, "clauses": []}


def test_the_gate_publishes_how_many_of_its_floors_a_model_missed() -> None:
    clause = {"left": {"metric": "accuracy"}, "op": ">=", "right": {"number": 0.8}, "text": "accuracy >= 0.8"}
    assert not gate.handler({"gate": [clause], "metrics": {"accuracy": 0.7}}, None)["passed"]
    (found,) = boto3.client("cloudwatch").list_metrics(Namespace="Modelwright", MetricName="GateFloorsMissed")[
        "Metrics"
    ]
    assert {item["Name"]: item["Value"] for item in found["Dimensions"]} == {
        "Environment": "dev",
        "Pipeline": "penguins",
    }
