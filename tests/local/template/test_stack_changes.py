"""What a second deploy does: change what differs, replace, remove, keep; and what is left when one fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tiny_assembly import CODE, allow, policy, role

from modelwright.local.service import AwsError
from modelwright.local.template.intrinsics import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = {"Type": "AWS::SNS::Topic"}
BUCKET = {"Type": "AWS::S3::Bucket"}


def parameter(value: Any, name: str = "/a", **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}, **more}


def value(world: Any, name: str = "/a") -> str:
    return str(world.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def topics(world: Any) -> set[str]:
    return {each["TopicArn"].rpartition(":")[2] for each in world.client("sns").list_topics()["Topics"]}


def test_resources_come_after_what_they_need(world: Any) -> None:
    world.deploy({"s": {"A": parameter({"Ref": "B"}), "C": {**TOPIC, "DependsOn": "A"}, "B": TOPIC}})
    assert list(world.physical("s")) == ["B", "A", "C"]
    assert value(world).endswith(world.physical("s")["B"].rpartition(":")[2])


def test_a_circle_is_an_error_that_names_it(world: Any) -> None:
    circle = {"A": parameter({"Ref": "B"}, "/a"), "B": parameter({"Ref": "A"}, "/b"), "C": TOPIC}
    with pytest.raises(TemplateError, match="s: these resources need each other in a circle: A, B"):
        world.deploy({"s": circle})


def test_a_second_deploy_changes_what_differs_only(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {"A": parameter("1", "/a"), "B": parameter("2", "/b"), "T": TOPIC}
    assert world.deploy({"s": first, "t": {"X": TOPIC}}).created == ("s", "t")
    made = []
    put = world.cloud.services["ssm"]._put
    monkeypatch.setattr(world.cloud.services["ssm"], "_put", lambda params: made.append(params["Name"]) or put(params))
    report = world.deploy({"s": {**first, "A": parameter("3", "/a")}, "t": {"X": TOPIC}})
    assert (report.created, report.updated, report.unchanged) == ((), ("s",), ("t",))
    assert made == ["/a"]
    assert (value(world, "/a"), value(world, "/b")) == ("3", "2")
    assert world.stack("s")["StackStatus"] == "UPDATE_COMPLETE"


def test_what_is_not_in_the_template_any_more_goes(world: Any) -> None:
    world.deploy({"s": {"A": TOPIC, "B": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "b"}}}})
    world.deploy({"s": {"A": TOPIC}})
    assert "b" not in topics(world)
    assert list(world.physical("s")) == ["A"]


def test_what_is_retained_stays_when_it_leaves_the_template(world: Any) -> None:
    kept = {**BUCKET, "DeletionPolicy": "Retain"}
    world.deploy({"s": {"A": TOPIC, "B": kept}})
    name = world.physical("s")["B"]
    world.client("s3").put_object(Bucket=name, Key="k", Body=b"x")
    world.deploy({"s": {"A": TOPIC}})
    assert world.client("s3").get_object(Bucket=name, Key="k")["Body"].read() == b"x"


def test_a_resource_of_another_name_replaces_the_first(world: Any) -> None:
    def named(name: str) -> dict[str, Any]:
        return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}

    world.deploy({"s": {"T": named("one"), "A": parameter({"Ref": "T"})}})
    world.deploy({"s": {"T": named("two"), "A": parameter({"Ref": "T"})}})
    assert topics(world) == {"two"}
    assert value(world).endswith(":two")
    world.deploy({"s": {"T": {**named("two"), "UpdateReplacePolicy": "Retain"}, "A": parameter({"Ref": "T"})}})
    world.deploy({"s": {"T": named("three"), "A": parameter({"Ref": "T"})}})
    assert topics(world) == {"two", "three"}


def test_what_cannot_change_under_a_name_of_its_own_is_refused(world: Any) -> None:
    """CloudFormation would have to make another one of that name first."""

    def repository(encryption: str, **more: Any) -> dict[str, Any]:
        properties = {"EncryptionConfiguration": {"EncryptionType": encryption}, **more}
        return {"s": {"R": {"Type": "AWS::ECR::Repository", "Properties": properties}}}

    world.deploy(repository("KMS", RepositoryName="images"))
    with pytest.raises(TemplateError, match=r"EncryptionConfiguration cannot change.*put it back, or rename images"):
        world.deploy(repository("AES256", RepositoryName="images"))
    world.deploy(repository("KMS", RepositoryName="images", ImageTagMutability="IMMUTABLE"))
    world.deploy(repository("AES256", RepositoryName="others"))


def test_an_attached_policy_outlasts_a_change_of_its_role(world: Any) -> None:
    document = policy(allow("sns:ListTopics", "*"))
    properties = {"PolicyName": "P", "Roles": [{"Ref": "R"}], "PolicyDocument": document}
    attached = {"Type": "AWS::IAM::Policy", "Properties": properties}
    world.deploy({"s": {"R": role("lambda"), "P": attached}})
    arn = f"arn:aws:iam::{world.cloud.account}:role/{world.physical('s')['R']}"
    world.deploy({"s": {"R": role("lambda", allow("ssm:GetParameter", "*")), "P": attached}})
    world.cloud.client("sns", arn).list_topics()
    world.deploy({"s": {"R": role("lambda", allow("ssm:GetParameter", "*"))}})
    with pytest.raises(ClientError, match="not authorized to perform: sns:ListTopics"):
        world.cloud.client("sns", arn).list_topics()


def test_a_permission_outlasts_a_change_of_its_function(world: Any) -> None:
    def function(text: str) -> dict[str, Any]:
        arn = {"Fn::GetAtt": ["R", "Arn"]}
        properties = {
            "Code": CODE,
            "Handler": "index.handler",
            "Role": arn,
            "Runtime": "python3.14",
            "Description": text,
        }
        return {"Type": "AWS::Lambda::Function", "Properties": properties}

    def permission(service: str) -> dict[str, Any]:
        properties = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "F"},
            "Principal": f"{service}.amazonaws.com",
        }
        return {"Type": "AWS::Lambda::Permission", "Properties": properties}

    def invokes(service: str) -> None:
        arn = f"arn:aws:lambda:eu-central-1:{world.cloud.account}:function:{world.physical('s')['F']}"
        world.cloud.iam.authorize_service(f"{service}.amazonaws.com", "lambda:InvokeFunction", arn)

    code = "def handler(event, context): return 1\n"
    world.deploy({"s": {"R": role("lambda"), "F": function("one"), "P": permission("events")}}, code=code)
    world.deploy({"s": {"R": role("lambda"), "F": function("two"), "P": permission("events")}}, code=code)
    invokes("events")
    world.deploy({"s": {"R": role("lambda"), "F": function("two"), "P": permission("sns")}}, code=code)
    invokes("sns")
    with pytest.raises(AwsError, match="not authorized"):
        invokes("events")


@pytest.mark.parametrize(
    ("kind", "names", "arn"),
    [
        ("AWS::S3::BucketPolicy", {"Bucket": "policied"}, lambda _: "arn:aws:s3:::policied"),
        (
            "AWS::SNS::TopicPolicy",
            {"Topics": ["arn:aws:sns:eu-central-1:1:t"]},
            lambda _: "arn:aws:sns:eu-central-1:1:t",
        ),
        (
            "AWS::SQS::QueuePolicy",
            {"Queues": ["http://x/1/q"]},
            lambda account: f"arn:aws:sqs:eu-central-1:{account}:q",
        ),
    ],
)
def test_a_policy_that_left_the_template_decides_no_more(
    world: Any, kind: str, names: dict[str, Any], arn: Callable[[str], str]
) -> None:
    target, account = arn(world.cloud.account), world.cloud.account
    everyone = {**allow("*", target), "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    world.deploy({"s": {"P": {"Type": kind, "Properties": {**names, "PolicyDocument": policy(everyone)}}, "T": TOPIC}})
    assert any(ref.owner == target for ref in world.cloud.iam.statements())
    world.deploy({"s": {"T": TOPIC}})
    assert not any(ref.owner == target for ref in world.cloud.iam.statements())


def test_a_target_that_left_a_rule_gets_nothing_more(world: Any) -> None:
    def rule(*ids: str) -> dict[str, Any]:
        targets = [{"Id": each, "Arn": "arn:aws:sqs:eu-central-1:1:q"} for each in ids]
        return {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "r", "EventPattern": {"source": ["x"]}, "Targets": targets},
        }

    world.deploy({"s": {"R": rule("one", "two")}})
    world.deploy({"s": {"R": rule("two")}})
    assert [each["Id"] for each in world.client("events").list_targets_by_rule(Rule="r")["Targets"]] == ["two"]


def test_a_failed_deploy_says_so_and_the_next_one_goes_on(world: Any) -> None:
    wrong = {"Type": "AWS::SNS::Topic", "Properties": {"NoSuch": 1}}
    with pytest.raises(TemplateError, match=r"s: B \(AWS::SNS::Topic\) has NoSuch"):
        world.deploy({"s": {"A": parameter("1"), "B": wrong}})
    assert world.stack("s")["StackStatus"] == "CREATE_FAILED"
    assert "NoSuch" in world.stack("s")["StackStatusReason"]
    assert value(world) == "1"
    world.deploy({"s": {"A": parameter("1"), "B": TOPIC}})
    assert world.stack("s")["StackStatus"] == "CREATE_COMPLETE"
    with pytest.raises(TemplateError):
        world.deploy({"s": {"A": parameter("2"), "B": wrong}})
    assert world.stack("s")["StackStatus"] == "UPDATE_FAILED"
    assert len(topics(world)) == 1
    world.deploy({"s": {"A": parameter("2")}})
    assert (world.stack("s")["StackStatus"], topics(world), value(world)) == ("UPDATE_COMPLETE", set(), "2")


def test_access_logs_are_not_delivered_to_a_bucket_under_a_key(world: Any) -> None:
    def logged(algorithm: str) -> dict[str, Any]:
        default = {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": "arn:key"} if algorithm == "aws:kms" else {})}
        rules = [{"ServerSideEncryptionByDefault": default}]
        encryption = {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}
        source = {"LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}}}
        return {
            "Logs": {"Type": "AWS::S3::Bucket", "Properties": encryption},
            "Data": {"Type": "AWS::S3::Bucket", "Properties": source},
        }

    with pytest.raises(TemplateError, match=r"Data: LoggingConfiguration.*under a KMS key.*SSE-S3"):
        world.deploy({"s": logged("aws:kms")})
    world.deploy({"s": logged("AES256")})


def test_an_unknown_type_is_an_error_that_names_it(world: Any) -> None:
    with pytest.raises(TemplateError, match="s: A is a AWS::EC2::Instance, which the local cloud does not make"):
        world.deploy({"s": {"A": {"Type": "AWS::EC2::Instance"}}})


def test_a_deleted_stack_goes_and_comes_back_when_it_is_asked_for(world: Any) -> None:
    templates = {"s": {"A": TOPIC}, "t": {"B": {**BUCKET, "DeletionPolicy": "RetainExceptOnCreate"}, "C": TOPIC}}
    world.deploy(templates)
    bucket = world.physical("t")["B"]
    world.client("cloudformation").delete_stack(StackName="t")
    with pytest.raises(ClientError, match="does not exist"):
        world.stack("t")
    world.client("s3").head_bucket(Bucket=bucket)
    assert len(topics(world)) == 1
    assert world.deploy(templates).unchanged == ("s",)
    assert world.deploy(templates, ("t",)).created == ("t",)
    assert world.physical("t")["B"] == bucket


def test_a_stack_whose_bucket_is_not_empty_says_why_it_stays(world: Any) -> None:
    world.deploy({"s": {"B": BUCKET, "T": TOPIC}})
    bucket = world.physical("s")["B"]
    world.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    world.client("cloudformation").delete_stack(StackName=world.stack("s")["StackId"])
    assert world.stack("s")["StackStatus"] == "DELETE_FAILED"
    assert "not empty" in world.stack("s")["StackStatusReason"]
    assert list(world.physical("s")) == ["B"]
    world.client("s3").delete_object(Bucket=bucket, Key="k")
    world.client("cloudformation").delete_stack(StackName="s")
    with pytest.raises(ClientError, match="does not exist"):
        world.stack("s")


def test_stacks_of_another_environment_stay(world: Any) -> None:
    world.deploy({"mw-a-data": {"A": TOPIC}, "mw-a-pen": {"B": TOPIC}})
    world.deploy({"mw-b-data": {"A": TOPIC}})
    world.deploy({"mw-a-data": {"A": TOPIC}})
    found = world.client("cloudformation").describe_stacks()["Stacks"]
    assert {stack["StackName"] for stack in found} == {"mw-a-data", "mw-b-data"}


def test_a_stack_that_left_the_assembly_goes_before_those_that_it_needs(world: Any) -> None:
    needing = {"Resources": {"B": parameter({"Ref": "P"}, "/b")}, "Parameters": {"P": _from_ssm("/a")}}
    world.deploy({"s": {"A": parameter("1")}, "t": needing, "u": {"T": TOPIC}}, needs={"t": "s"})
    assert value(world, "/b") == "1"
    world.deploy({"u": {"T": TOPIC}})
    assert world.client("ssm").get_parameters_by_path(Path="/", Recursive=True)["Parameters"] == []


def _from_ssm(name: str) -> dict[str, str]:
    return {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}


def test_a_parameter_without_a_value_is_an_error(world: Any) -> None:
    template = {"Resources": {"T": TOPIC}, "Parameters": {"P": _from_ssm("/nowhere")}}
    with pytest.raises(TemplateError, match="there is no SSM parameter /nowhere"):
        world.deploy({"s": template})
    with pytest.raises(TemplateError, match="parameter P has no default"):
        world.deploy({"s": {"Resources": {"T": TOPIC}, "Parameters": {"P": {"Type": "String"}}}})


def test_a_condition_leaves_resources_and_outputs_out(world: Any) -> None:
    template = {
        "Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"T": TOPIC, "U": {**TOPIC, "Condition": "No"}},
        "Outputs": {"One": {"Value": {"Ref": "T"}}, "Two": {"Value": {"Ref": "U"}, "Condition": "No"}},
    }
    world.deploy({"s": template})
    assert list(world.physical("s")) == ["T"]
    assert [each["OutputKey"] for each in world.stack("s")["Outputs"]] == ["One"]
