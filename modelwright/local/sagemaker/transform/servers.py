"""The model's containers of a batch transform job: servers like an endpoint's, asked with payloads."""

from __future__ import annotations

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.plan import PlanError, make_plan
from modelwright.local.sagemaker.hosting.server import Server, ServerFailed, ServerSpec
from modelwright.local.sagemaker.jobs.problems import ClientProblem, ContainerFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.registry.models import Models
    from modelwright.local.store.objects import ObjectStore

TIMEOUT_SECONDS, RETRIES = 600, 3
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelClientConfig.html"""
STARTUP_SECONDS = 1800.0
"""until the container has to answer its ping; a job as a whole has no limit in the API, and none here:
https://github.com/aws/amazon-sagemaker-examples/issues/815"""
_STOP_SECONDS = 5.0
_VARIANT = "AllTraffic"


class AnswerProblem(Exception):  # noqa: N818 - a line of the job's data log
    """The model did not answer a payload; `client` when it said that the payload is at fault (4xx)."""

    def __init__(self, lines: list[str], *, client: bool) -> None:
        super().__init__(lines[0])
        self.lines = lines
        self.client = client


@dataclass(frozen=True)
class Asking:
    """How the model is asked: content type, accepted type, seconds, retries."""

    headers: Mapping[str, str]
    seconds: float
    retries: int

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Asking:
        """Return what a job's description says."""
        client = job.get("ModelClientConfig", {})
        wanted = {
            "Content-Type": job["TransformInput"].get("ContentType"),
            "Accept": job["TransformOutput"].get("Accept"),
        }
        return cls(
            {name: value for name, value in wanted.items() if value},
            client.get("InvocationsTimeoutInSeconds", TIMEOUT_SECONDS),
            client.get("InvocationsMaxRetries", RETRIES),
        )


def plan_container(cloud: Cloud, models: Models, job: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve the model as for an endpoint: image, archive, role, environment. ClientProblem with the reason."""
    resources = job["TransformResources"]
    variant = {
        "VariantName": _VARIANT,
        "ModelName": job["ModelName"],
        "InstanceType": resources["InstanceType"],
        "InitialInstanceCount": resources["InstanceCount"],
        "InitialVariantWeight": 1.0,
    }
    try:
        plan = make_plan(cloud, models, {"ProductionVariants": [variant]})[0]
    except PlanError as error:
        raise ClientProblem(str(error)) from None
    if plan["MultiModel"] is not None:
        raise ClientProblem(f"The model {job['ModelName']} is of Mode MultiModel; batch transform asks one model.")
    return plan


class Containers:
    """So many servers of one model, each asked by one thread at a time. `stop` may be called from any thread."""

    def __init__(
        self, launcher: Any, objects: ObjectStore, folder: Path, on_line: Callable[[str], None], asking: Asking
    ) -> None:
        """Nothing is started yet."""
        self._launcher = launcher
        self._objects = objects
        self._folder = folder
        self._on_line = on_line
        self._asking = asking
        self._lock = threading.Lock()
        self._ending = threading.Lock()
        self._servers: list[Server] = []
        self._turn = itertools.count()
        self.stopped = False

    def start(self, plan: Mapping[str, Any], environment: Mapping[str, str], count: int) -> None:
        """Start `count` more servers at once; ContainerFailure with the reason when one does not serve."""
        made = [self._server(plan, environment, len(self._servers) + number) for number in range(count)]
        with self._lock:
            if self.stopped:
                return
            self._servers += made
        if not made:
            return
        with ThreadPoolExecutor(len(made)) as pool:
            for started in [pool.submit(server.start) for server in made]:
                error = started.exception()
                if error is None or self.stopped:  # it was ended while it started: no fault of the container's
                    continue
                if isinstance(error, ServerFailed):
                    raise ContainerFailure(f"The model's container did not pass the ping health check. {error}")
                raise error

    def execution_parameters(self) -> dict[str, Any]:
        """Return what the model's container says of how it wants to be asked; nothing if it says nothing.

        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
        """
        servers = self._running()
        if not servers:
            return {}
        try:
            reply = servers[0].exchange("GET", "/execution-parameters", {}, b"", 2)
            found = json.loads(reply.body) if reply.status == 200 else {}
        except (ServerFailed, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def ask(self, payload: bytes) -> bytes:
        """Return the answer to a payload; AnswerProblem in the words of AWS's data log."""
        problem = AnswerProblem(["Unable to get response from algorithm"], client=False)
        servers = self._running()
        if not servers:
            raise problem
        server = servers[next(self._turn) % len(servers)]
        for _ in range(1 + self._asking.retries):
            if self.stopped:
                break
            try:
                reply = server.exchange("POST", "/invocations", self._asking.headers, payload, self._asking.seconds)
            except ServerFailed as error:
                problem = AnswerProblem(["Unable to get response from algorithm", str(error)], client=False)
                continue
            if 200 <= reply.status < 300:
                return reply.body
            problem = _refused(reply.status, reply.body)
            if problem.client:
                break
        raise problem

    def stop(self, grace_seconds: float = _STOP_SECONDS) -> None:
        """End all servers, and start no more. Returns when none is left, also when another thread ends them."""
        self.stopped = True
        with self._ending:
            with self._lock:
                servers, self._servers = self._servers, []
            for server in servers:
                server.stop(min(grace_seconds, _STOP_SECONDS))

    def _running(self) -> list[Server]:
        """Return the servers of this moment; none once they are stopped."""
        with self._lock:
            return list(self._servers)

    def _server(self, plan: Mapping[str, Any], environment: Mapping[str, str], number: int) -> Server:
        archive = plan["Archive"]
        spec = ServerSpec(
            root=self._folder / f"server-{number}",
            archive=None if archive is None else self._objects.path(archive),
            environment=environment,
            startup_seconds=STARTUP_SECONDS,
        )
        return Server(self._launcher, spec, self._on_line)


def _refused(status: int, body: bytes) -> AnswerProblem:
    """The lines of AWS's data log: https://github.com/aws/amazon-sagemaker-examples/issues/898."""
    client = 400 <= status < 500
    first = f"ClientError: {status}" if client else f"Bad HTTP status received from algorithm: {status}"
    return AnswerProblem([first, "", "Message:", *body.decode("utf-8", "replace").splitlines()[:20]], client=client)
