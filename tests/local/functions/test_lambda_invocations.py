"""Functions: the real handler in a warm process, under AWS's rules."""

from __future__ import annotations

import base64
import json
import re
import threading

import pytest
from botocore.exceptions import ClientError

from modelwright.local.functions import events
from modelwright.local.service import AwsError

ECHO = """
import os
count = 0

def handler(event, context):
    global count
    count += 1
    print("called with", event)
    return {"event": event, "count": count, "pid": os.getpid(), "name": context.function_name,
            "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis(),
            "request": context.aws_request_id, "arn": context.invoked_function_arn,
            "env": {k: v for k, v in os.environ.items()}, "cwd": os.getcwd()}
"""


def test_a_handler_gets_event_and_context_and_its_process_stays_warm(functions, metric) -> None:
    functions.register("echo", ECHO, Timeout=5, Environment={"Variables": {"TABLE": "t"}})
    first, answer = functions.invoke("echo", {"x": "ü\"'\\"})
    second, _ = functions.invoke("echo", 2)
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert (first["event"], second["event"]) == ({"x": "ü\"'\\"}, 2)
    assert (first["count"], second["count"]) == (1, 2)
    assert first["pid"] == second["pid"]
    assert (first["name"], first["memory"]) == ("echo", "512")
    assert first["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:echo"
    assert 0 < first["left"] <= 5000
    assert metric("echo", "Invocations") == 2
    assert metric("echo", "Errors") == 0


def test_the_environment_is_the_templates_and_lambdas_own(functions, cloud) -> None:
    functions.register("env", ECHO, Environment={"Variables": {"TABLE": "t"}})
    found, _ = functions.invoke("env")
    env = found["env"]
    assert env["TABLE"] == "t"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "env"
    assert env["AWS_ENDPOINT_URL"] == cloud.endpoint_url
    assert env["TZ"] == ":UTC"
    assert found["cwd"] == env["LAMBDA_TASK_ROOT"]
    assert not [name for name in env if name.startswith(("PYTEST", "MODELWRIGHT"))]


def test_the_log_has_start_lines_end_and_report(functions) -> None:
    functions.register("logged", ECHO, LoggingConfig={"LogGroup": "/own/group", "LogFormat": "Text"})
    functions.invoke("logged", {"a": 1})
    lines = functions.lines("logged", "/own/group")
    assert re.fullmatch(r"START RequestId: [0-9a-f-]{36} Version: \$LATEST", lines[0])
    assert lines[1] == "called with {'a': 1}"
    assert lines[2].startswith("END RequestId: ")
    assert re.search(
        r"\tBilled Duration: \d+ ms\tMemory Size: 512 MB\tMax Memory Used: \d+ MB\tInit Duration: ", lines[3]
    )


def test_an_exception_is_an_unhandled_function_error_with_type_and_trace(functions, metric) -> None:
    functions.register("raises", "def handler(event, context):\n    raise KeyError('a\"b')\n")
    found, answer = functions.invoke("raises", {})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["StatusCode"] == 200
    assert (found["errorType"], found["errorMessage"]) == ("KeyError", "'a\"b'")
    assert "in handler" in found["stackTrace"][0]
    assert len(found["stackTrace"]) == 1
    assert metric("raises", "Errors") == 1


@pytest.mark.parametrize(
    ("name", "code", "handler", "kind"),
    [
        ("no-module", "", "other.handler", "Runtime.ImportModuleError"),
        ("no-function", "x = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("no-dot", "x = 1", "handler", "Runtime.MalformedHandlerName"),
        ("syntax", "def handler(:\n", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("bad-import", "import nothing_of_this_name\n", "app.handler", "Runtime.ImportModuleError"),
        ("raises-on-import", "raise ValueError('no')\n", "app.handler", "ValueError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_says_why(functions, name, code, handler, kind) -> None:
    functions.register(name, code, Handler=handler)
    found, answer = functions.invoke(name, {})
    assert (answer["FunctionError"], found["errorType"]) == ("Unhandled", kind)


def test_a_function_over_its_timeout_is_ended_and_the_next_call_gets_a_new_process(functions) -> None:
    code = "import time, os\ndef handler(event, context):\n    time.sleep(event)\n    return os.getpid()\n"
    functions.register("slow", code, Timeout=1)
    first, _ = functions.invoke("slow", 0)
    found, answer = functions.invoke("slow", 60)
    assert answer["FunctionError"] == "Unhandled"
    assert found["errorType"] == "Sandbox.Timedout"
    assert found["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert any(line.endswith("Task timed out after 1.00 seconds") for line in functions.lines("slow"))
    third, _ = functions.invoke("slow", 0)
    assert third != first


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("exits", "import os\ndef handler(e, c): os._exit(3)\n", "exit status 3"),
        ("sys-exit", "import sys\ndef handler(e, c): sys.exit(4)\n", "exit status 4"),
        ("killed", "import os, signal\ndef handler(e, c): os.kill(os.getpid(), signal.SIGKILL)\n", "signal: killed"),
        ("hungry", "def handler(e, c):\n    x = bytearray(700 << 20)\n    return len(x)\n", "signal: killed"),
    ],
)
def test_a_process_that_ends_or_takes_too_much_memory_is_an_exit_error(functions, name, code, said) -> None:
    functions.register(name, code)
    found, answer = functions.invoke(name, {})
    assert answer["FunctionError"] == "Unhandled"
    assert found["errorType"] == "Runtime.ExitError"
    assert found["errorMessage"].endswith(f"Error: Runtime exited with error: {said}")


def test_what_is_not_json_is_refused_in_and_an_error_out(functions) -> None:
    functions.register("odd", "def handler(event, context):\n    return {1, 2}\n")
    with pytest.raises(ClientError) as caught:
        functions.client.invoke(FunctionName="odd", Payload=b"{half")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestContentException"
    found, answer = functions.invoke("odd", {})
    assert found["errorType"] == "Runtime.MarshalError"
    assert found["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"
    assert answer["FunctionError"] == "Unhandled"


def test_payloads_are_limited_to_six_megabytes(functions) -> None:
    functions.register("big", "def handler(event, context):\n    return 'x' * event\n")
    with pytest.raises(ClientError) as caught:
        functions.client.invoke(FunctionName="big", Payload=json.dumps("x" * (6 << 20)).encode())
    assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"
    found, _ = functions.invoke("big", 6 << 20)
    assert found["errorType"] == "Function.ResponseSizeTooLarge"


def test_logging_and_a_log_tail(functions) -> None:
    code = (
        "import logging\nlog = logging.getLogger()\nlog.setLevel(logging.INFO)\n"
        "def handler(event, context):\n    log.info('hello %s', event)\n"
    )
    functions.register("tail", code)
    found, answer = functions.invoke("tail", 5, LogType="Tail")
    assert found is None
    tail = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert re.fullmatch(r"\[INFO\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t[0-9a-f-]{36}\thello 5", tail[1])


def test_calls_at_once_get_a_process_each_and_reserved_concurrency_throttles(functions, metric) -> None:
    code = """
import os, time
def handler(event, context):
    open(event["mine"], "w").close()
    while not os.path.exists(event["go"]):
        time.sleep(0.005)
    return os.getpid()
"""
    functions.register("twice", code, ReservedConcurrentExecutions=2, Timeout=20)
    folder = functions._folder
    answers: list[int] = []
    threads = []
    for number in range(2):
        event = {"mine": str(folder / f"started-{number}"), "go": str(folder / "go")}
        threads.append(threading.Thread(target=lambda e=event: answers.append(functions.invoke("twice", e)[0])))
        threads[-1].start()
    waiting = threading.Event()
    while not all((folder / f"started-{number}").exists() for number in range(2)):
        waiting.wait(0.01)
    with pytest.raises(ClientError) as caught:
        functions.invoke("twice", {})
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    (folder / "go").touch()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 2
    assert metric("twice", "Throttles") == 1


def test_a_role_is_the_functions_and_is_enforced(functions, cloud) -> None:
    code = """
import boto3
from botocore.exceptions import ClientError
def handler(event, context):
    try:
        return boto3.client("s3").get_object(Bucket=event, Key="k")["Body"].read().decode()
    except ClientError as error:
        return error.response["Error"]["Code"]
"""
    for bucket in ("allowed", "forbidden"):
        cloud.client("s3").create_bucket(Bucket=bucket)
        cloud.client("s3").put_object(Bucket=bucket, Key="k", Body=b"content")
    functions.register("reader", code, Timeout=20)
    assert functions.invoke("reader", "allowed")[0] == "content"
    assert functions.invoke("reader", "forbidden")[0] == "AccessDenied"


def test_an_event_is_tried_three_times_and_then_goes_to_the_dead_letter_queue(functions, cloud, monkeypatch) -> None:
    monkeypatch.setattr(events, "DELAYS_SECONDS", (0.0, 0.0))
    queue = cloud.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    target = "arn:aws:sqs:us-east-1:123456789012:dead"
    functions.register(
        "fails", "def handler(event, context):\n    raise ValueError('no')\n", DeadLetterConfig={"TargetArn": target}
    )
    _, answer = functions.invoke("fails", {"a": 1}, InvocationType="Event")
    assert answer["StatusCode"] == 202
    found = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20, MessageAttributeNames=["All"])
    (message,) = found["Messages"]
    assert json.loads(message["Body"]) == {"a": 1}
    assert "ValueError" in message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    assert len([line for line in functions.lines("fails") if line.startswith("START")]) == 3


def test_a_dry_run_runs_nothing(functions) -> None:
    functions.register("dry", ECHO)
    _, answer = functions.invoke("dry", {}, InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert functions.client.get_function_configuration(FunctionName="dry")["State"] == "Active"


def test_an_unknown_function_and_a_version_are_not_found(functions) -> None:
    functions.register("known", ECHO)
    for given in ({"FunctionName": "nobody"}, {"FunctionName": "known", "Qualifier": "1"}):
        with pytest.raises(ClientError) as caught:
            functions.client.invoke(**given)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_function_that_sends_traces_needs_a_role_that_may(functions, cloud) -> None:
    code, traced = "def handler(event, context): return 1\n", {"TracingConfig": {"Mode": "Active"}}
    with pytest.raises(AwsError, match="does not have permissions to call PutTraceSegments on XRAY"):
        functions.register("traced", code, **traced)
    allow = {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"}
    role = cloud.iam._registry.roles
    arn = next(iter(role))
    cloud.iam.put_role_policy(arn, "Traces", {"Version": "2012-10-17", "Statement": [allow]})
    try:
        functions.register("traced", code, **traced)
    finally:
        cloud.iam.put_role_policy(arn, "Traces", None)
    assert functions.invoke("traced")[0] == 1


def test_a_role_that_may_write_logs_no_more_writes_none(functions, cloud) -> None:
    functions.register("quiet", "def handler(event, context): print(event)\n")
    functions.invoke("quiet", "first")
    (ref,) = (ref for ref in cloud.iam.statements() if ref.policy == "function" and ref.statement == "0")
    with cloud.iam.without(ref):
        functions.invoke("quiet", "second")
    functions.invoke("quiet", "third")
    lines = [line.strip() for line in functions.lines("quiet")]
    assert ("first" in lines, "second" in lines, "third" in lines) == (True, False, True)


OWN_PACKAGES = """
import os
import yaml, modelwright
def handler(event, context):
    try:
        from modelwright import errors
        errors = "this machine's"
    except ImportError:
        errors = "none"
    return [modelwright.MINE, yaml.MINE, errors, os.getcwd() == os.environ["LAMBDA_TASK_ROOT"]]
"""


def test_packages_in_the_codes_folder_win_over_this_machines(functions, tmp_path) -> None:
    """Also over what the process has imported already; what they lack is not found elsewhere."""
    for name in ("modelwright/__init__.py", "yaml.py"):
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("MINE = 'mine'\n")
    functions.register("own", OWN_PACKAGES)
    assert functions.invoke("own")[0] == ["mine", "mine", "none", True]
