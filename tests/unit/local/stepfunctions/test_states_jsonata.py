"""JSONata as Step Functions has it: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html"""

import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.local.stepfunctions.jsonata import (
    UNDEFINED,
    QueryError,
    UnsupportedResult,
    context_names,
    evaluate,
    references,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_a_bound_value_is_given_back_as_it_is(value):
    found = evaluate("$x", {"x": value})
    assert found == value
    assert repr(found) == repr(value)


@given(st.text())
def test_text_is_never_read_as_an_expression(text):
    assert evaluate("'<' & $x & '>'", {"x": text}) == f"<{text}>"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$x.n", None),
        ("$x.n = null", True),
        ("$exists($x.n)", True),
        ("$exists($x.absent)", False),
        ("[$x.n]", [None]),
        ("$merge([$x, {'m': null}])", {"n": None, "a": [1, 2], "m": None}),
        ("$x.a[0] + 1", 2),
        ("[1..3]", [1, 2, 3]),
        ("10 / 5", 2),
        ("10 / 4", 2.5),
        ("$string($x)", '{"n":null,"a":[1,2]}'),
        ("$map($x.a, function($v, $i) { $v * $i })", [0, 2]),
        ("($y := 5; $y + $x.a[1])", 7),
        ("$x.absent", UNDEFINED),
        ("$unknown", UNDEFINED),
        ("$", UNDEFINED),
    ],
)
def test_null_undefined_and_numbers(expression, value):
    found = evaluate(expression, {"x": {"n": None, "a": [1, 2]}})
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$partition([1..5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([1], 9)", [[1]]),
        ("$range(0, 10, 2)", [0, 2, 4, 6, 8, 10]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$range(1, 0, 1)", []),
        ("$count($range(1, 1000, 1))", 1000),
        ("$hash('a', 'MD5')", "0cc175b9c0f1b6a831c399e269772661"),
        ("$hash('a', 'SHA-1')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("$substring($hash('a', 'SHA-256'), 0, 12)", "ca978112ca1b"),
        ("$length($hash('', 'SHA-384'))", 96),
        ("$length($hash('', 'SHA-512'))", 128),
        ("$random(5) = $random(5)", True),
        ("$random() < 1 and $random() >= 0", True),
        ("$parse('{\"a\": [null, 1.5]}')", {"a": [None, 1.5]}),
        ("$parse('null')", None),
        ("$parse($absent)", UNDEFINED),
    ],
)
def test_awss_own_functions(expression, value):
    assert evaluate(expression, {}) == value


def test_uuid_is_a_version_4_uuid():
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", evaluate("$uuid()", {}))


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 + 'a'", "T2002: The right side of the + operator must evaluate to a number"),
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
        ("$error('mine')", "mine"),
        ("1 / 0", "D1001"),
        ("$hash('a', 'sha256')", "must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512; found 'sha256'"),
        ("$hash(1, 'MD5')", "must be a string"),
        ("$range(1, 1001, 1)", "at most 1000 numbers are allowed; found 1001"),
        ("$range(1, 2, 0)", "the step must not be 0"),
        ("$range(1, 2.5, 1)", "must be a whole number; found 2.5"),
        ("$partition([1], 0)", "must be 1 or more; found 0"),
        ("$parse('{')", "$parse: the argument is not JSON"),
        ("$parse('NaN')", "NaN is not allowed"),
        ("$random('x')", "the seed must be a whole number"),
        ("( $f := function($n) { $f($n + 1) + 1 }; $f(0) )", "D1011"),
    ],
)
def test_errors_say_what_is_wrong(expression, problem):
    with pytest.raises(QueryError, match=re.escape(problem)):
        evaluate(expression, {})


@pytest.mark.parametrize("expression", ["$sum", "function($x) { $x }", "[$uppercase]"])
def test_a_function_is_no_result(expression):
    with pytest.raises(UnsupportedResult):
        evaluate(expression, {})


def test_what_cannot_be_parsed():
    with pytest.raises(QueryError):
        references("1 +")


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("a.b", ["a"]),
        ("$exists(foo)", ["foo"]),
        ("$", ["$"]),
        ("$$.a & $.b", ["$", "$$"]),
        ("{'k': bare}", ["bare"]),
        ("($x := [bare]; 1)", ["bare"]),
        ("$c ? bare : 1", ["bare"]),
        ("$x.a.b[c = 1].d", []),
        ("$x[$ > 1]", []),
        ("$x.{'k': name}", []),
        ("$x{name: value}", []),
        ("$x^(name).other", []),
        ("$map($x, function($v) { $v.a[b = $v.c] })", []),
        ("$x ~> |a|{'b': c}|", []),
        ("$states.input ~> $keys", []),
        ("$merge($x.*)", []),
    ],
)
def test_what_an_expression_asks_of_a_context_that_is_not_there(expression, names):
    assert context_names(expression) == names


def test_the_bound_value_is_not_changed_and_not_shared():
    value = {"a": [1, {"b": None}]}
    found = evaluate("$x", {"x": value})
    found["a"][1]["b"] = "changed"
    assert value == {"a": [1, {"b": None}]}
    evaluate("$x ~> |$|{'c': 1}|", {"x": value})
    assert value == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("$states.input.x", {"states.input"}),
        ("$states", {"states"}),
        ("$states.context.Execution.Id & $a.b", {"states.context", "a"}),
        ("$replace($a, /\"$b'/, 'x') & $c", {"replace", "a", "c"}),
        ("'$a' & `$b`", set()),
        ("/* $a */ 1", set()),
        ("$map($xs, function($v) { $v + $y })", {"map", "xs", "v", "y"}),
        ("$$.a", {"$"}),
    ],
)
def test_the_variables_that_an_expression_names(expression, names):
    assert references(expression) == names


def test_one_parsed_expression_serves_many_threads():
    found = []

    def work(number):
        found.extend(
            evaluate("$map([1..20], function($v) { $v * $n })[19]", {"n": number}) == 20 * number for _ in range(20)
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 160
    assert all(found)
