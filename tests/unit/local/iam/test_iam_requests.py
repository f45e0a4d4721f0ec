import pytest

from modelwright.local.iam.checks import Facts, Request
from modelwright.local.iam.patterns import UNKNOWN
from modelwright.local.iam.requests import UnmappedOperation, required

ACCOUNT, REGION = "123456789012", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000"
BUCKET = "arn:aws:s3:::b"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/mw-dev"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Job"
SM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
FACTS = Facts(
    keys={BUCKET: KEY, f"{SM}endpoint-config/c": KEY, f"arn:aws:sns:{REGION}:{ACCOUNT}:t": KEY},
    bucket_keys=frozenset({BUCKET}),
    aliases={"alias/mine": KEY},
    partition_keys={TABLE: "pk"},
)


def checks(service, operation, params, facts=FACTS):
    return required(Request(service, operation, params, REGION, ACCOUNT, facts))


def pairs(service, operation, params, facts=FACTS):
    return [(check.action, check.resource) for check in checks(service, operation, params, facts)]


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("GetObject", {"Bucket": "b", "Key": "a/k"}, [("s3:GetObject", f"{BUCKET}/a/k"), ("kms:Decrypt", KEY)]),
        ("GetObject", {"Bucket": "plain", "Key": "k"}, [("s3:GetObject", "arn:aws:s3:::plain/k")]),
        (
            "GetObject",
            {"Bucket": "b", "Key": "k", "VersionId": "1"},
            [("s3:GetObjectVersion", f"{BUCKET}/k"), ("kms:Decrypt", KEY)],
        ),
        ("HeadObject", {"Bucket": "b", "Key": "k"}, [("s3:GetObject", f"{BUCKET}/k")]),
        ("PutObject", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", f"{BUCKET}/k"), ("kms:GenerateDataKey", KEY)]),
        ("PutObject", {"Bucket": "b", "Key": "k", "ServerSideEncryption": "AES256"}, [("s3:PutObject", f"{BUCKET}/k")]),
        (
            "PutObject",
            {"Bucket": "plain", "Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine"},
            [("s3:PutObject", "arn:aws:s3:::plain/k"), ("kms:GenerateDataKey", KEY)],
        ),
        (
            "PutObject",
            {"Bucket": "plain", "Key": "k", "Tagging": "a=1"},
            [("s3:PutObject", "arn:aws:s3:::plain/k"), ("s3:PutObjectTagging", "arn:aws:s3:::plain/k")],
        ),
        (
            "CopyObject",
            {"Bucket": "b", "Key": "to", "CopySource": "/b/fro%20m?versionId=7"},
            [
                ("s3:GetObjectVersion", f"{BUCKET}/fro m"),
                ("kms:Decrypt", KEY),
                ("s3:PutObject", f"{BUCKET}/to"),
                ("kms:GenerateDataKey", KEY),
            ],
        ),
        (
            "CompleteMultipartUpload",
            {"Bucket": "b", "Key": "k"},
            [("s3:PutObject", f"{BUCKET}/k"), ("kms:GenerateDataKey", KEY), ("kms:Decrypt", KEY)],
        ),
        (
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}, {"Key": "y", "VersionId": "1"}]}},
            [("s3:DeleteObject", f"{BUCKET}/x"), ("s3:DeleteObjectVersion", f"{BUCKET}/y")],
        ),
        ("ListObjectsV2", {"Bucket": "b", "Prefix": "a/"}, [("s3:ListBucket", BUCKET)]),
        ("HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", BUCKET)]),
    ],
)
def test_s3(operation, params, expected):
    assert pairs("s3", operation, params) == expected


def test_s3_says_what_the_request_says():
    (check,) = checks("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "a/", "Delimiter": "/", "MaxKeys": 5})
    assert {key: check.context[key] for key in ("s3:prefix", "s3:delimiter", "s3:max-keys")} == {
        "s3:prefix": "a/",
        "s3:delimiter": "/",
        "s3:max-keys": "5",
    }
    put = checks(
        "s3", "PutObject", {"Bucket": "plain", "Key": "k", "ServerSideEncryption": "aws:kms", "Tagging": "A=1"}
    )
    assert put[0].context["s3:x-amz-server-side-encryption"] == "aws:kms"
    assert put[0].context["s3:requestobjecttag/a"] == "1"


def test_s3_asks_kms_in_the_callers_name():
    get = checks("s3", "GetObject", {"Bucket": "b", "Key": "k"})[1]
    assert get.forwarded
    assert get.context["kms:viaservice"] == "s3.eu-west-1.amazonaws.com"
    assert get.context["kms:calleraccount"] == ACCOUNT
    assert get.context["kms:encryptioncontext:aws:s3:arn"] == BUCKET
    without = Facts(keys={BUCKET: KEY})
    assert checks("s3", "GetObject", {"Bucket": "b", "Key": "k"}, without)[1].context[
        "kms:encryptioncontext:aws:s3:arn"
    ] == (f"{BUCKET}/k")


ITEM = {"pk": {"S": "PIPELINE#p"}, "sk": {"S": "RUN#1"}}


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("GetItem", {"Key": ITEM}, [("dynamodb:GetItem", TABLE, ("PIPELINE#p",))]),
        ("PutItem", {"Item": ITEM}, [("dynamodb:PutItem", TABLE, ("PIPELINE#p",))]),
        ("UpdateItem", {"Key": {"sk": {"S": "x"}}}, [("dynamodb:UpdateItem", TABLE, UNKNOWN)]),
        (
            "Query",
            {
                "KeyConditionExpression": "#p = :p AND begins_with(sk, :s)",
                "ExpressionAttributeNames": {"#p": "pk"},
                "ExpressionAttributeValues": {":p": {"S": "PIPELINE#p"}, ":s": {"S": "RUN#"}},
            },
            [("dynamodb:Query", TABLE, ("PIPELINE#p",))],
        ),
        ("Query", {"IndexName": "i"}, [("dynamodb:Query", f"{TABLE}/index/i", UNKNOWN)]),
        ("Scan", {}, [("dynamodb:Scan", TABLE, None)]),
    ],
)
def test_dynamodb_names_the_partition(operation, params, expected):
    found = checks("dynamodb", operation, {"TableName": "mw-dev", **params})
    assert [(c.action, c.resource, c.context.get("dynamodb:leadingkeys")) for c in found] == expected


def test_a_transaction_needs_the_permission_of_each_item():
    items = [
        {"Put": {"TableName": "mw-dev", "Item": ITEM}},
        {"ConditionCheck": {"TableName": TABLE, "Key": ITEM}},
        {"Delete": {"TableName": "mw-dev", "Key": ITEM}},
        {"Update": {"TableName": "mw-dev", "Key": ITEM}},
    ]
    found = checks("dynamodb", "TransactWriteItems", {"TransactItems": items})
    names = ["PutItem", "ConditionCheckItem", "DeleteItem", "UpdateItem"]
    assert [(c.action, c.resource) for c in found] == [(f"dynamodb:{name}", TABLE) for name in names]
    assert {c.context["dynamodb:enclosingoperation"] for c in found} == {"TransactWriteItems"}


def test_an_encrypted_table_needs_its_key_too():
    facts = Facts(keys={TABLE: KEY})
    found = pairs("dynamodb", "GetItem", {"TableName": "mw-dev", "Key": ITEM}, facts)
    assert found == [("dynamodb:GetItem", TABLE), ("kms:Decrypt", KEY)]


TRAINING = {
    "TrainingJobName": "j",
    "RoleArn": ROLE,
    "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": KEY},
    "OutputDataConfig": {"S3OutputPath": "s3://b/", "KmsKeyId": KEY},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "EnableNetworkIsolation": True,
    "VpcConfig": {"Subnets": ["s-1", "s-2"], "SecurityGroupIds": ["sg"]},
}


def test_creating_a_job_needs_the_job_its_role_and_its_tags():
    tagged = {**TRAINING, "Tags": [{"Key": "Team", "Value": "ml"}]}
    job = f"{SM}training-job/j"
    found = checks("sagemaker", "CreateTrainingJob", tagged)
    assert [(c.action, c.resource) for c in found] == [
        ("sagemaker:CreateTrainingJob", job),
        ("iam:PassRole", ROLE),
        ("sagemaker:AddTags", job),
    ]
    assert found[1].context == {"iam:passedtoservice": "sagemaker.amazonaws.com"}
    assert found[2].context == {"aws:requesttag/team": "ml", "aws:tagkeys": ("Team",)}
    assert found[0].context == {
        "sagemaker:instancetypes": ("ml.m5.large",),
        "sagemaker:volumekmskey": KEY,
        "sagemaker:outputkmskey": KEY,
        "sagemaker:maxruntimeinseconds": "60",
        "sagemaker:networkisolation": "true",
        "sagemaker:vpcsubnets": ("s-1", "s-2"),
        "sagemaker:vpcsecuritygroupids": ("sg",),
        "aws:requesttag/team": "ml",
        "aws:tagkeys": ("Team",),
    }


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        (
            "CreateModel",
            {"ModelName": "m", "ExecutionRoleArn": ROLE},
            [("sagemaker:CreateModel", f"{SM}model/m"), ("iam:PassRole", ROLE)],
        ),
        (
            "CreateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "plain"},
            [
                ("sagemaker:CreateEndpoint", f"{SM}endpoint/e"),
                ("sagemaker:CreateEndpoint", f"{SM}endpoint-config/plain"),
            ],
        ),
        (
            "UpdateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            [
                ("sagemaker:UpdateEndpoint", f"{SM}endpoint/e"),
                ("sagemaker:UpdateEndpoint", f"{SM}endpoint-config/c"),
                ("kms:CreateGrant", KEY),
            ],
        ),
        (
            "CreateModelPackage",
            {"ModelPackageGroupName": "g"},
            [
                ("sagemaker:CreateModelPackage", f"{SM}model-package-group/g"),
                ("sagemaker:CreateModelPackage", f"{SM}model-package/g/*"),
            ],
        ),
        (
            "UpdateModelPackage",
            {"ModelPackageArn": f"{SM}model-package/g/3"},
            [("sagemaker:UpdateModelPackage", f"{SM}model-package/g/3")],
        ),
        (
            "DescribeModelPackage",
            {"ModelPackageName": f"{SM}model-package/g/3"},
            [("sagemaker:DescribeModelPackage", f"{SM}model-package/g/3")],
        ),
        (
            "ListModelPackages",
            {"ModelPackageGroupName": f"{SM}model-package-group/g"},
            [("sagemaker:ListModelPackages", f"{SM}model-package/g/*")],
        ),
        ("ListEndpoints", {}, [("sagemaker:ListEndpoints", "*")]),
        ("StopProcessingJob", {"ProcessingJobName": "p"}, [("sagemaker:StopProcessingJob", f"{SM}processing-job/p")]),
        ("AddTags", {"ResourceArn": f"{SM}model/m"}, [("sagemaker:AddTags", f"{SM}model/m")]),
    ],
)
def test_sagemaker(operation, params, expected):
    assert pairs("sagemaker", operation, params) == expected


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
