"""What an asynchronous endpoint is asked with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from modelwright.client.endpoints import async_prediction


def test_a_request_may_take_the_hour_that_the_server_has(monkeypatch: Any) -> None:
    """Without a word SageMaker gives it up after 15 minutes."""
    asked: dict[str, Any] = {}

    def invoke(**given: Any) -> dict[str, str]:
        asked.update(given)
        return {"OutputLocation": "s3://bucket/output"}

    session: Any = SimpleNamespace(client=lambda _: SimpleNamespace(invoke_endpoint_async=invoke))
    monkeypatch.setattr(async_prediction, "_upload", lambda *_: "s3://bucket/input")
    monkeypatch.setattr(async_prediction, "_read", lambda *_: b"[1]")
    deployment: Any = SimpleNamespace(endpoint_name="mw-dev-penguins")
    question: Any = SimpleNamespace(content_type="text/csv", accept="text/csv")
    assert async_prediction.ask_later(session, deployment, question) == b"[1]"
    assert asked["InvocationTimeoutSeconds"] == 3600
