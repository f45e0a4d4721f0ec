import json
import sqlite3

import pytest
from botocore.exceptions import ClientError

from modelwright.local.messages.topics import Topics
from modelwright.local.monitoring.metrics import Metric, Recorded
from modelwright.local.monitoring.service import CloudWatch

DIMENSIONS = {"StateMachineArn": "arn:m"}


@pytest.fixture
def watch(cloud, add):
    add(Topics)
    cloud.topic = cloud.client("sns").create_topic(Name="told")["TopicArn"]
    return add(CloudWatch)


def alarm(cloud, **more):
    settings = {
        "AlarmName": "failed",
        "Namespace": "AWS/States",
        "MetricName": "ExecutionsFailed",
        "Statistic": "Sum",
        "Period": 60,
        "Dimensions": [{"Name": "StateMachineArn", "Value": "arn:m"}],
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [cloud.topic],
        "AlarmDescription": "look",
    }
    cloud.client("cloudwatch").put_metric_alarm(**settings | more)


def state(cloud, name="failed"):
    return cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def test_an_alarm_goes_on_tells_its_topic_once_and_goes_off(cloud, watch):
    alarm(cloud)
    assert state(cloud) == "OK"
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert state(cloud) == "ALARM"
    (message,) = cloud.services["sns"].messages()
    assert json.loads(message["message"])["AlarmDescription"] == "look"
    assert message["subject"] == 'ALARM: "failed" in eu-west-1'
    cloud.clock.advance(120)
    assert state(cloud) == "ALARM"  # the last real point counts as far as the evaluation range goes back
    cloud.clock.advance(120)
    assert state(cloud) == "OK"


def test_an_alarm_that_is_deleted_while_it_is_looked_at_leaves_nothing(cloud, watch):
    alarm(cloud)
    watch._metrics.record(Metric.of("AWS/States", "ExecutionsFailed", DIMENSIONS), cloud.clock.time(), 1.0, "Count")
    looked_at = watch._states.all()
    cloud.client("cloudwatch").delete_alarms(AlarmNames=["failed"])
    watch._states.evaluate(looked_at)
    assert cloud.services["sns"].messages() == []
    assert cloud.database.all("alarm") == []


@pytest.mark.parametrize(("treatment", "told"), [("notBreaching", 2), ("ignore", 1)])
def test_an_alarm_that_nobody_looked_at_meanwhile_goes_on_anew(cloud, watch, treatment, told):
    """The local cloud was down, where CloudWatch would have looked each minute."""
    alarm(cloud, TreatMissingData=treatment)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    cloud.clock.advance(900)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert len(cloud.services["sns"].messages()) == told


def test_periods_end_with_the_minute_whatever_their_length(cloud, watch):
    """ "at the end of minute 6, the alarm is evaluated based on the data from minutes 2 to 6"."""
    alarm(cloud, Period=300, EvaluationPeriods=1, Threshold=1)
    cloud.clock.advance(240)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    cloud.clock.advance(120)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert state(cloud) == "ALARM"


def test_a_topic_that_does_not_let_cloudwatch_in_hears_of_no_alarm(cloud, watch):
    cloud.iam.denied.add("sns:Publish")
    alarm(cloud)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert state(cloud) == "ALARM"
    assert cloud.services["sns"].messages() == []
    assert ("cloudwatch.amazonaws.com", "sns:Publish", cloud.topic) in cloud.iam.asked


def test_another_dimension_is_another_metric(cloud, watch):
    alarm(cloud)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", {"StateMachineArn": "arn:other"})
    assert state(cloud) == "OK"


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [("missing", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("breaching", "ALARM"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_missing_data(cloud, watch, treatment, expected):
    alarm(cloud, TreatMissingData=treatment)
    assert state(cloud) == expected


def test_m_of_n_datapoints(cloud, watch):
    alarm(cloud, EvaluationPeriods=3, DatapointsToAlarm=2)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert state(cloud) == "OK"
    cloud.clock.advance(60)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert state(cloud) == "ALARM"


def test_metric_math(cloud, watch):
    def stat(identity, name):
        return {
            "Id": identity,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "N", "MetricName": name, "Dimensions": []},
                "Period": 60,
                "Stat": "Sum",
            },
        }

    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="rate",
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        Metrics=[stat("e", "Errors"), stat("n", "Calls"), {"Id": "r", "Expression": "100 * e / n", "ReturnData": True}],
    )
    watch.record("N", "Calls", 10, "Count", {})
    watch.record("N", "Errors", 1, "Count", {})
    assert state(cloud, "rate") == "ALARM"


def test_states_and_values_outlast_a_restart(cloud, watch, add):
    alarm(cloud)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    again = add(CloudWatch)
    again.start()
    alarm(cloud)
    assert state(cloud) == "ALARM"
    assert len(cloud.services["sns"].messages()) == 1


def test_put_metric_data_and_statistics(cloud, watch):
    client = cloud.client("cloudwatch")
    client.put_metric_data(
        Namespace="Modelwright",
        MetricData=[
            {"MetricName": "accuracy", "Value": 0.9},
            {"MetricName": "accuracy", "Values": [0.5, 0.7], "Counts": [1, 2]},
        ],
    )
    now = cloud.clock.now()
    points = client.get_metric_statistics(
        Namespace="Modelwright",
        MetricName="accuracy",
        StartTime=now.timestamp() - 60,
        EndTime=now.timestamp() + 60,
        Period=60,
        Statistics=["Maximum", "SampleCount"],
    )["Datapoints"]
    assert [(point["Maximum"], point["SampleCount"]) for point in points] == [(0.9, 4)]
    assert client.list_metrics(Namespace="Modelwright")["Metrics"] == [
        {"Namespace": "Modelwright", "MetricName": "accuracy", "Dimensions": []}
    ]


def test_what_is_no_number_is_refused(cloud, watch):
    with pytest.raises(ClientError, match="no metric value"):
        cloud.client("cloudwatch").put_metric_data(
            Namespace="N", MetricData=[{"MetricName": "x", "Value": float("nan")}]
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "ComparisonOperator is 'LessThanLowerThreshold'"),
        ({"Statistic": "TM"}, "the statistic 'TM' is not computed"),
        ({"AlarmActions": ["arn:aws:ssm:eu-west-1:1:opsitem:1"]}, "tells SNS topics and scaling policies only"),
        ({"TreatMissingData": "bad"}, "TreatMissingData is 'bad'"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm is 2"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "may be 604800 seconds at most"),
        ({"EvaluationPeriods": 1441}, "may be 86400 seconds at most"),
    ],
)
def test_what_would_never_be_evaluated_or_told_is_refused_by_name(cloud, watch, change, said):
    request = {
        "AlarmName": "wrong",
        "Namespace": "N",
        "MetricName": "M",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        **change,
    }
    with pytest.raises(ClientError, match=said):
        cloud.client("cloudwatch").put_metric_alarm(**request)
    watch.record("N", "M", 1, "Count", {})


def test_metric_data_of_metrics_of_math_and_of_a_search(cloud, watch):
    for name, value in (("a", 4), ("b", 2)):
        watch.record("N", name, value, "Count", {"D": "1"})
    now = cloud.clock.time()

    def stat(name):
        metric = {"Namespace": "N", "MetricName": name, "Dimensions": [{"Name": "D", "Value": "1"}]}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    queries = [
        {"Id": "r", "Expression": "a / b", "Label": "ratio"},
        stat("a"),
        stat("b"),
        {"Id": "s", "Expression": "SEARCH('{N,D} D=\"1\"', 'Sum', 60)"},
    ]
    client = cloud.client("cloudwatch")
    found = client.get_metric_data(MetricDataQueries=queries, StartTime=now - 60, EndTime=now + 60)["MetricDataResults"]
    assert [(each["Id"], each["Label"], each["Values"]) for each in found] == [
        ("r", "ratio", [2.0]),
        ("s", "a", [4]),
        ("s", "b", [2]),
    ]
    with pytest.raises(ClientError, match=r"r: 'x'|r: metric math"):
        client.get_metric_data(
            MetricDataQueries=[{"Id": "r", "Expression": "x + 1"}], StartTime=now - 60, EndTime=now + 60
        )


def test_a_minute_of_an_alarm_may_be_shorter_and_its_definition_still_decides(cloud, watch):
    """Two bad minutes of three: with minutes of three seconds, two bad three seconds of nine."""
    alarm(cloud, EvaluationPeriods=3, DatapointsToAlarm=2, Threshold=5)
    watch.pace(["failed"], 3.0)
    for wanted in ("OK", "ALARM"):
        for _ in range(6):
            watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
        assert state(cloud) == wanted
        cloud.clock.advance(3)
    cloud.clock.advance(12)
    assert state(cloud) == "OK"


def test_an_alarm_that_goes_by_real_minutes_again_sees_them_whole(cloud, watch):
    alarm(cloud, Threshold=5)
    watch.pace(["failed"], 3.0)
    for _ in range(6):
        watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
        cloud.clock.advance(3)
    assert state(cloud) == "OK"  # never more than one in three seconds
    watch.pace(["failed"], 60.0)
    assert state(cloud) == "ALARM"


def test_values_that_are_recorded_late_set_an_alarm_off_all_the_same(cloud, watch):
    """Minutes of three seconds on a machine that is busy for longer than an alarm looks back."""
    alarm(cloud, EvaluationPeriods=2)
    watch.pace(["failed"], 3.0)
    metric, now = Metric.of("AWS/States", "ExecutionsFailed", DIMENSIONS), cloud.clock.time()
    late = [Recorded(metric, now + seconds, 1.0, "Count") for seconds in (0, 3)]
    cloud.clock.advance(60)
    watch.record_all(late)
    assert len(cloud.services["sns"].messages()) == 1
    assert state(cloud) == "OK"  # and by now it is over


def test_a_change_that_could_not_be_kept_is_made_at_the_next_look_and_holds_up_no_other(cloud, watch):
    for name in ("failed", "failed-too"):
        alarm(cloud, AlarmName=name)
        state(cloud, name)
    cloud.database = FullOnce(cloud.database)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert [each["subject"].split('"')[1] for each in cloud.services["sns"].messages()] == ["failed-too"]
    watch.evaluate()
    assert [each["subject"].split('"')[1] for each in cloud.services["sns"].messages()] == ["failed-too", "failed"]


class FullOnce:
    """A database that does not keep the first thing it is given."""

    def __init__(self, database):
        self._database = database
        self._is_full = True

    def __getattr__(self, name):
        return getattr(self._database, name)

    def put(self, kind, key, body):
        was_full, self._is_full = self._is_full, False
        if was_full:
            raise sqlite3.OperationalError("database or disk is full")
        self._database.put(kind, key, body)


def test_what_was_reported_once_a_minute_is_not_many_short_minutes(cloud, watch):
    """Of an alarm that scales in after 15 quiet minutes, when minutes become shorter."""
    scaling = Scaling()
    cloud.services["application-autoscaling"] = scaling
    policy = "arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:p:resource/sagemaker/endpoint/e/variant/v"
    quiet = {"Threshold": 5, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "missing"}
    alarm(cloud, **quiet, Statistic="Average", EvaluationPeriods=15, AlarmActions=[policy])
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    cloud.clock.advance(46)
    watch.pace(["failed"], 3.0)
    watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert (state(cloud), scaling.told) == ("OK", [])
    for _ in range(15):
        cloud.clock.advance(3)
        watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
    assert scaling.told[0] == (policy, 3.0)


class Scaling:
    """Keeps who was asked to scale, and how long a minute lasts for it."""

    def __init__(self):
        self.told = []

    def trigger(self, policy, alarm, points, minute_seconds):
        self.told.append((policy, minute_seconds))


def test_many_values_are_one_look_at_each_alarm(cloud, watch, monkeypatch):
    alarm(cloud, Threshold=5)
    looks = []
    monkeypatch.setattr(watch._states, "evaluate", lambda alarms, _=None: looks.append(len(alarms)))
    metric = Metric.of("AWS/States", "ExecutionsFailed", DIMENSIONS)
    watch.record_all([Recorded(metric, cloud.clock.time(), 1.0, "Count") for _ in range(100)])
    assert looks == [0, 1]
    monkeypatch.undo()
    assert state(cloud) == "ALARM"


def test_the_reason_names_the_points_that_crossed_the_threshold(cloud, watch):
    alarm(cloud, EvaluationPeriods=3, DatapointsToAlarm=2, Threshold=1)
    for count in (2, 1, 3):
        for _ in range(count):
            watch.record("AWS/States", "ExecutionsFailed", 1, "Count", DIMENSIONS)
        cloud.clock.advance(60)
    (found,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=["failed"])["MetricAlarms"]
    assert found["StateReason"].startswith("Threshold Crossed: 2 out of the last 3 datapoints [")
    shown = found["StateReason"].partition("[")[2].partition("]")[0]
    assert [float(each.split()[0]) for each in shown.split(", ")] == [2.0, 2.0]  # the third: two of three by then
    assert "were greater than the threshold (1.0) (minimum 2 datapoints for" in found["StateReason"]
