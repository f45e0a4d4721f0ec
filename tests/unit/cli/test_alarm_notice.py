import json

from modelwright.cli.alarm_notice import alarm_notice, readable

NOTICE = {
    "AlarmName": "mw-dev-penguins-ExecutionsFailedAlarm-1",
    "AlarmDescription": "A run of penguins failed. What to do: use `modelwright runs penguins --env dev --aws`.",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [2.0 (21/11/26 12:00:00)] was greater than "
    "the threshold (0.0) (minimum 1 datapoint for OK -> ALARM transition).",
    "StateChangeTime": "2026-11-21T12:03:04.567+0000",
    "Trigger": {
        "MetricName": "ExecutionsFailed",
        "Statistic": "SUM",
        "Period": 300,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
    },
}


def stat(identity, name):
    return {"Id": identity, "MetricStat": {"Metric": {"MetricName": name}, "Period": 60, "Stat": "Sum"}}


def math(expression, *stats):
    trigger = {"Metrics": [*stats, {"Id": "result", "Expression": expression}], "Threshold": 5}
    return NOTICE | {"Trigger": trigger | {"ComparisonOperator": "GreaterThanThreshold"}}


def test_it_says_what_happened_since_when_and_what_to_do():
    found = alarm_notice(json.dumps(NOTICE))
    assert readable(found).splitlines() == [
        "A run of penguins failed.",
        "measured: Sum of ExecutionsFailed in 5 minutes: 2 > 0",
        "since: 2026-11-21 12:03:04 UTC",
        "what to do: use `modelwright runs penguins --env dev`.",
        "alarm: mw-dev-penguins-ExecutionsFailedAlarm-1, now ALARM, was OK",
    ]


def test_metric_math_is_shown_with_the_metrics_names():
    notice = math(
        "100 * errors / (requests + 20)", stat("errors", "Invocation5XXErrors"), stat("requests", "Invocations")
    )
    expected = "measured: 100 * Invocation5XXErrors / (Invocations + 20) in 1 minute: 2 > 5"
    assert expected in readable(notice).splitlines()


def test_a_sum_over_many_names_their_metric_once():
    notice = math("m0 + m1", stat("m0", "Errors"), stat("m1", "Errors"))
    assert "measured: all Errors in 1 minute: 2 > 5" in readable(notice)


def test_no_data_is_said():
    treated = "28 missing datapoints were treated as [Breaching]"
    reason = f"Threshold Crossed: no datapoints were received for 28 periods and {treated}."
    assert "in 5 minutes: no data > 0" in readable(NOTICE | {"NewStateReason": reason})


def test_what_is_no_alarm_is_not_taken_for_one():
    assert alarm_notice("penguins: Deployed") is None
    assert alarm_notice('{"AlarmName": "x"}') is None
    assert alarm_notice("[1]") is None
