import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.local.iam.conditions import parse_conditions
from modelwright.local.iam.patterns import UNKNOWN
from modelwright.local.iam.problems import Problems, UnknownValue


def read(block, *, variables=True):
    problems = Problems()
    found = parse_conditions(block, "Condition", problems, variables=variables)
    return found, problems.found


def holds(block, context):
    conditions, problems = read(block)
    assert problems == []
    return all(condition.holds(context) for condition in conditions)


PREFIX, ARN, LEADING = "s3:prefix", "aws:sourcearn", "dynamodb:leadingkeys"


@pytest.mark.parametrize(
    ("operator", "wanted", "given_value", "expected"),
    [
        ("StringEquals", "home", "home", True),
        ("StringEquals", "home", "Home", False),
        ("StringEquals", ["away", "home"], "home", True),
        ("StringEquals", "h*", "home", False),
        ("StringNotEquals", ["away", "home"], "home", False),
        ("StringNotEquals", ["away", "home"], "work", True),
        ("StringEqualsIgnoreCase", "home", "HOME", True),
        ("StringNotEqualsIgnoreCase", "home", "HOME", False),
        ("StringLike", "h?m*", "home", True),
        ("StringLike", "", "", True),
        ("StringNotLike", "h*", "home", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericLessThan", 10, "10", False),
        ("NumericGreaterThan", "9.5", "10", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericEquals", "10", "ten", False),
        ("NumericNotEquals", "10", "11", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00+02:00", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "1767225599", True),
        ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", True),
        ("IpAddress", "127.0.0.0/8", "127.0.0.1", True),
        ("IpAddress", ["203.0.113.0/24", "2001:db8::/32"], "127.0.0.1", False),
        ("NotIpAddress", "203.0.113.5", "127.0.0.1", True),
    ],
)
def test_operators_compare_as_on_aws(operator, wanted, given_value, expected):
    assert holds({operator: {PREFIX: wanted}}, {PREFIX: given_value}) is expected


@pytest.mark.parametrize("operator", ["ArnLike", "ArnEquals"])
def test_both_arn_operators_take_wildcards(operator):
    block = {operator: {ARN: "arn:aws:events:*:123456789012:rule/mw-*"}}
    assert holds(block, {ARN: "arn:aws:events:eu-west-1:123456789012:rule/mw-dev/merge"})
    assert not holds(block, {ARN: "arn:aws:events:eu-west-1:999999999999:rule/mw-dev/merge"})


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", True),
    ],
)
def test_an_absent_key_is_what_aws_says_for_each_form(operator, expected):
    assert holds({operator: {PREFIX: "x"}}, {}) is expected


def test_null_asks_whether_the_key_is_there():
    assert holds({"Null": {PREFIX: "true"}}, {})
    assert not holds({"Null": {PREFIX: "true"}}, {PREFIX: "x"})
    assert holds({"Null": {PREFIX: "false"}}, {PREFIX: "x"})


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAllValues:StringLike", ("a1", "a2"), True),
        ("ForAllValues:StringLike", ("a1", "b2"), False),
        ("ForAnyValue:StringLike", ("a1", "b2"), True),
        ("ForAnyValue:StringLike", ("b1", "b2"), False),
        ("ForAllValues:StringNotLike", ("b1", "b2"), True),
        ("ForAllValues:StringNotLike", ("a1", "b2"), False),
        ("ForAnyValue:StringNotLike", ("a1", "b2"), True),
        ("ForAnyValue:StringNotLike", ("a1", "a2"), False),
    ],
)
def test_set_operators_quantify_over_the_requests_values(operator, values, expected):
    assert holds({operator: {"dynamodb:LeadingKeys": "a*"}}, {LEADING: values}) is expected


def test_all_operators_and_all_keys_of_a_block_must_hold():
    block = {"StringEquals": {"s3:prefix": "a", "s3:delimiter": "/"}, "Bool": {"aws:SecureTransport": "true"}}
    context = {"s3:prefix": "a", "s3:delimiter": "/", "aws:securetransport": "true"}
    assert holds(block, context)
    for key in context:
        assert not holds(block, {**context, key: "other"})


def test_keys_are_not_case_sensitive_and_values_may_be_variables():
    context = {"s3:prefix": "123456789012/", "aws:principalaccount": "123456789012"}
    assert holds({"StringLike": {"S3:PREFIX": "${aws:PrincipalAccount}/*"}}, context)
    assert holds({"StringEqualsIgnoreCase": {"s3:prefix": "${aws:PrincipalAccount}/"}}, context)


def test_a_value_that_could_not_be_told_is_never_guessed():
    conditions, _ = read({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "a"}})
    with pytest.raises(UnknownValue, match=r"asks for dynamodb:leadingkeys"):
        conditions[0].holds({LEADING: UNKNOWN})


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (
            {"StringEquals": {"aws:SourceAcount": "1"}},
            (
                "Condition.StringEquals.aws:SourceAcount: the local cloud does not supply the condition key "
                "aws:SourceAcount; the nearest known one is aws:SourceAccount"
            ),
        ),
        (
            {"StringEqual": {"s3:prefix": "1"}},
            (
                "Condition.StringEqual.s3:prefix: the local cloud does not know the condition operator StringEqual; "
                "the nearest known one is StringEquals"
            ),
        ),
        (
            {"BinaryEquals": {"s3:prefix": "AA=="}},
            (
                "Condition.BinaryEquals.s3:prefix: the local cloud does not know the condition operator BinaryEquals; "
                "the nearest known one is ArnEquals"
            ),
        ),
        (
            {"NumericLessThan": {"s3:max-keys": "ten"}},
            "Condition.NumericLessThan.s3:max-keys: is no number: 'ten'",
        ),
        (
            {"Bool": {"aws:SecureTransport": "yes"}},
            "Condition.Bool.aws:SecureTransport: is neither true nor false: 'yes'",
        ),
        (
            {"DateLessThan": {"aws:CurrentTime": "soon"}},
            "Condition.DateLessThan.aws:CurrentTime: is no date of the form 2026-01-31T00:00:00Z: 'soon'",
        ),
        (
            {"IpAddress": {"aws:SourceIp": "here"}},
            "Condition.IpAddress.aws:SourceIp: is no address or range like 203.0.113.0/24: 'here'",
        ),
        ({"ArnLike": {"aws:SourceArn": "*"}}, "Condition.ArnLike.aws:SourceArn: is no ARN with six parts: '*'"),
        (
            {"StringEquals": {"aws:TagKeys": "a"}},
            (
                "Condition.StringEquals.aws:TagKeys: aws:TagKeys has several values: "
                "write ForAllValues:StringEquals or ForAnyValue:StringEquals"
            ),
        ),
        (
            {"StringEquals": {"s3:prefix": {}}},
            "Condition.StringEquals.s3:prefix: has a value that is dict; it must be a text",
        ),
        ({"StringEquals": "s3:prefix"}, "Condition.StringEquals: must be an object of condition keys"),
        ("x", "Condition: is str; it must be an object of operators"),
        (
            {"StringEquals": {"s3:prefix": "${aws:PrincipalOrg}"}},
            (
                "Condition.StringEquals.s3:prefix: the local cloud does not supply the condition key aws:PrincipalOrg; "
                "the nearest known one is aws:PrincipalArn"
            ),
        ),
    ],
)
def test_what_the_local_cloud_cannot_decide_is_an_error_that_names_it(block, problem):
    assert read(block)[1] == [problem]


@given(
    st.sampled_from(["StringEquals", "StringLike", "StringEqualsIgnoreCase"]),
    st.text("abAB*", max_size=4),
    st.text("abAB", max_size=4),
)
def test_a_negated_operator_is_the_opposite(operator, wanted, value):
    negated = operator.replace("String", "StringNot")
    context = {"s3:prefix": value}
    assert holds({operator: {"s3:prefix": wanted}}, context) != holds({negated: {"s3:prefix": wanted}}, context)
