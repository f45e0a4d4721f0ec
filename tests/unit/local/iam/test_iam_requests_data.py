"""What S3's and DynamoDB's calls need: the object, its key, the item's partition."""

import pytest
from iam_checks import ACCOUNT, BUCKET, KEY, TABLE, checks, pairs

from modelwright.local.iam.checks import Facts
from modelwright.local.iam.patterns import UNKNOWN


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
