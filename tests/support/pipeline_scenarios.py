"""Everything that a pipeline meets, each as a function that prepares, acts and says what was seen."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pipeline_batch import transformed
from pipeline_before import absent, broken, nothing, serving, serving_and_old, without_images
from pipeline_stage import Seen, Stage

from modelwright.client.events import send_merge
from modelwright.client.executions import run_id
from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError
from modelwright.local.template.registry import handler_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NO_RELEASE = "0" * 64
_MADE_ANEW = ("AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::Logs::LogGroup")


@dataclass(frozen=True)
class Scenario:
    """What is prepared (by the owner, with everything allowed), and what is then done and seen."""

    act: Callable[[Stage], Seen]
    prepare: Callable[[Stage], None]


def _unrelated(seen: Seen) -> Seen:
    """Of a run that does not come to the endpoint: what is there is of runs before."""
    return replace(seen, serves="", left=(0, 0))


def first(stage: Stage) -> Seen:
    """A first deployment: there is no endpoint."""
    return stage.run("good")


def update(stage: Stage) -> Seen:
    """An update of what serves; an old model goes."""
    return stage.run("good")


def rejected(stage: Stage) -> Seen:
    """A model that misses the gate."""
    return stage.run("strict")


def compiled(stage: Stage) -> Seen:
    """A model that has to be compiled, by images that have to be built first."""
    return stage.run("compilable")


def undone_first(stage: Stage) -> Seen:
    """A first deployment that fails the smoke test: the endpoint goes again."""
    return stage.run("mute")


def unloadable(stage: Stage) -> Seen:
    """A first deployment of a model that cannot be loaded."""
    return stage.run("broken")


def undone_update(stage: Stage) -> Seen:
    """An update that fails the smoke test: what served before serves again."""
    return stage.run("mute")


def made_anew(stage: Stage) -> Seen:
    """The endpoint is broken: it goes, and is made again."""
    return stage.run("good")


def no_release(stage: Stage) -> Seen:
    """The release is not there."""
    return _unrelated(stage.run(NO_RELEASE))


def no_commit(stage: Stage) -> Seen:
    """The release that a commit points to is not there."""
    commit = "c" * 40
    stage.point(f"commits/penguins/{commit}.json", NO_RELEASE)
    return _unrelated(stage.run("commit", trigger={"kind": "merge", "id": str(uuid.uuid4()), "commit": commit}))


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
    return _unrelated(stage.seen(stage.ended(mine[0]), told)) if mine else Seen(outcome="not started")


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
    return _unrelated(stage.seen(stage.ended(mine[0]), told)) if mine else Seen(outcome="not started")


def silent(stage: Stage) -> Seen:
    """The evaluation writes no report."""
    return _unrelated(stage.run("silent"))


def duplicate(stage: Stage) -> Seen:
    """The same event again."""
    trigger = {"kind": "manual", "id": str(uuid.uuid4())}
    stage.run(NO_RELEASE, trigger=trigger)
    return _unrelated(stage.run(NO_RELEASE, trigger=trigger))


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


def renew_processes(stage: Stage) -> None:
    """Let every function begin with a new process, as a deploy that changes it does."""
    client = stage.client("lambda")
    for function in client.list_functions()["Functions"]:
        client.update_function_configuration(FunctionName=function["FunctionName"], Description=str(uuid.uuid4()))


def deployed(stage: Stage) -> Seen:
    """What checks roles and keys when it is made is made again."""
    formation: Any = stage.cloud.services["cloudformation"]
    try:
        for resource in [found for stack in formation._stacks.values() for found, _ in stack.resources.values()]:
            if resource.type in _MADE_ANEW:
                handler_for(resource).put(stage.cloud, resource)
        machine = stage.deployment.state_machine_arn
        found = Direct(stage.cloud, "stepfunctions").describe_state_machine(stateMachineArn=machine)
        changes = {name: found[name] for name in ("definition", "roleArn", "loggingConfiguration")}
        Direct(stage.cloud, "stepfunctions").update_state_machine(stateMachineArn=machine, **changes)
    except AwsError as error:
        return Seen(outcome="REFUSED", error=error.code)
    return Seen(outcome="made")


def restored_anew(stage: Stage) -> Seen:
    """The endpoint went while a run deployed: the configuration before is made an endpoint again."""
    previous = stage.config()
    stage.absent()
    stage.put_lease("arn:of:it", 1)
    event = {
        "execution": "arn:of:it",
        "fence": 1,
        "previous_config": previous,
        "polls": 1,
        "package_arn": "",
        "failure": {},
        "tags": [{"Key": "team", "Value": "ml"}],
    }
    seen = Seen(outcome="")
    for _ in range(3):  # each takes its steps for ten seconds
        seen = _asked(stage, "RestoreEndpointFunction", event)
        if seen.outcome != "waiting":
            break
    stage.settled()
    return Seen("called", seen.error, serves="another" if stage.config() == previous else "none")


def abandoned(stage: Stage) -> Seen:
    """The lease is held by an execution that has ended."""
    arn = stage.start(NO_RELEASE)
    stage.ended(arn)
    stage.put_lease(arn, 1)
    event = {"execution": "arn:of:it", "run": "0" * 12, "started_at": "2026-01-01T00:00:00.000Z"}
    return _asked(stage, "AcquireDeploymentFunction", event)


def no_model(stage: Stage) -> Seen:
    """The trained model is not there."""
    uri = f"s3://{stage.deployment.artifact_bucket}/runs/penguins/none/model.tar.gz"
    return _asked(stage, "PackageModelFunction", {"model_uri": uri, "code_uri": uri})


def no_report(stage: Stage) -> Seen:
    """The conversion left no report, and the model has to be compiled."""
    prefix = f"s3://{stage.deployment.artifact_bucket}/runs/penguins/none/"
    problem = {"state": "", "error": "", "cause": ""}
    event = {"run": "none", "prefix": prefix, "sha256": "0" * 64, "serve": "onnx", "problem": problem}
    return _asked(stage, "ChooseModelFunction", event)


def no_smoke_test(stage: Stage) -> Seen:
    """The release is not there any more when the model is to be asked."""
    return _asked(stage, "SmokeTestFunction", {"release": NO_RELEASE})


def _asked(stage: Stage, logical_id: str, event: Mapping[str, Any]) -> Seen:
    """A function, called by hand."""
    name = stage.physical(logical_id)
    answer = stage.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    found = json.loads(answer["Payload"].read())
    if "FunctionError" not in answer:
        return Seen(outcome=str(found.get("status", "answered")))
    refused = "AccessDenied" in found["errorMessage"] or "not authorized" in found["errorMessage"]
    return Seen(outcome="FAILED", error="AccessDenied" if refused else found["errorType"])


def no_model_data(stage: Stage) -> Seen:
    """A model is made of an archive that is not there."""
    container = {
        "Image": stage.hosting_image(),
        "ModelDataUrl": f"s3://{stage.deployment.artifact_bucket}/models/penguins/none",
    }
    request = {"ModelName": "none", "ExecutionRoleArn": stage.arn("HostingRole"), "PrimaryContainer": container}
    try:
        stage.client("sagemaker").create_model(**request)
    except ClientError as error:
        return Seen(outcome="FAILED", error="missing" if "Could not find" in str(error) else "no access")
    return Seen(outcome="made")


SCENARIOS: Mapping[str, Scenario] = {
    act.__name__: Scenario(act, prepare)
    for prepare, acts in (
        (
            nothing,
            (
                deployed,
                alarm,
                undelivered,
                subscribed,
                no_model_data,
                no_smoke_test,
                no_model,
                no_report,
                no_release,
                no_commit,
            ),
        ),
        (nothing, (merged, scheduled, duplicate, silent, new_data, unclosed, transformed)),
        (absent, (rejected,)),
        (without_images, (compiled,)),
        (nothing, (stopped_process, stopped_train, unchanged)),
        (absent, (abandoned,)),
        (absent, (first, unloadable, undone_first)),
        (serving_and_old, (update,)),
        (serving, (undone_update,)),
        (broken, (made_anew,)),
        (serving, (closed, restored_anew)),
    )
    for act in acts
}
"""By name; the quick ones first."""


def prepared(stage: Stage, name: str) -> Callable[[], Seen]:
    """Prepare a scenario; what is given back acts."""
    scenario = SCENARIOS[name]
    scenario.prepare(stage)
    return lambda: scenario.act(stage)


def played(stage: Stage, name: str) -> Seen:
    """Prepare a scenario, act, and say what was seen."""
    return prepared(stage, name)()
