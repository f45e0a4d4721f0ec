from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.config.document import parse

if TYPE_CHECKING:
    from modelwright.errors import Problem


def read(content: bytes) -> tuple[object, list[str]]:
    problems: list[Problem] = []
    node = parse(content, "f.yaml", problems)
    return node and node.plain(), [str(problem) for problem in problems]


def test_scalars_follow_yaml_1_2() -> None:
    found, problems = read(b"a: [1e-3, 1.5, 007, 0x1F, 0o17, ~, true, no, on, 12:30, 2026-01-01, 1_000, -.5, 1.9-0]")
    assert found == {
        "a": [0.001, 1.5, 7, 31, 15, None, True, "no", "on", "12:30", "2026-01-01", "1_000", -0.5, "1.9-0"]
    }
    assert problems == []


def test_quoted_scalars_are_texts() -> None:
    assert read(b"a: \"1\"\nb: 'true'\nc: |\n  x\n")[0] == {"a": "1", "b": "true", "c": "x\n"}


def test_a_byte_order_mark_and_crlf_do_no_harm() -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == ({"a": 1, "b": 2}, [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "f.yaml: is empty; it must hold `key: value` lines."),
        (b"# nothing\n", "f.yaml: is empty; it must hold `key: value` lines."),
        (b"- 1", "f.yaml:1: is a list; it must hold `key: value` lines."),
        (b"\nword", "f.yaml:2: is a single value; it must hold `key: value` lines."),
        (b"a:\n\tb: 1\n", "f.yaml:2: is indented by a tab; YAML is indented by spaces."),
        (b"a: 1\nb:\n  c: 2\n  c: 3\n", "f.yaml:4: b.c is there twice; it is also in line 3."),
        (b"a: &x 1\nb: *x", "f.yaml:2: has an alias (`*name`), which is not supported; write the value out."),
        (b"a: !!int x", "f.yaml:1: has the YAML tag !!int, which is not supported; write the plain value."),
        (b"a: !x {}", "f.yaml:1: has the YAML tag !x, which is not supported; write the plain value."),
        (b"a: {1: 2}", "f.yaml:1: a has the key 1; a key must be a text."),
        (b"a: {? [1] : 2}", "f.yaml:1: a has the key that is no single value; a key must be a text."),
        (b"a: " + b"[" * 30 + b"]" * 30, "f.yaml:1: is nested more than 20 levels deep."),
        (b"a: 1\nb: \xff", "f.yaml:2: has the byte 0xff; it must be UTF-8 text."),
        (b"a: b: c", "f.yaml:1: is not YAML: mapping values are not allowed in this context."),
        (b"a: 1\n---\nb: 1\n", "f.yaml:2: is not YAML: but found another document."),
        (b"a: " + b"9" * 101, "f.yaml:1: a is a number of 101 digits; it must have at most 100."),
    ],
)
def test_what_is_wrong_is_named_with_its_line(content: bytes, problem: str) -> None:
    assert read(content)[1] == [problem]


def test_a_huge_file_is_not_parsed() -> None:
    assert "has 300000 bytes; it must have at most 262144." in read(b"#" * 300_000)[1][0]


@given(st.binary(max_size=200) | st.text(alphabet="a:-[]{}#&*!|>'\"%@`,?\n\t 1.", max_size=80).map(str.encode))
def test_any_bytes_give_a_document_or_a_problem(content: bytes) -> None:
    found, problems = read(content)
    assert isinstance(found, dict) or problems


# JSON writes what lies beyond as two escapes, which YAML does not join
texts = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1, max_size=9)


@given(
    st.recursive(
        st.integers(-(10**20), 10**20)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans()
        | st.none()
        | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_is_read_as_itself(value: object) -> None:
    text = json.dumps({"value": value}, ensure_ascii=True)
    found, problems = read(text.encode())
    assert problems == []
    assert found == {"value": value}
