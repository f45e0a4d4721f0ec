"""An alarm that is on already sends no update back: what serves badly could never be replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alarm_watch import LATENCY, SERVER_ERRORS, the_alarm

if TYPE_CHECKING:
    from alarm_stage import AlarmStage


def errors_in_two_minutes(at: AlarmStage) -> None:
    for _ in range(2):
        at.ask("break", times=3)
        at.runtime.flush()
        at.clock.advance(minutes=1)


def test_a_model_that_fails_is_replaced_while_its_alarm_is_on(at: AlarmStage) -> None:
    assert at.run("good") == "SUCCEEDED"
    before = at.config()
    errors_in_two_minutes(at)
    assert the_alarm(at.alarms(), SERVER_ERRORS)["StateValue"] == "ALARM"
    assert at.run("good") == "SUCCEEDED"
    assert at.config() != before
    asked = at.client("sagemaker").describe_endpoint(EndpointName=at.deployment.endpoint_name)
    guards = asked["LastDeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert guards == [{"AlarmName": the_alarm(at.alarms(), LATENCY)["AlarmName"]}]
