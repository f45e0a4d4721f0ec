"""Bad input through InvokeEndpoint, to the sample's model as a script and compiled: told, and it goes on.

What each body is answered with is tried at the server itself (tests/unit/serving/test_bad_input.py).
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import penguin_models
import pytest
from botocore.exceptions import ClientError

LINE = "Adelie,Torgersen,39.1,18.7,181,3750"
SLOW = """
import os, time
def model_fn(d): return 1
def predict_fn(data, model):
    first = data[0][0]
    if first == 1: raise RuntimeError("broken")
    if first == 2: time.sleep(3600)
    if first == 3: os._exit(9)
    return "fine"
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return penguin_models.make(tmp_path_factory.mktemp("penguins"))


@pytest.fixture(scope="module", params=["python", "compiled"])
def endpoint(request, models, cloud, archive, hosting_on):
    folder = getattr(models, request.param)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    hosting = hosting_on(cloud)
    name = hosting.endpoint(hosting.config(hosting.model(archive(files), Image=hosting.own_image())))
    found = hosting.settled(name)
    assert found["EndpointStatus"] == "InService", found.get("FailureReason")
    return name


def label(answer):
    return [row["sex"] for row in answer["predictions"]]


def refused(hosting, name, body, **more):
    with pytest.raises(ClientError) as caught:
        hosting.ask(name, body, **more)
    found = caught.value.response
    assert found["Error"]["Code"] == "ModelError"
    return found["OriginalStatusCode"], json.loads(found["OriginalMessage"])


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        (LINE, {"ContentType": "text/xml"}, 415),
        (LINE, {"ContentType": "text/csv; charset=klingon"}, 415),
        (LINE, {"ContentType": "application/json"}, 400),
        (LINE, {"Accept": "image/png"}, 406),
        ("\n", {}, 400),
        (LINE.replace("39.1", "x"), {}, 400),
        (LINE[:-5], {}, 400),
        (f"{LINE},1", {}, 400),
        ('{"species": "Ad', {"ContentType": "application/json"}, 400),
        ('{"species": NaN}', {"ContentType": "application/json"}, 400),
        ("[" * 50_000, {"ContentType": "application/json"}, 400),
    ],
)
def test_a_bad_request_is_a_model_error_and_the_next_is_answered(hosting, endpoint, body, more, status):
    found, told = refused(hosting, endpoint, body, **more)
    assert (found, set(told)) == (status, {"error", "message"})
    assert label(hosting.ask(endpoint, LINE)) == ["male"]


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (f"\ufeff{LINE}\r\n", {}),
        (LINE, {"ContentType": "text/csv; charset=utf-8"}),
        (LINE, {"Accept": "text/html, application/json;q=0.5"}),
        (LINE.encode("utf-16"), {"ContentType": "text/csv; charset=utf-16"}),
    ],
)
def test_every_form_of_a_good_row_is_answered(hosting, endpoint, body, more):
    assert label(hosting.ask(endpoint, body, **more)) == ["male"]


def test_16_callers_at_once_good_and_bad(hosting, endpoint):
    def ask(number):
        if number % 4 == 0:
            return refused(hosting, endpoint, f"{LINE}\n{number}")[0] == 400
        return label(hosting.ask(endpoint, "\n".join([LINE] * number))) == ["male"] * number

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(32)))


def test_a_prediction_that_raises_hangs_or_kills_its_server_is_told_and_the_next_is_answered(hosting):
    name = hosting.in_service(script=SLOW, Environment={"MODELWRIGHT_REQUEST_TIMEOUT_SECONDS": "0.3"})
    found, told = refused(hosting, name, "1,1")
    assert (found, told["message"]) == (500, "predict_fn: RuntimeError: broken")
    found, told = refused(hosting, name, "2,1")
    assert (found, told["error"]) == (504, "ModelTimeout")
    with pytest.raises(ClientError) as caught:
        hosting.ask(name, "3,1")
    assert (caught.value.response["Error"]["Code"], caught.value.response["OriginalStatusCode"]) == ("ModelError", 0)
    assert hosting.ask(name, "4,1") == "fine"
