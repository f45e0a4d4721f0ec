"""Requests, deletions and the end of the local cloud that meet a change of an endpoint at its worst moment."""

from __future__ import annotations

import threading

import pytest

from modelwright.local.sagemaker.endpoints.deployment import CutOff
from modelwright.local.sagemaker.endpoints.guardrails import Bake
from modelwright.local.sagemaker.endpoints.rollout import Rollout
from modelwright.local.sagemaker.hosting.fleet import Fleet, Member, Traffic
from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.service import AwsError


def plan(count=1):
    return [{"VariantName": "v", "InitialVariantWeight": 1.0, "InitialInstanceCount": count}]


class Server:
    def __init__(self) -> None:
        self.is_up = False
        self.go_on = threading.Event()
        self.go_on.set()
        self.starting, self.stopping = threading.Event(), threading.Event()

    def start(self) -> None:
        self.starting.set()
        assert self.go_on.wait(30)
        self.is_up = True

    def stop(self, _grace=0) -> None:
        self.stopping.set()
        assert self.go_on.wait(30)
        self.is_up = False


class Store:
    """The endpoint's record."""

    def __init__(self, status="InService") -> None:
        self.record = {
            "EndpointName": "e",
            "EndpointStatus": status,
            "EndpointConfigName": "c",
            "Plan": plan(),
            "Pending": {"EndpointConfigName": "new", "DeploymentConfig": None},
        }
        self.before_settled = lambda: None
        self.settled, self.deleted = threading.Event(), threading.Event()

    def get(self, name):
        return dict(self.record)

    def note(self, record) -> None:
        self.record = dict(record)

    def settle(self, record, status, reason) -> None:
        self.before_settled()
        self.record = {**record, "EndpointStatus": status, "FailureReason": reason}
        self.settled.set()

    def delete(self, name) -> None:
        self.deleted.set()


class Deployer:
    def __init__(self) -> None:
        self.fleets: list[Fleet] = []
        self.before_start = lambda: None
        self.shift = lambda moved, *_: moved.traffic.route((moved.fleet, 1.0))
        self.cleared: list[str] = []

    def plan(self, config):
        return plan()

    def first(self, plan, deployment):
        return plan

    def fleet(self, name, plan, config) -> Fleet:
        self.before_start()
        made = Fleet(plan, lambda variant, number: Member("v", f"{len(self.fleets)}-{number}", Server()))
        self.fleets.append(made)
        made.start()
        return made

    def clear(self, name) -> None:
        self.cleared.append(name)


class Configs:
    def get(self, name):
        return {}


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def deployer():
    return Deployer()


@pytest.fixture
def rollout(store, deployer):
    return Rollout(store, deployer, Configs())


def up(*fleets: Fleet) -> int:
    return sum(member.server.is_up for fleet in fleets for member in fleet.members)


@pytest.mark.parametrize("status", ["Deleting", "Creating"])
def test_a_late_request_starts_nothing_for_an_endpoint_that_does_not_serve(rollout, store, deployer, status):
    """It read the record before the deletion began; an endpoint of the same name may even be made again by now."""
    store.record["EndpointStatus"] = status
    with pytest.raises(AwsError, match="is being deleted"):
        rollout.traffic("e")
    assert deployer.fleets == []


def test_a_request_after_a_change_of_a_resting_endpoint_starts_what_was_asked_for(rollout, store, deployer):
    asked: list[threading.Thread] = []

    def ask() -> None:
        asked.append(threading.Thread(target=rollout.traffic, args=("e",)))
        asked[0].start()
        asked[0].join(0.1)  # it must wait for the record

    store.before_settled = ask
    rollout.scale("e", [{"VariantName": "v", "DesiredInstanceCount": 3}])
    assert store.settled.wait(30)
    asked[0].join(30)
    assert (deployer.fleets[0].count("v"), store.record["Plan"][0]["InitialInstanceCount"]) == (3, 3)


def test_what_a_request_starts_while_the_local_cloud_ends_is_ended(rollout, deployer):
    deployer.before_start = rollout.stop
    with pytest.raises(AwsError, match="the local cloud ends"):
        rollout.traffic("e")
    assert up(*deployer.fleets) == 0


def test_a_deployment_that_the_end_cuts_off_is_none(rollout, store, deployer):
    """Neither the new fleet nor the old one lives on, and the record says that the old one serves, after `recover`."""
    rollout.traffic("e")
    ended = threading.Event()

    def shift(moved, stopping, at) -> None:
        moved.traffic.route((moved.fleet, 1.0))
        threading.Thread(target=lambda: (rollout.stop(), ended.set()), daemon=True).start()
        assert stopping.wait(30)
        Bake(Guard(), 600, stopping).wait()

    deployer.shift = shift
    store.record["EndpointStatus"] = "Updating"
    rollout.deploy("e")
    assert ended.wait(30)
    for thread in list(rollout._threads):
        thread.join(30)
    assert (len(deployer.fleets), up(*deployer.fleets), store.settled.is_set()) == (2, 0, False)


class Guard:
    def check(self) -> None:
        pass


def test_a_bake_that_the_end_cuts_off_is_no_good_one():
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(CutOff):
        Bake(Guard(), 600, stopping).wait()
    Bake(Guard(), 0, stopping).wait()  # one that is over is over


def test_nothing_is_put_into_service_once_the_local_cloud_ends(rollout, store, deployer):
    rollout.stop()
    rollout.deploy("e")
    for thread in list(rollout._threads):
        thread.join(30)
    assert (len(deployer.fleets), up(*deployer.fleets), store.settled.is_set()) == (1, 0, False)


def test_a_deletion_waits_for_the_fleet_that_an_update_replaced(rollout, store, deployer):
    rollout.traffic("e")
    (old,) = deployer.fleets
    server = old.members[0].server
    server.go_on.clear()
    rollout.deploy("e")
    assert server.stopping.wait(30)
    rollout.remove("e")
    for member in deployer.fleets[1].members:
        assert member.server.stopping.wait(30)
    assert (deployer.cleared, store.deleted.is_set()) == ([], False)
    server.go_on.set()
    assert store.deleted.wait(30)
    assert (deployer.cleared, up(*deployer.fleets)) == (["e"], 0)


def test_a_fleet_that_is_stopped_while_it_grows_keeps_none_of_the_new_servers():
    made: list[Member] = []
    tidied: list[int] = []

    def make(variant, number) -> Member:
        made.append(Member("v", str(number), Server()))
        return made[-1]

    fleet = Fleet(plan(), make, lambda: tidied.append(len(made)))
    fleet.start()
    raised: list[Exception] = []

    def grow() -> None:
        try:
            fleet.resize("v", 2)
        except ServerFailed as error:
            raised.append(error)

    original = made[0].server
    Server.start, start = lambda self: (fleet.stop(0, 0), start(self)), Server.start
    try:
        grow()
    finally:
        Server.start = start
    assert (len(made), len(raised), original.is_up, made[1].server.is_up, tidied) == (2, 1, False, False, [2, 2])


def test_traffic_that_is_closed_takes_no_fleet():
    traffic = Traffic()
    traffic.close()
    traffic.route((Fleet(plan(), lambda *_: Member("v", "0", Server())), 1.0))
    assert traffic.fleet is None
