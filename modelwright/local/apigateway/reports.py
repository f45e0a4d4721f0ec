"""What is written down of each request: a line of the access log, and the stage's metrics; beside the requests.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.local.apigateway.answers import substituted
from modelwright.local.apigateway.event import Who, extended_id
from modelwright.local.monitoring.metrics import Metric, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.apigateway.records import Api, Stage
    from modelwright.local.cloud import Cloud

_log = logging.getLogger(__name__)
_NAMESPACE = "AWS/ApiGateway"


@dataclass(frozen=True)
class Asked:
    """One request, as far as it is known when it is answered."""

    method: str
    request_id: str
    at: float
    path: str = "-"
    who: Who = field(default_factory=Who)
    user_agent: str = "-"


class Reports:
    """Writes in a thread of its own: no answer waits for an alarm that is evaluated."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._queue: queue.Queue[tuple[Api, Stage, Asked, Mapping[str, Any]] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, api: Api, stage: Stage, asked: Asked, ended: Mapping[str, Any]) -> None:
        """Take one request."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="api-reports", daemon=True)
                self._thread.start()
        self._queue.put((api, stage, asked, ended))

    def flush(self) -> None:
        """Return when everything that was taken is written."""
        self._queue.join()

    def stop(self) -> None:
        """Write what is left."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            try:
                if item is None:
                    return
                self._metrics(*item)
                self._line(*item)
            except Exception:  # noqa: BLE001 - one line that is lost must not end the writing
                _log.exception("a request to an API was not written down")
            finally:
                self._queue.task_done()

    def _metrics(self, api: Api, stage: Stage, asked: Asked, ended: Mapping[str, Any]) -> None:
        status = ended["status"]
        values = [
            ("Count", 1.0, "Count"),
            ("4XXError", float(400 <= status <= 499), "Count"),
            ("5XXError", float(status >= 500), "Count"),
            ("Latency", ended["seconds"] * 1000, "Milliseconds"),
        ]
        if ended["integration_seconds"] is not None:
            values.append(("IntegrationLatency", ended["integration_seconds"] * 1000, "Milliseconds"))
        monitoring: Any = self._cloud.services["cloudwatch"]
        monitoring.record_all(
            [
                Recorded(Metric.of(_NAMESPACE, name, dimensions), asked.at, value, unit)
                for dimensions in ({"ApiName": api.name}, {"ApiName": api.name, "Stage": stage.name})
                for name, value, unit in values
            ]
        )

    def _line(self, api: Api, stage: Stage, asked: Asked, ended: Mapping[str, Any]) -> None:
        log = stage.properties.get("AccessLogSetting")
        if log:
            group = log["DestinationArn"].partition(":log-group:")[2].removesuffix(":*")
            line = substituted(log["Format"], _context(api, stage, asked, ended))
            self._cloud.log(group, f"{api.id}-{stage.name}", [(asked.at, line)])


def _context(api: Api, stage: Stage, asked: Asked, ended: Mapping[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html."""
    seconds, refused, who = ended["integration_seconds"], ended["refused"], asked.who
    found: dict[str, Any] = {
        "apiId": api.id,
        "stage": stage.name,
        "requestId": asked.request_id,
        "extendedRequestId": extended_id(asked.request_id),
        "requestTime": datetime.fromtimestamp(asked.at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(asked.at * 1000),
        "httpMethod": asked.method,
        "resourcePath": asked.path,
        "path": f"/{stage.name}{asked.path}",
        "protocol": "HTTP/1.1",
        "status": ended["status"],
        "responseLength": ended["length"],
        "responseLatency": round(ended["seconds"] * 1000),
        "identity.sourceIp": "127.0.0.1",
        "identity.userAgent": json.dumps(asked.user_agent)[1:-1],
    }
    if seconds is not None:
        found |= {"integrationLatency": round(seconds * 1000), "integration.status": 200}
    if who.caller:
        found |= {"identity.userArn": who.caller.arn, "identity.caller": who.caller.arn}
    if who.key_id:
        found["identity.apiKeyId"] = who.key_id
    if refused:
        found |= {"error.responseType": refused.type, "error.message": json.dumps(refused.message)[1:-1]}
        found["error.messageString"] = json.dumps(refused.message)
    return found
