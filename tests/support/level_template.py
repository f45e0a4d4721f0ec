"""A template of few lines with a resource of every type that the local cloud makes."""

from __future__ import annotations

import json
from typing import Any

from api_template import api_resources
from build_level import build_resources
from tiny_assembly import CODE, allow, policy, role

CODE_TEXT = """
import os
import json
def answer_api(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
def handler(event, context):
    print("called with", event.get("source", event))
    return {"text": os.environ["TEXT"], "event": event}
"""
_ROOT = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
_NAMED = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/let-in"}}
LET_IN = "let-in"
"""The role that the resources' own policies let in."""


def _arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def _made(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _let_in(action: str, resource: Any, service: str = "") -> dict[str, Any]:
    """A policy that lets a role in, and a service."""
    statements = [allow(action, resource, Principal=_NAMED)]
    if service:
        statements.append(allow(action, resource, Principal={"Service": service}))
    return policy(*statements)


_MACHINE = {
    "StartAt": "Add",
    "QueryLanguage": "JSONata",
    "States": {"Add": {"Type": "Pass", "Output": "{% $states.input.a + 1 %}", "End": True}},
}

TEMPLATE: dict[str, Any] = {
    "Resources": {
        **build_resources(),
        "Key": _made("AWS::KMS::Key", KeyPolicy=policy(allow("kms:*", "*", Principal=_ROOT))),
        "Alias": _made("AWS::KMS::Alias", AliasName="alias/levels", TargetKeyId={"Ref": "Key"}),
        "Bucket": _made(
            "AWS::S3::Bucket",
            VersioningConfiguration={"Status": "Enabled"},
            BucketEncryption={
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": _arn("Key")}}
                ]
            },
        ),
        "BucketPolicy": _made(
            "AWS::S3::BucketPolicy",
            Bucket={"Ref": "Bucket"},
            PolicyDocument=policy(
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:PutObject",
                    "Resource": {"Fn::Sub": "${Bucket.Arn}/locked/*"},
                }
            ),
        ),
        "Table": _made(
            "AWS::DynamoDB::Table",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        ),
        "Repository": _made("AWS::ECR::Repository", RepositoryName="levels"),
        "Queue": _made("AWS::SQS::Queue"),
        "QueuePolicy": _made(
            "AWS::SQS::QueuePolicy",
            Queues=[{"Ref": "Queue"}],
            PolicyDocument=policy(
                allow("sqs:SendMessage", _arn("Queue"), Principal=_NAMED),
                allow(
                    "sqs:SendMessage",
                    _arn("Queue"),
                    Principal={"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
                ),
            ),
        ),
        "Topic": _made("AWS::SNS::Topic"),
        "TopicPolicy": _made(
            "AWS::SNS::TopicPolicy",
            Topics=[{"Ref": "Topic"}],
            PolicyDocument=_let_in("sns:Publish", {"Ref": "Topic"}, "cloudwatch.amazonaws.com"),
        ),
        "SubscribedTopic": _made("AWS::SNS::Topic"),
        "Subscription": _made(
            "AWS::SNS::Subscription", TopicArn={"Ref": "SubscribedTopic"}, Protocol="sqs", Endpoint=_arn("Queue")
        ),
        "Bus": _made("AWS::Events::EventBus", Name="levels"),
        "BusPolicy": _made(
            "AWS::Events::EventBusPolicy",
            EventBusName={"Ref": "Bus"},
            StatementId="LetIn",
            Statement=allow("events:PutEvents", _arn("Bus"), Principal=_NAMED),
        ),
        "Rule": _made(
            "AWS::Events::Rule",
            EventBusName={"Ref": "Bus"},
            EventPattern={"source": ["tried"], "detail": {"wanted": [True]}},
            Targets=[
                {
                    "Id": "Queue",
                    "Arn": _arn("Queue"),
                    "InputTransformer": {
                        "InputPathsMap": {"text": "$.detail.text"},
                        "InputTemplate": '{"said": <text>}',
                    },
                }
            ],
        ),
        "Provider": _made(
            "AWS::IAM::OIDCProvider",
            Url="https://token.actions.githubusercontent.com",
            ClientIdList=["sts.amazonaws.com"],
        ),
        "Role": role("states", allow("ssm:GetParameter", "*")),
        "Policy": _made(
            "AWS::IAM::Policy",
            PolicyName="Attached",
            Roles=[{"Ref": "Role"}],
            PolicyDocument=policy(allow("sns:ListTopics", "*")),
        ),
        "FunctionRole": role("lambda", allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*")),
        "Function": _made(
            "AWS::Lambda::Function",
            Code=CODE,
            Handler="index.handler",
            Role=_arn("FunctionRole"),
            Runtime="python3.14",
            Environment={"Variables": {"TEXT": "of the template"}},
            LoggingConfig={"LogGroup": {"Ref": "LogGroup"}},
        ),
        "FunctionRule": _made(
            "AWS::Events::Rule", EventPattern={"source": ["permitted"]}, Targets=[{"Id": "F", "Arn": _arn("Function")}]
        ),
        "OtherRule": _made(
            "AWS::Events::Rule", EventPattern={"source": ["other"]}, Targets=[{"Id": "F", "Arn": _arn("Function")}]
        ),
        "Permission": _made(
            "AWS::Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName={"Ref": "Function"},
            Principal="events.amazonaws.com",
            SourceArn=_arn("FunctionRule"),
        ),
        "LogGroup": _made("AWS::Logs::LogGroup", LogGroupName="levels", RetentionInDays=7),
        "EventLog": _made("AWS::Logs::LogGroup", LogGroupName="/aws/events/levels"),
        "SecretLog": _made("AWS::Logs::LogGroup", LogGroupName="/aws/other/levels"),
        "LogPolicy": _made(
            "AWS::Logs::ResourcePolicy",
            PolicyName="events",
            PolicyDocument=json.dumps(
                policy(
                    allow(
                        ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/events/*:*",
                        Principal={"Service": "events.amazonaws.com"},
                    )
                )
            ),
        ),
        "LogRule": _made(
            "AWS::Events::Rule",
            EventPattern={"source": ["logged"]},
            Targets=[
                {
                    "Id": name,
                    "Arn": {"Fn::Sub": "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:${" + name + "}"},
                }
                for name in ("EventLog", "SecretLog")
            ],
        ),
        "Parameter": _made("AWS::SSM::Parameter", Name="/levels/topic", Type="String", Value={"Ref": "Topic"}),
        "Group": _made("AWS::SageMaker::ModelPackageGroup", ModelPackageGroupName="levels"),
        "Machine": _made(
            "AWS::StepFunctions::StateMachine", DefinitionString=json.dumps(_MACHINE), RoleArn=_arn("Role")
        ),
        "Alarm": _made(
            "AWS::CloudWatch::Alarm",
            Namespace="Levels",
            MetricName="Trouble",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[{"Ref": "Topic"}],
        ),
        "S3Endpoint": _made(
            "AWS::EC2::VPCEndpoint",
            VpcId="vpc-0123456789abcdef0",
            VpcEndpointType="Gateway",
            ServiceName="com.amazonaws.us-east-1.s3",
            RouteTableIds=["rtb-0123456789abcdef0"],
        ),
        "Dashboard": _made("AWS::CloudWatch::Dashboard", DashboardName="levels", DashboardBody='{"widgets": []}'),
        **api_resources(
            _made(
                "AWS::Lambda::Function",
                Code=CODE,
                Handler="index.answer_api",
                Role=_arn("FunctionRole"),
                Runtime="python3.14",
            )
        ),
    }
}
