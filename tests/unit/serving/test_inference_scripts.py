import sys
import textwrap

import pytest

from modelwright.serving.problems import ScriptError
from modelwright.serving.scripts.model import PythonModel
from modelwright.serving.scripts.script import load_script


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", sys.modules.copy())

    def write(text, name="inference.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
        return tmp_path

    return write


MODEL = "def model_fn(model_dir): return model_dir\n"


def reason(code, program="inference.py"):
    with pytest.raises(ScriptError) as caught:
        load_script(code, program)
    return str(caught.value)


def test_model_fn_alone_is_enough(write):
    script = load_script(write(MODEL), "inference.py")
    assert script.model_fn("here", context=None) == "here"
    assert script.input_fn is script.predict_fn is script.output_fn is script.transform_fn is None


def test_the_program_may_have_another_name_or_no_suffix(write):
    write(MODEL, "serve.py")
    assert load_script(write(MODEL, "serve.py"), "serve").model_fn.name == "model_fn"


def test_modules_beside_the_script_can_be_imported(write):
    write("VALUE = 3\n", "mine_beside.py")
    script = load_script(write("import mine_beside\ndef model_fn(d): return mine_beside.VALUE\n"), "inference.py")
    assert script.model_fn("d", context=None) == 3


@pytest.mark.parametrize(
    ("signature", "takes"),
    [
        ("data, model", False),
        ("data, model, context", True),
        ("data, model, ctx=None", True),
        ("data, model, threshold=0.5", False),
        ("data, model, anything", True),
        ("*everything", False),
        ("data, model, **more", False),
        ("data, model, /, context", True),
    ],
)
def test_the_context_is_given_to_a_function_that_takes_one_more(write, signature, takes):
    script = load_script(write(f"{MODEL}def predict_fn({signature}): return locals()\n"), "inference.py")
    given = script.predict_fn("d", "m", context="CONTEXT")
    assert ("CONTEXT" in given.values()) is takes


@pytest.mark.parametrize(
    "function",
    [
        "def predict_fn(data): pass",
        "def predict_fn(data, model, context, more): pass",
        "def predict_fn(data, model, *, threshold): pass",
        "def model_fn(): pass",
    ],
)
def test_a_function_that_cannot_be_called_is_named_with_its_signature(write, function):
    found = reason(write(f"{MODEL}{function}\n"))
    name = function.split("(")[0].removeprefix("def ")
    assert found.startswith(f"{name}(")
    assert "cannot be called as" in found


def test_model_fn_is_required(write):
    assert "has no model_fn" in reason(write("def predict_fn(data, model): pass\n"))


@pytest.mark.parametrize("beside", ["input_fn(b, t)", "predict_fn(d, m)", "output_fn(p, a)"])
def test_transform_fn_beside_what_it_replaces_is_refused(write, beside):
    found = reason(write(f"{MODEL}def transform_fn(m, b, t, a): pass\ndef {beside}: pass\n"))
    assert f"transform_fn beside {beside.split('(')[0]}" in found


def test_an_import_error_is_shown_with_its_line(write):
    found = reason(write("import os\n\nimport no_such_module_at_all\n"))
    assert "code/inference.py cannot be imported: ModuleNotFoundError: No module named 'no_such_module_at_all'" in found
    assert "(line 3)" in found


@pytest.mark.parametrize(
    ("text", "shown"),
    [("def (", "SyntaxError"), ("raise SystemExit(3)", "SystemExit: 3"), ("1/0", "ZeroDivisionError")],
)
def test_whatever_the_import_raises_is_the_reason(write, text, shown):
    assert shown in reason(write(text))


def test_a_missing_script_is_named_with_what_is_there(write):
    assert "There is no code/inference.py" in reason(write(MODEL, "serve.py"))
    assert "code/ has serve.py" in reason(write(MODEL, "serve.py"))


def test_a_missing_folder_is_named(tmp_path):
    assert "no folder code/" in reason(tmp_path / "code")


def test_a_program_outside_of_the_folder_is_refused(write, tmp_path):
    code = write(MODEL).joinpath("code")
    code.mkdir()
    assert "inside code/" in reason(code, "../inference.py")


def test_async_functions_and_what_is_no_function_are_refused(write):
    assert "predict_fn is async" in reason(write(f"{MODEL}async def predict_fn(d, m): pass\n"))
    assert "output_fn must be a function; found int" in reason(write(f"{MODEL}output_fn = 3\n"))


def test_what_the_script_says_of_its_types_is_read(write):
    script = load_script(
        write(f"{MODEL}CONTENT_TYPES = ['Text/CSV']\nEXECUTION_PARAMETERS = {{'A': 1}}\n"), "inference"
    )
    assert script.content_types == ("text/csv",)
    assert script.execution_parameters == {"A": 1}
    assert "CONTENT_TYPES must be a list" in reason(write(f"{MODEL}CONTENT_TYPES = 'text/csv'\n"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("BATCH = 'yes'", "BATCH must be True or False; found 'yes'"),
        ("BATCH = True\ndef transform_fn(m, b, t, a): pass", "BATCH is True, but transform_fn answers one request"),
        ("BATCH = True\ndef predict_fn(d, m, context): pass", "predict_fn takes the context of one request"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(write, text, shown):
    assert shown in reason(write(f"{MODEL}{text}\n"))


@pytest.mark.parametrize(("text", "batch"), [("", False), ("BATCH = False", False), ("BATCH = True", True)])
def test_a_script_says_whether_it_takes_a_batch(write, text, batch):
    code = write(f"{MODEL}{text}\n")
    script = load_script(code, "inference.py")
    assert script.batch is batch
    assert PythonModel(script, None, code).gathers is batch


def test_the_warm_up_gets_the_model(write):
    code = write(f"{MODEL}SEEN = []\ndef warm_up_fn(model, context): SEEN.append((model, context.model_dir))\n")
    script = load_script(code, "inference.py")
    PythonModel(script, "MODEL", code).warm_up()
    assert script.warm_up_fn.call.__globals__["SEEN"] == [("MODEL", str(code))]


def test_a_warm_up_that_cannot_be_called_is_named(write):
    assert "warm_up_fn() cannot be called as warm_up_fn(model[, context])" in reason(
        write(f"{MODEL}def warm_up_fn(): pass\n")
    )
