import csv
import io
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from modelwright.serving.problems import RequestError
from modelwright.serving.scripts import defaults
from modelwright.serving.scripts.defaults import default_input, default_output, default_predict


def refused(body, content_type):
    with pytest.raises(RequestError) as caught:
        default_input(body, content_type)
    return caught.value


def npy(array, **more):
    buffer = io.BytesIO()
    np.save(buffer, array, **more)
    return buffer.getvalue()


def test_json_and_csv_become_arrays():
    assert default_input("[[1, 2], [3, 4]]", "application/json").tolist() == [[1, 2], [3, 4]]
    assert default_input("1,2\r\n3,4.5\r\n", "text/csv").tolist() == [[1.0, 2.0], [3.0, 4.5]]
    assert default_input("1,2", "text/csv").shape == (1, 2)


def test_json_with_texts_keeps_numbers_as_numbers():
    assert default_input('[["Adelie", 39.1]]', "application/json").tolist() == [["Adelie", 39.1]]


def test_npy_and_npz_become_arrays():
    assert default_input(npy(np.eye(2)), "application/x-npy").tolist() == [[1, 0], [0, 1]]
    buffer = io.BytesIO()
    np.savez(buffer, a=np.array([1]), b=np.array([2]))
    assert set(default_input(buffer.getvalue(), "application/x-npz")) == {"a", "b"}


def test_a_pickled_npy_is_refused_and_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    body = npy(np.array([Evil()], dtype=object), allow_pickle=True)
    assert refused(body, "application/x-npy").status == 400
    assert refused(pickle.dumps(Evil()), "application/x-npy").status == 400
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def usual_field_limit():
    """The limit of `csv` is the process', and a Lambda that another test has called sets its own."""
    before = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        ("[[1, 2]", "application/json", "line 1, column 8"),
        ("[NaN]", "application/json", "NaN, which is no JSON"),
        ("[Infinity]", "application/json", "Infinity"),
        ('{"a": 1}', "application/json", "list of rows; found dict"),
        ("[[1, 2], [3]]", "application/json", "different lengths"),
        ("[" * 100_000, "application/json", "nested too deeply"),
        ("a,b\n1,2\n", "text/csv", "row 1, column 1 is 'a'"),
        ("1,2\n3\n", "text/csv", "row 2 has 1 columns, row 1 has 2"),
        ("\n\n", "text/csv", "no row"),
        ("1_000,2\n", "text/csv", "row 1, column 1 is '1_000'"),
        ("1,2\n3,\u0663\n", "text/csv", "row 2, column 2 is '\u0663'"),
        ("1,1e309\n", "text/csv", "row 1, column 2 is '1e309'"),
        ("1,-inf\n", "text/csv", "row 1, column 2 is '-inf'"),
        ('1,"2\n', "text/csv", "not CSV: unexpected end of data"),
        ("1" * 200_000, "text/csv", "not CSV: field larger than field limit"),
        ("[[" + "1" * 5000 + "]]", "application/json", "too many digits"),
        ("[[" + "1" * 400 + "]]", "application/json", "too large"),
        ("[[1.5, " + "1" * 400 + "]]", "application/json", "too large"),
        ("[[1e309]]", "application/json", "too large"),
        ('[["a", 1e309]]', "application/json", "too large"),
        (b"garbage", "application/x-npy", "not a NumPy array"),
    ],
)
@pytest.mark.usefixtures("usual_field_limit")
def test_a_bad_body_is_400_and_says_where(body, content_type, message):
    error = refused(body, content_type)
    assert (error.status, message in error.message) == (400, True), error.message


def test_rows_of_csv_end_as_anybody_writes_them():
    for text in ("1,2\r3,4\r", "1,2\r\n3,4", '"1",2\n3,4\n\n'):
        assert default_input(text, "text/csv").tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_small_npz_that_unpacks_to_a_large_one_is_refused(monkeypatch):
    monkeypatch.setattr(defaults, "MOST_UNPACKED_BYTES", 10_000)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.zeros(1000), b=np.zeros(1000))
    assert len(buffer.getvalue()) < 1000
    assert "it may have 10000" in refused(buffer.getvalue(), "application/x-npz").message


def test_an_npy_of_a_shape_that_it_does_not_have_is_refused():
    for shape in ("(1000000000000,)", "(-1,)", "(4294967296, 4294967296)", "(2,)", "(1,)*9", "__import__('os')"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
        body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 8
        assert refused(body, "application/x-npy").status == 400


def test_an_unknown_content_type_is_415():
    assert refused("x", "text/xml").status == 415


@pytest.mark.parametrize(
    ("prediction", "accept", "body"),
    [
        (np.array([1, 2]), "application/json", b"[1, 2]"),
        ([np.float64(1.5)], "application/json", b"[1.5]"),
        (pd.DataFrame({"a": [1]}), "application/json", b'[{"a": 1}]'),
        (pd.Series([1, 2]), "text/csv", b"1\n2\n"),
        (np.array([[1, 2], [3, 4]]), "text/csv", b"1,2\n3,4\n"),
        (["x,y"], "text/csv", b'"x,y"\n'),
    ],
)
def test_predictions_are_written_in_the_accepted_type(prediction, accept, body):
    assert default_output(prediction, accept) == (body, accept)


def test_npy_comes_back_as_it_went():
    body, _ = default_output(np.array([[0.1]]), "application/x-npy")
    assert np.load(io.BytesIO(body)).tolist() == [[0.1]]


def test_what_has_no_json_form_is_an_error_and_never_invalid_json():
    with pytest.raises(ValueError, match="not JSON compliant"):
        default_output([float("nan")], "application/json")
    with pytest.raises(TypeError, match="set has no JSON form"):
        default_output([{1}], "application/json")


def test_predict_is_called_or_the_model_itself():
    class Model:
        def predict(self, data):
            return [len(data)]

    assert default_predict("abc", Model()) == [3]
    assert default_predict("abc", str.upper) == "ABC"
    assert json.loads(default_output(default_predict("ab", Model()), "application/json")[0]) == [2]
