"""Several production variants: shares, counts, and what is said of them."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from botocore.exceptions import ClientError

PID = "import os\ndef model_fn(d): return lambda x: os.getpid()\n"


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def scale(hosting, name, *wanted):
    hosting.client.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=list(wanted))
    return hosting.settled(name)


def shown(found):
    return {
        each["VariantName"]: (each["CurrentWeight"], each["CurrentInstanceCount"])
        for each in found["ProductionVariants"]
    }


def test_weights_change_who_answers_at_once(hosting):
    name = hosting.served(hosting.config(hosting.model(factor=1), hosting.model(factor=10), weights=(1.0, 0.0)))
    assert Counter(hosting.ask(name)[0] for _ in range(10)) == {3.0: 10}
    found = scale(
        hosting, name, {"VariantName": "v0", "DesiredWeight": 0.0}, {"VariantName": "v1", "DesiredWeight": 2.5}
    )
    assert shown(found) == {"v0": (0.0, 1), "v1": (2.5, 1)}
    assert (found["EndpointStatus"], "FailureReason" in found) == ("InService", False)
    assert Counter(hosting.ask(name)[0] for _ in range(10)) == {30.0: 10}


def test_a_variant_gets_more_servers_and_loses_them_again(hosting):
    name = hosting.served(hosting.config(hosting.model(script=PID)))
    assert shown(scale(hosting, name, {"VariantName": "v0", "DesiredInstanceCount": 3})) == {"v0": (1.0, 3)}
    assert len({hosting.ask(name) for _ in range(6)}) == 3
    assert shown(scale(hosting, name, {"VariantName": "v0", "DesiredInstanceCount": 1})) == {"v0": (1.0, 1)}
    assert len({hosting.ask(name) for _ in range(6)}) == 1
    assert hosting.total(name, "InvocationsPerInstance") == pytest.approx(6 / 3 + 6)


def test_a_server_that_goes_ends_when_it_has_answered_what_it_has(hosting):
    name = hosting.served(hosting.config(hosting.model(script=PID), count=2))
    fleet = hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet
    stays, goes = fleet.take(None), fleet.take(None)
    hosting.client.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": 1}]
    )
    found = hosting.client.describe_endpoint(EndpointName=name)
    (variant,) = found["ProductionVariants"]
    assert (found["EndpointStatus"], variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (
        "Updating", 2, 1,
    )  # fmt: skip
    process = goes.server._process
    assert (hosting.ask(name), process.wait(0)) == (stays.server.pid, None)
    fleet.give_back(goes)
    assert shown(hosting.settled(name)) == {"v0": (1.0, 1)}
    assert process.wait(120) == 0
    fleet.give_back(stays)


def test_no_request_is_lost_while_servers_come_and_go(hosting):
    name = hosting.served(hosting.config(hosting.model(factor=1)))
    asking, lost = threading.Event(), []

    def ask():
        while not asking.is_set():
            try:
                assert hosting.ask(name) == [3.0]
            except Exception as error:  # noqa: BLE001  # whatever it is, it is a lost request
                lost.append(error)

    callers = [threading.Thread(target=ask) for _ in range(4)]
    for caller in callers:
        caller.start()
    for count in (3, 1, 2, 1):
        assert shown(scale(hosting, name, {"VariantName": "v0", "DesiredInstanceCount": count})) == {"v0": (1.0, count)}
    asking.set()
    for caller in callers:
        caller.join(120)
    assert lost == []


def test_a_server_that_cannot_start_leaves_what_serves(hosting, tmp_path):
    licence = tmp_path / "licence"
    licence.touch()
    name = hosting.served(
        hosting.config(hosting.model(script=f"def model_fn(d): open({str(licence)!r}); return lambda x: 'yes'\n"))
    )
    licence.unlink()
    found = scale(hosting, name, {"VariantName": "v0", "DesiredInstanceCount": 2, "DesiredWeight": 7.0})
    assert shown(found) == {"v0": (1.0, 1)}
    assert "FileNotFoundError" in found["FailureReason"]
    assert hosting.ask(name) == "yes"


def test_where_one_variant_cannot_grow_no_other_has_shrunk(hosting, tmp_path):
    licence = tmp_path / "licence"
    licence.touch()
    script = f"def model_fn(d): open({str(licence)!r}); return lambda x: 'yes'\n"
    name = hosting.served(hosting.config(hosting.model(script=script), hosting.model(script=script), count=2))
    licence.unlink()
    found = scale(
        hosting, name,
        {"VariantName": "v0", "DesiredInstanceCount": 1}, {"VariantName": "v1", "DesiredInstanceCount": 3},
    )  # fmt: skip
    assert (shown(found), found["EndpointStatus"]) == ({"v0": (1.0, 2), "v1": (1.0, 2)}, "InService")
    assert "production variant v1" in found["FailureReason"]
    fleet = hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet
    assert (fleet.count("v0"), fleet.count("v1")) == (2, 2)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ([{"VariantName": "v9", "DesiredWeight": 1.0}], "There is no variant v9; the endpoint has v0, v1."),
        ([{"VariantName": "v0", "DesiredInstanceCount": 0}], "DesiredInstanceCount of v0 is 0; it must be 1 or more"),
        ([{"VariantName": "v0", "DesiredWeight": 0.0}, {"VariantName": "v1", "DesiredWeight": 0.0}], "above 0"),
        ([{"VariantName": "v0", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}], "v0 is not serverless"),
    ],
)
def test_a_change_that_is_not_possible_is_refused_at_once(hosting, wanted, reason):
    name = hosting.served(hosting.config(hosting.model(), hosting.model()))
    error = error_of(
        hosting.client.update_endpoint_weights_and_capacities, EndpointName=name, DesiredWeightsAndCapacities=wanted
    )
    assert (error["Code"], reason in error["Message"]) == ("ValidationException", True), error
    assert hosting.settled(name)["EndpointStatus"] == "InService"


def test_an_update_may_keep_counts_and_weights(hosting):
    name = hosting.served(hosting.config(hosting.model(script=PID)))
    scale(hosting, name, {"VariantName": "v0", "DesiredInstanceCount": 2, "DesiredWeight": 3.0})
    new = hosting.config(hosting.model(factor=2))
    hosting.client.update_endpoint(
        EndpointName=name,
        EndpointConfigName=new,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    assert shown(hosting.settled(name)) == {"v0": (1.0, 2)}
    assert hosting.ask(name) == [6.0]
    hosting.client.update_endpoint(EndpointName=name, EndpointConfigName=hosting.config(hosting.model()))
    assert shown(hosting.settled(name)) == {"v0": (1.0, 1)}


def test_the_server_with_the_fewest_requests_is_chosen_where_that_is_asked_for(hosting):
    config = hosting.variants(
        {
            "ModelName": hosting.model(script=PID),
            "InitialInstanceCount": 2,
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        }
    )
    name = hosting.served(config)
    hosting.ask(name)
    fleet = hosting.cloud.services["sagemaker"].endpoints.traffic(name).fleet
    busy = fleet.take(None)
    assert {fleet_stream(fleet) for _ in range(4)} == {member.stream for member in fleet.members} - {busy.stream}
    fleet.give_back(busy)


def fleet_stream(fleet):
    member = fleet.take(None)
    fleet.give_back(member)
    return member.stream


def test_each_variant_has_metrics_of_its_own(hosting):
    name = hosting.served(hosting.config(hosting.model(), hosting.model()))
    for variant in ("v0", "v1", "v1"):
        hosting.ask(name, TargetVariant=variant)
    assert (hosting.total(name, "Invocations"), hosting.total(name, "Invocations", "v1")) == (1, 2)
    with pytest.raises(ClientError):
        hosting.ask(name, "x", TargetVariant="v1")
    assert [hosting.total(name, "InvocationModelErrors", each) for each in ("v0", "v1")] == [0, 1]


def test_a_model_of_our_own_image_is_served(hosting, put_role):
    image = hosting.own_image()
    role = "arn:aws:iam::123456789012:role/own-image"
    statement = {"Effect": "Allow", "Action": ["ecr:*", "s3:*", "logs:*"], "Resource": "*"}
    hosting.cloud.iam.put_role(role, TRUST, {"all": {"Version": "2012-10-17", "Statement": [statement]}})
    made = type(hosting)(hosting.cloud, role)
    name = made.served(made.config(made.model(factor=2, Image=image)))
    assert made.ask(name) == [6.0]


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
