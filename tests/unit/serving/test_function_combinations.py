"""Every combination of functions that a script may have, with and without the context; the others are the defaults."""

from __future__ import annotations

import itertools
import json

import pytest

from modelwright.serving.model import Request
from modelwright.serving.scripts.gather import Gathering
from modelwright.serving.scripts.model import load_model
from modelwright.serving.scripts.script import load_script

FUNCTIONS = {
    "input_fn": ("body, content_type", "[[float(cell) + 100 for cell in body.split(',')]]"),
    "predict_fn": ("data, model", "[sum(row) * model['factor'] for row in data]"),
    "output_fn": ("prediction, accept", "json.dumps({'mine': [float(value) for value in prediction]})"),
}
MODEL = """
import json
SEEN = []

class Model(dict):
    def predict(self, data):
        return [sum(row) for row in data]

def model_fn(model_dir{context}):
    {seen}
    return Model(factor=2)
"""
SUBSETS = [names for count in range(4) for names in itertools.combinations(FUNCTIONS, count)]


def script(names, *, context, more=""):
    extra, seen = (", context", "SEEN.append(context)") if context else ("", "pass")
    parts = [MODEL.format(context=extra, seen=seen)]
    for name in names:
        arguments, result = FUNCTIONS[name]
        # BATCH is of many requests: its predict_fn takes no request's context
        mine, noted = ("", "pass") if more and name == "predict_fn" else (extra, seen)
        parts.append(f"def {name}({arguments}{mine}):\n    {noted}\n    return {result}\n")
    return "\n".join([*parts, more])


def expected(names):
    shift, factor = 200 * ("input_fn" in names), 2 if "predict_fn" in names else 1
    value = (1.5 + 2 + shift) * factor
    return {"mine": [value]} if "output_fn" in names else [value]


def load(tmp_path, text):
    (tmp_path / "inference.py").write_text(text)
    found = load_script(tmp_path, "inference.py")
    return found, load_model(found, tmp_path)


def request():
    return Request(b"1.5,2", {"content-type": "text/csv", "x-mine": "7"}, "id-1")


@pytest.mark.parametrize("context", [False, True], ids=["without", "with"])
@pytest.mark.parametrize("names", SUBSETS, ids=lambda names: "+".join(names) or "defaults")
def test_functions_and_defaults_go_together(tmp_path, names, context):
    found, model = load(tmp_path, script(names, context=context))
    answer = model.run(model.prepare(request()))
    assert (json.loads(answer.body), answer.content_type) == (expected(names), "application/json")
    seen = found.model_fn.call.__globals__["SEEN"]
    assert len(seen) == (1 + len(names)) * context
    assert all(one.model_dir == str(tmp_path) for one in seen)
    assert all((one.request_id, one.get_request_header(0, "X-Mine")) == ("id-1", "7") for one in seen[1:])


@pytest.mark.parametrize("names", SUBSETS, ids=lambda names: "+".join(names) or "defaults")
def test_each_of_them_may_take_batches(tmp_path, names):
    _, model = load(tmp_path, script(names, context=True, more="BATCH = True"))
    outcomes = Gathering(model, print).answer(
        model.prepare(request()), iter([model.prepare(request()), model.prepare(request()), None]).__next__
    )
    assert [json.loads(outcome.body) for outcome in outcomes] == [expected(names)] * 3


@pytest.mark.parametrize("context", ["", ", context"])
def test_transform_fn_stands_for_the_three(tmp_path, context):
    transform = f"def transform_fn(model, body, content_type, accept{context}):\n"
    transform += "    return json.dumps([model['factor'], body, content_type, accept]), 'application/json; mine=1'\n"
    _, model = load(tmp_path, script((), context=False, more=transform))
    answer = model.run(model.prepare(request()))
    assert json.loads(answer.body) == [2, "1.5,2", "text/csv", "application/json"]
    assert answer.content_type == "application/json; mine=1"
