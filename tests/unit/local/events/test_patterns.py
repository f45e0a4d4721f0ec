import pytest

from modelwright.local.events.patterns import check_pattern, matches

EVENT = {
    "source": "modelwright",
    "detail-type": "Merge",
    "resources": ["arn:a", "arn:b"],
    "detail": {"pipeline": "penguins", "n": 5, "flag": True, "none": None},
}


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["modelwright"]}, True),
        ({"source": ["other"]}, False),
        ({"source": ["other", "modelwright"], "detail-type": ["Merge"]}, True),
        ({"resources": ["arn:b"]}, True),
        ({"detail": {"pipeline": ["penguins"]}}, True),
        ({"detail": {"pipeline": [{"prefix": "pen"}]}}, True),
        ({"detail": {"pipeline": [{"suffix": "pen"}]}}, False),
        ({"detail": {"pipeline": [{"equals-ignore-case": "PENGUINS"}]}}, True),
        ({"detail": {"pipeline": [{"anything-but": ["penguins"]}]}}, False),
        ({"detail": {"pipeline": [{"anything-but": {"prefix": "x"}}]}}, True),
        ({"detail": {"pipeline": [{"wildcard": "p*g*s"}]}}, True),
        ({"detail": {"pipeline": [{"wildcard": "*uins"}]}}, True),
        ({"detail": {"pipeline": [{"wildcard": "*uin"}]}}, False),
        ({"detail": {"pipeline": [{"wildcard": "penguins"}, "x"]}}, True),
        ({"detail": {"n": [{"wildcard": "*"}]}}, False),
        ({"detail": {"missing": [{"exists": False}]}}, True),
        ({"detail": {"missing": [{"anything-but": "x"}]}}, False),
        ({"detail": {"n": [{"numeric": [">", 4, "<=", 5]}]}}, True),
        ({"detail": {"n": ["5"]}}, False),
        ({"detail": {"flag": [1]}}, False),
        ({"detail": {"none": [None]}}, True),
        ({"$or": [{"source": ["x"]}, {"detail": {"n": [5]}}]}, True),
    ],
)
def test_matches_as_eventbridge_does(pattern, expected):
    check_pattern(pattern)
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": "modelwright"},
        {"source": [{"cidr": "10.0.0.0/8"}]},
        {"detail": {"a": [{"prefix": "a", "suffix": "b"}]}},
        {"detail": {"a": [{"wildcard": "a**b"}]}},
        {"detail": {"a": [{"wildcard": "a\\b"}]}},
        {"detail": {"a": [{"wildcard": "a\\"}]}},
    ],
)
def test_what_is_not_known_is_refused(pattern):
    with pytest.raises(ValueError, match="event pattern"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("in/*/_SUCCESS", "in/day-1/_SUCCESS", True),
        ("in/*/_SUCCESS", "in/a\nb/c/_SUCCESS", True),
        ("in/*/_SUCCESS", "in/_SUCCESS", False),
        ("in/*/_SUCCESS", "in/day-1/_SUCCESS.crc", False),
        ("in/*/_SUCCESS", "other/in/day-1/_SUCCESS", False),
        ("a.b*", "axb", False),
        ("a\\*b/*", "a*b/c", True),
        ("a\\*b/*", "axb/c", False),
        ("a\\\\b/*", "a\\b/c", True),
    ],
)
def test_a_star_stands_for_anything_unless_it_is_escaped(pattern, key, expected):
    assert matches({"key": [{"wildcard": pattern}]}, {"key": key}) is expected
