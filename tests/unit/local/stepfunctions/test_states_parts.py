"""The parts around the interpreter: payloads, names of errors, the recorder, the runtime's sleep, log lines."""

import json
import threading
from datetime import UTC, datetime

import botocore.session
import pytest
from botocore.exceptions import ClientError

from modelwright.clock import FakeClock
from modelwright.local.stepfunctions import payloads, service_errors
from modelwright.local.stepfunctions.recorder import Recorder
from modelwright.local.stepfunctions.records import Records
from modelwright.local.stepfunctions.runtime import Runtime
from modelwright.local.stepfunctions.telemetry import ExecutionLog, log_group, status_event
from modelwright.local.store.database import Database

ARN = "arn:aws:states:r:1:execution:m:e"


def model(service):
    return botocore.session.get_session().get_service_model(service)


# the names of the SDK for Java 2: https://github.com/aws/aws-sdk-java-v2 (services/*)
@pytest.mark.parametrize(
    ("service", "prefix"),
    [
        ("sagemaker", "SageMaker"),
        ("sagemaker-runtime", "SageMakerRuntime"),
        ("dynamodb", "DynamoDb"),
        ("stepfunctions", "Sfn"),
        ("sns", "Sns"),
        ("sqs", "Sqs"),
        ("ssm", "Ssm"),
        ("s3", "S3"),
        ("lambda", "Lambda"),
        ("events", "EventBridge"),
        ("logs", "CloudWatchLogs"),
        ("cloudwatch", "CloudWatch"),
        ("ecr", "Ecr"),
        ("kms", "Kms"),
    ],
)
def test_the_sdks_name_of_a_service(service, prefix):
    assert service_errors.sdk_prefix(model(service).service_id) == prefix


def test_a_refusal_without_metadata_still_has_a_cause():
    error = ClientError({"Error": {"Code": "X", "Message": "m"}}, "Op")
    assert service_errors.sdk(error, model("sagemaker")) == (
        "SageMaker.SageMakerException",
        "m (Service: SageMaker, Status Code: 400, Request ID: )",
    )


def test_requests_take_the_models_names_and_outputs_pascal_case():
    shape = model("stepfunctions").operation_model("StartExecution").input_shape
    assert payloads.to_request({"StateMachineArn": "a", "Input": {"x": 1}, "odd": 2}, shape) == {
        "stateMachineArn": "a",
        "input": '{"x":1}',
        "odd": 2,
    }
    output = model("stepfunctions").operation_model("ListExecutions").output_shape
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    answer = {"executions": [{"executionArn": "e", "startDate": moment}], "ResponseMetadata": {}}
    assert payloads.to_output(answer, output, "millis") == {
        "Executions": [{"ExecutionArn": "e", "StartDate": 1767225600000}]
    }


def test_the_keys_of_a_map_are_the_users():
    shape = model("sagemaker").operation_model("CreateTrainingJob").input_shape
    request = {"HyperParameters": {"c": 1, "Lr": "x"}}
    assert payloads.to_request(request, shape) == {"HyperParameters": {"c": 1, "Lr": "x"}}
    assert list(payloads.unknown_fields(request, shape)) == []
    wrong = {"InputDataConfig": [{"ChannelName": "a", "Chanel": 1}], "Nope.$": "$.x"}
    assert list(payloads.unknown_fields(wrong, shape)) == ["InputDataConfig[0]/Chanel", "Nope"]


class ManyWrites(Database):
    """Keeps how many transactions there were."""

    batches = 0

    def transaction(self):
        self.batches += 1
        return super().transaction()


def test_the_recorder_keeps_the_order_and_what_was_flushed_is_written(tmp_path):
    database = Database(tmp_path / "s.sqlite3")
    logged = []
    recorder = Recorder(database, lambda group, stream, lines: logged.append((group, stream, lines)))
    for number in range(500):
        recorder.put("s", {"id": number}, (("g", "st"), (float(number), "line")) if number % 100 == 0 else None)
    recorder.flush()
    assert [body["id"] for _, body in database.read("s")] == list(range(500))
    assert [at for _, _, lines in logged for at, _ in lines] == [0, 100, 200, 300, 400]
    recorder.close()


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    database = Database(tmp_path / "s.sqlite3")

    def refuse(group, stream, lines):
        raise RuntimeError("no such group")

    recorder = Recorder(database, refuse)
    for number in range(3):
        recorder.put("s", {"id": number}, (("g", "st"), (0.0, "line")))
        recorder.flush()
    assert len(database.read("s")) == 3
    recorder.close()


def test_records_keep_their_data_beside_them(tmp_path):
    records = Records(Database(tmp_path / "s.sqlite3"))
    record = {"executionArn": ARN, "status": "RUNNING", "startDate": 1.0, "input": "{}"}
    records.put(record)
    assert records.get(ARN) == record
    assert records.all() == [{key: value for key, value in record.items() if key != "input"}]
    assert records.get("other") is None
    key = records.keep_definition("{}")
    assert records.definition(key) == "{}"


def runtime(clock):
    return Runtime(clock, "r", None, None, None, longest_sleep_seconds=0.002)


def test_a_sleep_ends_when_the_clock_says_so():
    clock, ended = FakeClock(), threading.Event()
    over = threading.Event()
    thread = threading.Thread(target=lambda: ended.set() if not runtime(clock).sleep(60, over) else None)
    thread.start()
    assert not ended.wait(0.02)
    clock.advance(60)
    assert ended.wait(10)
    thread.join()


def test_a_sleep_ends_when_it_is_over():
    over = threading.Event()
    over.set()
    assert runtime(FakeClock()).sleep(60, over) is True
    assert runtime(FakeClock()).sleep(0, over) is True
    assert runtime(FakeClock()).sleep(0, threading.Event()) is False


def test_a_log_line_is_awss():
    logging = {
        "level": "ERROR",
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:r:1:log-group:/g:*"}}],
    }
    assert log_group(logging) == "/g"
    log = ExecutionLog(logging, ARN, "m", 0.0)
    event = {
        "id": 3,
        "previousEventId": 2,
        "type": "TaskFailed",
        "timestamp": 1.5,
        "taskFailedEventDetails": {"error": "E", "output": "o"},
    }
    assert log.line({**event, "type": "TaskSucceeded"}) is None
    (group, stream), (at, text) = log.line(event)
    assert (group, at) == ("/g", 1.5)
    assert stream.startswith("states/m/1970-01-01-00-00/")
    assert json.loads(text) == {
        "id": "3",
        "type": "TaskFailed",
        "details": {"error": "E"},
        "redrive_count": "0",
        "previous_event_id": "2",
        "event_timestamp": "1500",
        "execution_arn": ARN,
    }


def test_the_event_of_a_failure():
    record = {
        "executionArn": ARN, "stateMachineArn": "m", "name": "e", "status": "FAILED", "startDate": 1.0, "stopDate": 2.0,
        "input": "{}", "error": "E", "cause": "C",
    }  # fmt: skip
    detail = status_event(record)["detail"]
    assert (detail["status"], detail["error"], detail["cause"]) == ("FAILED", "E", "C")
    assert (detail["startDate"], detail["stopDate"], detail["output"]) == (1000, 2000, None)
