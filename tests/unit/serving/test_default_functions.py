import io
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from modelwright.serving.defaults import default_input, default_output, default_predict
from modelwright.serving.problems import RequestError


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
        (b"garbage", "application/x-npy", "not a NumPy array"),
    ],
)
def test_a_bad_body_is_400_and_says_where(body, content_type, message):
    error = refused(body, content_type)
    assert (error.status, message in error.message) == (400, True), error.message


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
