"""The queues of asynchronous endpoints: requests wait until an instance has room, also for an instance to come.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-how-it-works.html

A request is kept until its answer lies in S3 and the topic was told, so it survives the end of this process; one that
was cut off in between is done again.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.records import SERVING
from modelwright.local.sagemaker.hosting.async_config import Settings
from modelwright.local.sagemaker.hosting.async_requests import Request, Requests, check_input
from modelwright.local.sagemaker.hosting.async_work import Unserved, Worker
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoints.service import Endpoints
    from modelwright.local.sagemaker.runtime import SageMakerRuntime

LOOK_EVERY_SECONDS = 0.25
MOST_ATTEMPTS = 3
"""so often a request is begun anew when its server ended while it worked on it"""
_log = logging.getLogger(__name__)


class AsyncQueue:
    """Takes requests, and has them done: at most so many at once as the endpoint's instances have room for."""

    def __init__(self, cloud: Cloud, endpoints: Endpoints) -> None:
        """Nothing is done before `start`."""
        self._cloud = cloud
        self._endpoints = endpoints
        self._requests = Requests(cloud)
        self._worker = Worker(cloud)
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Request]] = defaultdict(deque)
        self._running: Counter[str] = Counter()
        self._reported: dict[str, float] = {}
        self._held: list[Request] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="async-endpoints", daemon=True)

    def start(self) -> None:
        """Begin to work on what comes from now on."""
        self._held = self._requests.all()
        self._thread.start()

    def resume(self) -> None:
        """Take up what waited when the process before this one ended: roles and buckets are there again."""
        with self._changed:
            held, self._held = self._held, []
            for request in reversed(held):
                self._wait_again(request)
            self._changed.notify_all()

    def stop(self) -> None:
        """Begin nothing more; what is under way is done again after the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def invoke(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer InvokeEndpointAsync: the request is kept, and where its answer will be is said."""
        name = params["EndpointName"]
        with self._changed:  # `forget` comes before or after all of it
            config = self._config(name)
            check_input(params["InputLocation"])
            request = self._requests.take(name, config, params)
            self._waiting[name].append(request)
            self._changed.notify_all()
        answer = {"InferenceId": request.inference_id, "OutputLocation": request.output}
        return answer if request.failure is None else {**answer, "FailureLocation": request.failure}

    def forget(self, endpoint: str) -> None:
        """Drop what waits for an endpoint that is deleted."""
        with self._changed:
            for request in [*self._waiting.pop(endpoint, ()), *self._held]:
                if request.endpoint == endpoint:
                    self._requests.drop(request)
            self._held = [request for request in self._held if request.endpoint != endpoint]

    def settled(self, seconds: float) -> bool:
        """Wait until nothing is under way and nothing waits that could be begun; whether it came to that in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not +self._running and not self._next(), seconds)

    def look(self) -> None:
        """Begin what can be begun, end what has waited for too long, and report how much waits, if it is time."""
        with self._changed:
            expired = self._expired()
            begun = self._begin()
        for request in begun:
            threading.Thread(target=self._do, args=(request,), name="async-request", daemon=True).start()
        for request, variant in expired:
            self._expire(request, variant)
        self._report()

    def _config(self, name: str) -> Mapping[str, Any]:
        record, account = self._endpoints.find(name), self._cloud.account
        if record is None:
            raise AwsError("ValidationError", f"Endpoint {name} of account {account} not found.")
        plan = record["Plan"] or []
        if record["EndpointStatus"] not in SERVING or not plan:
            status = record["EndpointStatus"]
            raise AwsError("ValidationError", f"Endpoint {name} of account {account} is {status}, not InService.")
        if not plan[0].get("Async"):
            raise AwsError("ValidationError", f"Endpoint {name} is not asynchronous; use InvokeEndpoint.")
        found: Mapping[str, Any] = plan[0]["Async"]
        return found

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._stopping and not self._next():
                    self._changed.wait(LOOK_EVERY_SECONDS)
                if self._stopping:
                    return
            try:
                self.look()
            except Exception:  # noqa: BLE001  # the next look must find this thread alive
                _log.exception("the queues of asynchronous endpoints were not looked after")

    def _next(self) -> list[str]:
        """The endpoints with a request that could be begun."""
        return [name for name, waiting in self._waiting.items() if waiting and self._running[name] < self._room(name)]

    def _room(self, name: str) -> int:
        """How many requests the endpoint's instances work on at once.

        One that is being taken away takes none any more, and is in the plan until it has ended what it has.
        """
        plan = self._plan(name)
        if not plan or not plan[0].get("Async"):
            return 0
        fleet = self._endpoints.running().get(name)
        instances = _instances(plan) if fleet is None else sum(map(fleet.count, fleet.variants))
        return Settings(plan[0]["Async"]).concurrency * instances

    def _plan(self, name: str) -> list[dict[str, Any]]:
        record = self._endpoints.find(name)
        if record is None or record["EndpointStatus"] not in SERVING:
            return []
        return [variant for variant in record["Plan"] or () if not variant.get("Shadow")]

    def _expired(self) -> list[tuple[Request, Mapping[str, Any]]]:
        now = self._cloud.clock.time()
        found: list[tuple[Request, Mapping[str, Any]]] = []
        for name, waiting in self._waiting.items():
            over = [request for request in waiting if request.is_expired(now)]
            plan = self._plan(name) if over else []
            for request in over if plan else ():
                waiting.remove(request)
                found.append((request, plan[0]))
        return found

    def _begin(self) -> list[Request]:
        begun = []
        for name in self._next():
            room = self._room(name) - self._running[name]
            for _ in range(min(room, len(self._waiting[name]))):
                begun.append(self._waiting[name].popleft())
                self._running[name] += 1
        return begun

    def _expire(self, request: Request, variant: Mapping[str, Any]) -> None:
        """End a request that has waited for too long; if that fails, it waits on, and is ended at another look."""
        try:
            self._end(request, variant, f"ClientError: The request waited for more than {request.ttl_seconds} s.")
        except Exception:  # noqa: BLE001  # one that cannot be ended must not hold up the others
            _log.exception("an asynchronous request could not be ended endpoint=%s", request.endpoint)
            self._wait_again(request)

    def _do(self, request: Request) -> None:
        try:
            self._done(request)
        except Exception:  # noqa: BLE001  # nobody else sees this thread's end; it is kept, and done after the next start
            _log.exception("an asynchronous request could not be ended endpoint=%s", request.endpoint)
        finally:
            with self._changed:
                self._running[request.endpoint] -= 1
                self._changed.notify_all()

    def _done(self, request: Request) -> None:
        try:
            self._worker.do(request, self._endpoints.traffic(request.endpoint))
        except (Unserved, AwsError) as error:
            self._put_back(request, str(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller waits for an end
            _log.exception("an asynchronous request failed endpoint=%s", request.endpoint)
            self._put_back(request, f"InternalError: {error}")
        else:
            self._requests.drop(request)

    def _put_back(self, request: Request, reason: str) -> None:
        """Do it again, in its old place, unless that was tried often enough; not at all while this process ends."""
        if self._stopping:
            return
        plan = self._plan(request.endpoint)
        if plan and _instances(plan) and request.attempts + 1 >= MOST_ATTEMPTS:
            self._end(request, plan[0], f"ClientError: The model server failed {MOST_ATTEMPTS} times: {reason}")
            return
        self._wait_again(self._requests.again(request))

    def _wait_again(self, request: Request) -> None:
        """Let a request wait in its old place; one whose endpoint is, or is being, deleted is forgotten like others."""
        with self._changed:  # `forget` comes before or after all of it
            record = self._endpoints.find(request.endpoint)
            if record is None or record["EndpointStatus"] == "Deleting":
                self._requests.drop(request)
            else:
                self._waiting[request.endpoint].appendleft(request)

    def _end(self, request: Request, variant: Mapping[str, Any], reason: str) -> None:
        metric = "ExpiredRequests" if request.is_expired(self._cloud.clock.time()) else ""
        self._worker.give_up(request, variant, reason, metric)
        self._requests.drop(request)

    def _report(self) -> None:
        """Report each endpoint's queue once a minute.

        https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html#async-inference-monitor-cloudwatch-async
        """
        now = self._cloud.clock.time()
        for record in self._endpoints.all():
            name, plan = record["EndpointName"], self._plan(record["EndpointName"])
            due = self._reported.get(name, 0.0) + self._endpoints.rehearsals.minute_of(name)
            if plan and plan[0].get("Async") and now >= due:
                self._reported[name] = now
                self._report_one(name, _instances(plan), now)

    def _report_one(self, name: str, instances: int, now: float) -> None:
        with self._changed:
            waiting, running = len(self._waiting[name]), self._running[name]
            oldest = self._waiting[name][0].received_at if waiting else now
        backlog = waiting + running
        values = [
            ("ApproximateBacklogSize", float(backlog), "Count"),
            ("ApproximateBacklogSizePerInstance", backlog / max(1, instances), "Count"),
            ("ApproximateAgeOfOldestRequest", now - oldest, "Seconds"),
            ("HasBacklogWithoutCapacity", float(backlog > 0 and instances == 0), "Count"),
        ]
        services: Mapping[str, Any] = self._cloud.services
        runtime: SageMakerRuntime = services["sagemaker-runtime"]
        runtime.metrics.tell({"EndpointName": name}, values)


def _instances(plan: list[dict[str, Any]]) -> int:
    return sum(int(variant["InitialInstanceCount"]) for variant in plan)
