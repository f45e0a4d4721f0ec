"""What the other services' calls need, and what nobody mapped."""

import pytest
from iam_checks import ACCOUNT, KEY, REGION, ROLE, SM, checks, pairs

from modelwright.local.iam.requests import UnmappedOperation

EVENTS = f"arn:aws:events:{REGION}:{ACCOUNT}:"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}:"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        (
            "sagemaker-runtime",
            "InvokeEndpoint",
            {"EndpointName": "e"},
            [("sagemaker:InvokeEndpoint", f"{SM}endpoint/e")],
        ),
        (
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": f"{STATES}stateMachine:m:live"},
            [("states:StartExecution", f"{STATES}stateMachine:m")],
        ),
        (
            "stepfunctions",
            "CreateStateMachine",
            {"name": "m", "roleArn": ROLE},
            [("states:CreateStateMachine", f"{STATES}stateMachine:m"), ("iam:PassRole", ROLE)],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "f", "Qualifier": "2"},
            [("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:2")],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"EventBusName": "mw-dev"}, {"EventBusName": f"{EVENTS}event-bus/x"}, {}]},
            [("events:PutEvents", f"{EVENTS}event-bus/{name}") for name in ("mw-dev", "x", "default")],
        ),
        (
            "events",
            "PutTargets",
            {"Rule": "r", "EventBusName": "mw-dev", "Targets": [{"RoleArn": ROLE}, {}]},
            [("events:PutTargets", f"{EVENTS}rule/mw-dev/r"), ("iam:PassRole", ROLE)],
        ),
        ("events", "DescribeRule", {"Name": "r"}, [("events:DescribeRule", f"{EVENTS}rule/r")]),
        (
            "sns",
            "Publish",
            {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t"},
            [
                ("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:t"),
                ("kms:GenerateDataKey", KEY),
                ("kms:Decrypt", KEY),
            ],
        ),
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": f"http://127.0.0.1:5000/{ACCOUNT}/q"},
            [("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:q")],
        ),
        ("cloudwatch", "PutMetricData", {"Namespace": "MW"}, [("cloudwatch:PutMetricData", "*")]),
        (
            "cloudwatch",
            "DescribeAlarms",
            {"AlarmNames": ["a", "b"]},
            [("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}") for name in "ab"],
        ),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/aws/g", "logStreamName": "s"},
            [("logs:PutLogEvents", f"{LOGS}/aws/g:log-stream:s")],
        ),
        ("logs", "CreateLogGroup", {"logGroupName": "g"}, [("logs:CreateLogGroup", f"{LOGS}g:log-stream:")]),
        ("kms", "Encrypt", {"KeyId": "alias/mine"}, [("kms:Encrypt", KEY)]),
        ("kms", "Decrypt", {"CiphertextBlob": b"0" * 36 + b"rest"}, [("kms:Decrypt", KEY.replace("0000", "0" * 36))]),
        (
            "ssm",
            "GetParameters",
            {"Names": ["/a/b", "c"]},
            [("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name}") for name in ("a/b", "c")],
        ),
        (
            "ecr",
            "BatchGetImage",
            {"registryId": "683313688378", "repositoryName": "sagemaker-scikit-learn"},
            [("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:683313688378:repository/sagemaker-scikit-learn")],
        ),
        ("ecr", "GetAuthorizationToken", {}, [("ecr:GetAuthorizationToken", "*")]),
        ("sts", "GetCallerIdentity", {}, []),
        (
            "cloudformation",
            "DescribeStacks",
            {"StackName": "mw"},
            [("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/mw/*")],
        ),
    ],
)
def test_other_services(service, operation, params, expected):
    assert pairs(service, operation, params) == expected


def test_an_operation_that_nobody_mapped_is_an_error_that_names_it():
    with pytest.raises(UnmappedOperation) as caught:
        checks("sagemaker", "CreateTrainingJobs", {})
    assert str(caught.value) == (
        "the local cloud does not know which permissions sagemaker:CreateTrainingJobs needs; "
        "the nearest one that it knows is CreateTrainingJob"
    )
    with pytest.raises(UnmappedOperation):
        checks("bedrock", "InvokeModel", {})
