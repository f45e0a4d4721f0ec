"""The queue of an asynchronous endpoint that is deleted, or cannot end a request, at the worst moment."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from modelwright.clock import FakeClock
from modelwright.local.sagemaker.hosting.asynchronous import AsyncQueue
from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.service import AwsError
from modelwright.local.store.database import Database

PLAN = [
    {
        "VariantName": "v0",
        "InitialInstanceCount": 1,
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "Async": {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}},
    }
]


class Traffic:
    """Its one server is killed while it works on a request."""

    def __init__(self) -> None:
        self.begun, self.killed = threading.Event(), threading.Event()

    @contextmanager
    def borrow(self, _):
        self.begun.set()
        assert self.killed.wait(30)
        raise ServerFailed("the model server ended while it worked on the request")
        yield


class Endpoints:
    """One endpoint, in service until a test says otherwise."""

    def __init__(self) -> None:
        self.record: dict | None = {"EndpointName": "late", "EndpointStatus": "InService", "Plan": PLAN}
        self.serving = Traffic()
        self.rehearsals = SimpleNamespace(minute_of=lambda _: 60.0)
        self.after_find = lambda: None

    def find(self, _name):
        found = None if self.record is None else dict(self.record)
        self.after_find()
        return found

    def all(self):
        return [self.record] if self.record else []

    def traffic(self, _name):
        return self.serving

    def running(self):
        """No fleet: the plan says how many instances there are."""
        return {}


@pytest.fixture
def endpoints():
    return Endpoints()


@pytest.fixture
def cloud(tmp_path):
    metrics = SimpleNamespace(tell=lambda *_: None)
    database = Database(tmp_path / "state")
    yield SimpleNamespace(
        database=database,
        account="123456789012",
        clock=FakeClock(),
        directory=tmp_path,
        services={"sagemaker-runtime": SimpleNamespace(metrics=metrics)},
    )
    database.close()


@pytest.fixture
def queue(cloud, endpoints):
    return AsyncQueue(cloud, endpoints)


def invoke(queue, **more):
    return queue.invoke({"EndpointName": "late", "InputLocation": "s3://bucket/in", **more})


def test_a_request_that_is_cut_off_by_the_deletion_does_not_come_back(queue, cloud, endpoints):
    """An endpoint of the same name must not find it."""
    invoke(queue)
    queue.look()
    assert endpoints.serving.begun.wait(30)
    endpoints.record["EndpointStatus"] = "Deleting"
    queue.forget("late")
    endpoints.serving.killed.set()
    assert queue.settled(30)
    endpoints.record["EndpointStatus"] = "InService"
    assert (cloud.database.all("async-request"), queue._next()) == ([], [])


def test_a_request_that_comes_with_the_deletion_is_refused_or_forgotten(queue, cloud, endpoints):
    deleting: list[threading.Thread] = []

    def forget() -> None:
        endpoints.record["EndpointStatus"] = "Deleting"
        queue.forget("late")

    def delete() -> None:
        """Delete the endpoint when it was found in service, and the request is not kept yet."""
        endpoints.after_find = lambda: None
        deleting.append(threading.Thread(target=forget))
        deleting[0].start()
        deleting[0].join(0.1)  # without one lock for both, all is forgotten by now, but the request

    endpoints.after_find = delete
    invoke(queue)
    deleting[0].join(30)
    assert cloud.database.all("async-request") == []
    with pytest.raises(AwsError, match="is Deleting"):
        invoke(queue)


def test_one_that_cannot_be_ended_holds_up_no_other(queue, cloud, endpoints):
    endpoints.record["Plan"] = [{**PLAN[0], "InitialInstanceCount": 0}]
    invoke(queue, RequestTTLSeconds=60)
    cloud.clock.advance(61)
    endpoints.record["Plan"] = PLAN
    invoke(queue, RequestTTLSeconds=21_600)
    queue._worker.give_up = lambda *_: (_ for _ in ()).throw(OSError("no space left"))
    queue.look()
    assert endpoints.serving.begun.wait(30), "the other one was begun"
    assert len(cloud.database.all("async-request")) == 2, "and this one waits on"
    queue.stop()
    endpoints.serving.killed.set()


def test_after_a_start_what_waited_for_a_deleted_endpoint_is_gone(queue, cloud, endpoints):
    invoke(queue)
    again = AsyncQueue(cloud, endpoints)
    endpoints.record = None
    again._held = again._requests.all()
    again.resume()
    assert cloud.database.all("async-request") == []
