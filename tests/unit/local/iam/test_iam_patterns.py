import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.local.iam.patterns import Pattern, UnknownVariableError, variables_of

CONTEXT = {"aws:principalaccount": "123456789012", "s3:prefix": "a*", "aws:tagkeys": ("x", "y")}


@pytest.mark.parametrize(
    ("style", "text", "value", "expected"),
    [
        ("text", "a*c", "abbc", True),
        ("text", "a?c", "abbc", False),
        ("text", "a?c", "abc", True),
        ("text", "*", "", True),
        ("text", "a.c", "abc", False),
        ("text", "a*", "a\nb", True),
        # in the resource part a star goes past slashes and colons, in the parts before it only when it ends its part
        ("resource", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b:c", True),
        ("resource", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", False),
        ("resource", "arn:aws:s3:::bucket*", "arn:aws:s3:::bucket-2/key", True),
        ("resource", "arn:aws:logs:*", "arn:aws:logs:eu-west-1:1:log-group:x", True),
        ("resource", "arn:aws:logs:*:1:log-group:x", "arn:aws:logs:eu-west-1:1:log-group:x", True),
        ("resource", "arn:aws:logs:eu*1:log-group:x", "arn:aws:logs:eu-west-1:1:log-group:x", False),
        ("resource", "arn:aws:sqs:eu-west-?:1:q", "arn:aws:sqs:eu-west-1:1:q", True),
        # ArnLike looks at each of the six parts by itself
        ("arn", "arn:aws:sns:*", "arn:aws:sns:eu-west-1:1:topic", False),
        ("arn", "arn:aws:sns:*:*:topic", "arn:aws:sns:eu-west-1:1:topic", True),
        ("arn", "arn:aws:states:*:1:execution:*", "arn:aws:states:eu-west-1:1:execution:a:b", True),
    ],
)
def test_wildcards_reach_as_far_as_on_aws(style, text, value, expected):
    assert Pattern(text, style=style).matches(value, {}) is expected


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("user/${aws:PrincipalAccount}", "user/123456789012", True),
        ("user/${ aws:principalaccount }", "user/123456789012", True),
        ("${s3:prefix}", "ab", False),  # a star in a value is only a star
        ("${s3:prefix}", "a*", True),
        ("${s3:prefix}*", "a*bc", True),
        ("x${aws:PrincipalArn}", "x", False),  # no value: no match
        ("x${aws:PrincipalArn, 'nobody'}", "xnobody", True),
        ("${aws:TagKeys}", "x", False),  # several values are no text
        ("${*}", "*", True),
        ("${*}", "a", False),
        ("${?}${$}", "?$", True),
    ],
)
def test_variables_stand_for_what_the_request_says(text, value, expected):
    assert Pattern(text).matches(value, CONTEXT) is expected


def test_without_variables_a_dollar_is_a_character():
    assert Pattern("${aws:PrincipalAccount}", variables=False).matches("${aws:PrincipalAccount}", CONTEXT)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a${aws:x", "has a '${' that is not closed: 'a${aws:x'"), ("${name}", "has the unknown policy variable ${name}")],
)
def test_an_unreadable_variable_is_an_error(text, message):
    with pytest.raises(UnknownVariableError) as caught:
        Pattern(text)
    assert str(caught.value) == message


def test_variables_of_lists_the_keys_as_written():
    assert variables_of("${aws:A}/${*}/${s3:B, 'c'}") == ("aws:A", "s3:B")


@given(st.text("ab:*?/", max_size=12), st.text("ab:/", max_size=12))
def test_text_patterns_agree_with_a_regular_expression(text, value):
    expected = re.fullmatch(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), value) is not None
    assert Pattern(text).matches(value, {}) is expected


@given(st.text(max_size=20), st.sampled_from(["text", "resource", "arn"]))
def test_a_pattern_without_wildcards_matches_itself_alone(text, style):
    pattern = Pattern(text, style=style, wildcards=False, variables=False)
    assert pattern.matches(text, {})
    assert not pattern.matches(text + "x", {})
