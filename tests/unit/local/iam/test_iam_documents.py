import json

import pytest

from modelwright.local.iam.documents import parse_document
from modelwright.local.iam.problems import PolicyError

ROLE = "arn:aws:iam::123456789012:role/R"
GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def read(statement, kind="identity", **options):
    document = {"Version": "2012-10-17", "Statement": statement}
    return parse_document(document, kind=kind, owner=ROLE, name="p", **options)


def applies(document, action, resource="arn:aws:s3:::b/k", context=None):
    return any(s.applies(action.lower(), resource, context or {}) for s in document.about(action.lower()))


@pytest.mark.parametrize(
    ("statement", "action", "expected"),
    [
        ({"Action": "s3:GetObject"}, "s3:GetObject", True),
        ({"Action": "S3:getobject"}, "s3:GetObject", True),
        ({"Action": ["s3:Get*", "s3:List?ucket"]}, "s3:ListBucket", True),
        ({"Action": "s3:Get*"}, "s3:PutObject", False),
        ({"Action": "*"}, "dynamodb:GetItem", True),
        ({"Action": "*:*"}, "dynamodb:GetItem", True),
        ({"NotAction": ["iam:*", "s3:PutObject"]}, "s3:GetObject", True),
        ({"NotAction": ["iam:*", "s3:PutObject"]}, "s3:PutObject", False),
        ({"NotAction": "iam:*"}, "iam:PassRole", False),
    ],
)
def test_actions(statement, action, expected):
    assert applies(read({"Effect": "Allow", "Resource": "*", **statement}), action) is expected


@pytest.mark.parametrize(
    ("statement", "resource", "expected"),
    [
        ({"Resource": "arn:aws:s3:::b/*"}, "arn:aws:s3:::b/k", True),
        ({"Resource": "arn:aws:s3:::B/*"}, "arn:aws:s3:::b/k", False),
        ({"Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}, "arn:aws:s3:::b", True),
        ({"NotResource": ["arn:aws:s3:::b/private/*"]}, "arn:aws:s3:::b/k", True),
        ({"NotResource": ["arn:aws:s3:::b/private/*"]}, "arn:aws:s3:::b/private/k", False),
        ({"Resource": "arn:aws:s3:::b/${aws:PrincipalAccount}/*"}, "arn:aws:s3:::b/123456789012/k", True),
        ({"Resource": "arn:aws:s3:::b/${aws:PrincipalAccount}/*"}, "arn:aws:s3:::b/other/k", False),
    ],
)
def test_resources(statement, resource, expected):
    document = read({"Effect": "Allow", "Action": "s3:*", **statement})
    assert applies(document, "s3:GetObject", resource, {"aws:principalaccount": "123456789012"}) is expected


def test_the_older_version_of_the_language_has_no_variables():
    text = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:PrincipalAccount}"}}
    document = parse_document(text, kind="identity", owner=ROLE, name="p")
    assert applies(document, "s3:GetObject", "arn:aws:s3:::b/${aws:PrincipalAccount}", {"aws:principalaccount": "1"})


def test_json_text_is_read_too_and_statements_have_names():
    document = parse_document(
        json.dumps({"Statement": [GOOD, {**GOOD, "Sid": "Mine"}]}), kind="identity", owner=ROLE, name="p"
    )
    assert [str(s.ref) for s in document.statements] == [f"{ROLE}: p[0]", f"{ROLE}: p[Mine]"]


@pytest.mark.parametrize(
    ("statement", "kind", "problem"),
    [
        (
            {**GOOD, "Efect": "x"},
            "identity",
            "Statement[0].Efect: is not an element of a statement; did you mean Effect?",
        ),
        ({**GOOD, "Effect": "allow"}, "identity", "Statement[0].Effect: is 'allow'; it must be 'Allow' or 'Deny'"),
        ({"Effect": "Allow", "Resource": "*"}, "identity", "Statement[0]: has neither Action nor NotAction"),
        ({**GOOD, "NotAction": "s3:*"}, "identity", "Statement[0]: has both Action and NotAction"),
        (
            {**GOOD, "Action": "GetObject"},
            "identity",
            "Statement[0].Action: 'GetObject' is not of the form service:Name",
        ),
        ({**GOOD, "Action": []}, "identity", "Statement[0].Action: is []; it must be a text or a list of texts"),
        ({**GOOD, "Resource": "bucket"}, "identity", "Statement[0].Resource: 'bucket' is no ARN, nor \"*\""),
        (
            {**GOOD, "Resource": "arn:aws:s3:::${aws:PrincipalAcount}"},
            "identity",
            (
                "Statement[0].Resource: the local cloud does not supply the condition key aws:principalacount; "
                "the nearest known one is aws:PrincipalAccount"
            ),
        ),
        ({**GOOD, "Principal": "*"}, "identity", "Statement[0].Principal: has no place in a policy of a role"),
        (GOOD, "resource", "Statement[0]: has neither Principal nor NotPrincipal"),
        (
            {**GOOD, "Principal": {"AWS": "arn:aws:iam::123456789012:role/*"}},
            "resource",
            (
                "Statement[0].Principal.AWS: 'arn:aws:iam::123456789012:role/*' is no account, role, user or session, "
                'nor "*"'
            ),
        ),
        (
            {**GOOD, "Principal": {"Service": "events"}},
            "resource",
            "Statement[0].Principal.Service: 'events' is not a service such as events.amazonaws.com",
        ),
        (
            {**GOOD, "Principal": {"CanonicalUser": "79a5"}},
            "resource",
            "Statement[0].Principal.CanonicalUser: is not supported; known are AWS, Federated, Service",
        ),
        (
            {**GOOD, "NotPrincipal": {"AWS": "*"}},
            "resource",
            "Statement[0].NotPrincipal: with Allow lets in everyone else; write Principal",
        ),
        (
            {**GOOD, "Principal": "*"},
            "trust",
            "Statement[0].Resource: has no place here: this policy is about its owner alone",
        ),
        ("x", "identity", "Statement[0]: is str; it must be an object"),
        ([], "identity", "Statement: is missing; a policy needs at least one statement"),
        ([{**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"}], "identity", "Statement: the Sid 'A' is there twice"),
    ],
)
def test_a_malformed_document_is_an_error_with_its_place(statement, kind, problem):
    with pytest.raises(PolicyError) as caught:
        read(statement, kind)
    assert str(caught.value) == f"{kind} policy p of {ROLE}: {problem}"


def test_all_problems_are_told_at_once():
    with pytest.raises(PolicyError) as caught:
        read([{**GOOD, "Effect": "Maybe"}, {**GOOD, "Action": "x", "Condition": {"StringEqual": {}}, "Sidd": "a"}])
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("{", "is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "is list; it must be an object"),
        ({"Statement": GOOD, "Version": "2013-01-01"}, "Version: is '2013-01-01'; it must be 2012-10-17 or 2008-10-17"),
        ({"Statement": GOOD, "Stmt": 1}, "Stmt: is not an element of a policy; known are Id, Statement, Version"),
    ],
)
def test_a_document_that_is_no_policy(document, problem):
    with pytest.raises(PolicyError) as caught:
        parse_document(document, kind="identity", owner=ROLE, name="p")
    assert caught.value.problems == (problem,)


def test_a_repository_policy_names_no_resource():
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    document = read(statement, "resource", without_resource=True)
    assert applies(document, "ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:123456789012:repository/r")
