"""Functions when the local cloud ends and starts again: each test has clouds of its own, one after the other."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from typing import TYPE_CHECKING, Any

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/function"
SERVICES = {
    "logs": "modelwright.local.logs:Logs",
    "cloudwatch": "modelwright.local.monitoring.service:CloudWatch",
    "lambda": "modelwright.local.functions.service:Functions",
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def create(cloud: Cloud, name: str, code: str) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("app.py", code)
    given = {"Runtime": "python3.14", "Role": ROLE, "Handler": "app.handler", "MemorySize": 512, "Timeout": 60}
    cloud.client("lambda").create_function(FunctionName=name, Code={"ZipFile": body.getvalue()}, **given)


def test_what_the_api_made_is_there_after_a_restart_and_taken_events_are_delivered(tmp_path: Path) -> None:
    marker = tmp_path / "delivered"
    code = "def handler(event, context):\n    open(event, 'w').close()\n"
    first = Cloud(tmp_path / "state", "us-east-1", services=SERVICES, warm=False)
    first.start()
    first.iam.put_role(ROLE, TRUST, {})
    create(first, "kept", code)
    first.stop()
    state = Cloud(tmp_path / "state", "us-east-1", services=SERVICES, warm=False)
    body = {"function": "kept", "payload": json.dumps(str(marker)).encode(), "request_id": "r"}
    state.database.put("lambda.event", "kept/r", body)  # as a daemon leaves it that was killed in between
    state.start()
    try:
        assert state.client("lambda").get_function(FunctionName="kept")["Configuration"]["Handler"] == "app.handler"
        pause = threading.Event()
        assert any(marker.exists() or pause.wait(0.02) for _ in range(6000))
    finally:
        state.stop()


def test_a_call_that_the_end_of_the_cloud_cuts_off_is_no_error_of_the_function(tmp_path: Path) -> None:
    began = tmp_path / "began"
    code = "import time\ndef handler(event, context):\n    open(event, 'w').close()\n    time.sleep(60)\n"
    cloud = Cloud(tmp_path / "state", "us-east-1", services=SERVICES, warm=False)
    cloud.start()
    cloud.iam.put_role(ROLE, TRUST, {})
    create(cloud, "cut-off", code)
    answers: list[Any] = []
    event = {"FunctionName": "cut-off", "Payload": json.dumps(str(began)).encode()}
    call = threading.Thread(target=lambda: answers.append(cloud.client("lambda").invoke(**event)))
    call.start()
    pause = threading.Event()
    assert any(began.exists() or pause.wait(0.02) for _ in range(6000))
    counted: list[tuple[str, float]] = []
    cloud.put_metric = lambda _space, name, value, *_: counted.append((name, value))  # type: ignore[method-assign]
    cloud.stop()
    call.join()
    assert answers[0]["FunctionError"] == "Unhandled"
    assert ("Errors", 1) not in counted
    assert dict(counted)["Invocations"] == 1
