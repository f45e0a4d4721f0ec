"""What starts runs and ends them from outside, and who is told: merges, schedules, new data, stops, alarms."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from pipeline_runs import NO_RELEASE, unrelated
from pipeline_stage import Seen, Stage

from modelwright.client.runs.events import send_merge
from modelwright.client.runs.executions import run_id

if TYPE_CHECKING:
    from collections.abc import Callable


def scheduled(stage: Stage) -> Seen:
    """A schedule's run of the default release, which is not there."""
    stage.point("defaults/penguins.json", NO_RELEASE)
    return _delivered(stage, lambda: stage.events.fire(stage.deployment.state_machine_arn))


def merged(stage: Stage) -> Seen:
    """A merge is announced, and starts an execution."""
    return _delivered(stage, lambda: _merge(stage))


def new_data(stage: Stage) -> Seen:
    """A folder of new data is complete: its marker starts the default release on it, whose report is missing."""
    stage.point("defaults/penguins.json", stage.releases["silent"])
    client, machine, told = stage.client("stepfunctions"), stage.deployment.state_machine_arn, stage.watch()
    before = {each["executionArn"] for each in client.list_executions(stateMachineArn=machine)["executions"]}
    for name in ("rows.csv", "_SUCCESS"):
        key = f"incoming/penguins/new/{name}"
        stage.client("s3").put_object(Bucket=stage.deployment.data_bucket, Key=key, Body=b"a\n1\n")
    listed = client.list_executions(stateMachineArn=machine)["executions"]
    mine = [each["executionArn"] for each in listed if each["executionArn"] not in before]
    return unrelated(stage.seen(stage.ended(mine[0]), told)) if mine else Seen(outcome="not started")


def undelivered(stage: Stage) -> Seen:
    """An event that the rule may not deliver becomes a dead letter."""
    before = len(stage.queues.messages())
    rule = next(ref for ref in stage.cloud.iam.statements() if ref.statement == "StartExecutions")
    with stage.cloud.iam.without(rule):
        _merge(stage)
    return Seen(outcome="told" if len(stage.queues.messages()) > before else "lost")


def _merge(stage: Stage) -> str:
    return send_merge(stage.session, stage.deployment, branch="main", commit="d" * 40, release=NO_RELEASE)


def _delivered(stage: Stage, act: Callable[[], str]) -> Seen:
    told, event = stage.watch(), act()
    client = stage.client("stepfunctions")
    listed = client.list_executions(stateMachineArn=stage.deployment.state_machine_arn)["executions"]
    mine = [each["executionArn"] for each in listed if each["name"].startswith(event)]
    return unrelated(stage.seen(stage.ended(mine[0]), told)) if mine else Seen(outcome="not started")


def stopped_process(stage: Stage) -> Seen:
    """An execution is stopped while its processing job runs."""
    return _stopped(stage, "slow_process", "ProcessingJob", "process")


def stopped_train(stage: Stage) -> Seen:
    """An execution is stopped while its training job runs."""
    return _stopped(stage, "slow_train", "TrainingJob", "train")


def _stopped(stage: Stage, release: str, kind: str, step: str) -> Seen:
    arn = stage.start(release)
    stage.wait_for_events(arn, "TaskSubmitted", {"ProcessingJob": 1, "TrainingJob": 2}[kind])
    ended = _stop(stage, arn, kind, step)
    status = stage.client("stepfunctions").describe_execution(executionArn=arn)["status"]
    return Seen(outcome=status, recorded=stage.recorded(arn), more="job stopped" if ended else "job runs on")


def _stop(stage: Stage, arn: str, kind: str, step: str) -> bool:
    """Stop an execution that waits for a job; whether that stopped the job, which ends either way."""
    job = f"dev-penguins-{step}-{run_id(arn)}-00"
    sagemaker: Any = stage.cloud.services["sagemaker"]
    stage.client("stepfunctions").stop_execution(executionArn=arn)
    ended = sagemaker.wait(kind, job, 1)
    if ended is None:  # it runs on
        snake = {"ProcessingJob": "processing_job", "TrainingJob": "training_job"}[kind]
        getattr(stage.client("sagemaker"), f"stop_{snake}")(**{f"{kind}Name": job})
        sagemaker.wait(kind, job, 60)
    return ended is not None


def closed(stage: Stage) -> Seen:
    """An execution was stopped that left a model which nobody tested."""
    run = stage.config().split("-")[-2]
    arn = stage.goes_on(run)
    told = stage.watch()
    stage.tell_ended(arn, stopDate=1551225017576)
    return stage.seen({"executionArn": arn, "status": "ABORTED"}, told)


def unclosed(stage: Stage) -> Seen:
    """The function cannot read the event, and gives up."""
    before = len(stage.queues.messages())
    stage.tell_ended("arn:of:it")
    letters = stage.queues.messages()[before:]
    return Seen(outcome="given up" if any("ErrorMessage" in each["attributes"] for each in letters) else "lost")


def unchanged(stage: Stage) -> Seen:
    """The same merge again, while the first one runs: only Step Functions knows that it still does."""
    first, second = (_merge_slowly(stage) for _ in range(2))
    found = stage.client("stepfunctions").describe_execution(executionArn=second)
    if found["status"] == "RUNNING":
        _stop(stage, second, "ProcessingJob", "process")
    _stop(stage, first, "ProcessingJob", "process")
    return Seen(outcome=json.loads(found.get("output", "{}")).get("status", found["status"]))


def _merge_slowly(stage: Stage) -> str:
    trigger = {"kind": "merge", "id": str(uuid.uuid4()), "commit": "e" * 40}
    arn = stage.start("slow_process", trigger=trigger)
    stage.wait_for_events(arn, "TaskSubmitted", 1)
    return arn


def alarm(stage: Stage) -> Seen:
    """An alarm goes off, and tells the topic."""
    client = stage.client("cloudwatch")
    found = client.describe_alarms()["MetricAlarms"]
    name = next(each["AlarmName"] for each in found if each.get("AlarmActions"))
    client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="tried")
    before = len(stage.topics.messages())
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="tried")
    said = len(stage.topics.messages()) - before
    return Seen(outcome="told" if said else "silent")


def subscribed(stage: Stage) -> Seen:
    """A queue of the account's own, under the same key, is subscribed to the topic."""
    arn = stage.subscribed_queue()
    name = arn.rpartition(":")[2]
    before = sum(message["queue"] == name for message in stage.queues.messages())
    stage.client("sns").publish(TopicArn=stage.deployment.topic_arn, Message="hello")
    after = sum(message["queue"] == name for message in stage.queues.messages())
    return Seen(outcome="told" if after > before else "lost")
