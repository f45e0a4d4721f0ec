import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.local.events.transformers import TransformError, target_input

RULE = {"name": "merge", "arn": "arn:rule"}


def transformed(template, paths, event):
    return target_input({"InputTransformer": {"InputTemplate": template, "InputPathsMap": paths}}, event, RULE)


def test_variables_become_json_outside_and_text_inside_strings():
    event = {"id": "1", "detail": {"commit": "a b", "n": 3, "list": [1]}}
    text = transformed(
        '{"id": <id>, "text": "commit <c>", "n": <n>, "l": <l>}',
        {"id": "$.id", "c": "$.detail.commit", "n": "$.detail.n", "l": "$.detail.list[0]"},
        event,
    )
    assert json.loads(text) == {"id": "1", "text": "commit a b", "n": 3, "l": 1}


@given(st.text())
def test_any_text_survives_within_an_object(text):
    found = json.loads(transformed('{"a": <x>}', {"x": "$.detail"}, {"detail": {"key": text}}))
    assert found == {"a": {"key": text}}


@pytest.mark.parametrize("template", ['{"a": <x>}', '{"a": "<x>"}'])
def test_a_text_is_put_in_as_it_is(template):
    """EventBridge escapes nothing, so a stranger's text may break the JSON, or change it."""
    with pytest.raises(TransformError, match="gives no JSON"):
        transformed(template, {"x": "$.detail"}, {"detail": 'a"b'})
    found = transformed(template, {"x": "$.detail"}, {"detail": 'a","b":"c'})
    assert json.loads(found) == {"a": "a", "b": "c"}


def test_what_the_event_does_not_have_is_named():
    with pytest.raises(TransformError, match="<x>"):
        transformed('{"a": <x>}', {"x": "$.detail.nothing"}, {"detail": {}})


def test_a_template_that_gives_no_json_is_refused():
    with pytest.raises(TransformError, match="gives no JSON"):
        transformed('{"a": }', {}, {})


def test_the_rule_and_the_event_can_be_named():
    assert json.loads(transformed('{"r": <aws.events.rule-name>, "e": <aws.events.event.json>}', {}, {"a": 1})) == {
        "r": "merge",
        "e": {"a": 1},
    }


def test_input_path_and_constant():
    assert target_input({"InputPath": "$.detail"}, {"detail": {"a": 1}}, RULE) == '{"a": 1}'
    assert target_input({"Input": "{}"}, {"detail": {"a": 1}}, RULE) == "{}"
