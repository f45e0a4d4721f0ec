"""Endpoints that cannot be put into service: Failed, with the reason that a person needs."""

from __future__ import annotations

import os

import pytest
from botocore.exceptions import ClientError


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (b"no gzip at all", "not gzip"),
        ({"model/code/inference.py": "x"}, "everything in the folder 'model'"),
        ({"model.txt": "1"}, "no folder code/"),
        ({"code/other.py": "x = 1"}, "There is no code/inference.py in the model archive; code/ has other.py"),
        ({"code/inference.py": "import no_such_thing"}, "No module named 'no_such_thing'"),
        ({"code/inference.py": "x = 1"}, "has no model_fn"),
        ({"code/inference.py": "def model_fn(d): return d['x']"}, "model_fn failed: TypeError"),
        ({"code/inference.py": "import os\nos._exit(42)"}, "ended with status 42"),
        ({"code/inference.py": "import os\nprint('last words', flush=True)\nos._exit(1)"}, "last words"),
        (
            {"code/inference.py": "def model_fn(d): 1\ndef transform_fn(m, b, c, a): 1\ndef predict_fn(d, m): 1\n"},
            "transform_fn beside predict_fn",
        ),
    ],
)
def test_a_model_that_cannot_be_served_fails_with_the_reason(hosting, archive, files, reason):
    body = files if isinstance(files, bytes) else archive(files)
    found = hosting.settled(hosting.endpoint(hosting.config(hosting.model(body))))
    assert found["EndpointStatus"] == "Failed"
    assert reason in found["FailureReason"]
    name = found["EndpointName"]
    assert error_of(hosting.ask, name=name)["Message"].endswith("is Failed, not InService.")
    assert (
        "Cannot update endpoint"
        in error_of(hosting.client.update_endpoint, EndpointName=name, EndpointConfigName=found["EndpointConfigName"])[
            "Message"
        ]
    )


def test_a_truncated_archive_fails_with_the_reason(hosting, archive):
    whole = archive({"model.bin": os.urandom(50_000), "code/inference.py": "x = 1"})
    found = hosting.settled(hosting.endpoint(hosting.config(hosting.model(whole[:30_000]))))
    assert (found["EndpointStatus"], "truncated" in found["FailureReason"]) == ("Failed", True)


@pytest.mark.parametrize(
    ("sid", "reason"),
    [
        ("Image", "does not have BatchGetImage permission for the image"),
        ("Layers", "does not have BatchCheckLayerAvailability permission"),
        ("LogIn", "does not have GetAuthorizationToken permission"),
    ],
)
def test_a_grant_that_is_missing_fails_the_endpoint(role_without, sid, reason):
    hosting = role_without(sid)
    found = hosting.settled(hosting.endpoint(hosting.config(hosting.model())))
    assert (found["EndpointStatus"], reason in found["FailureReason"]) == ("Failed", True), found["FailureReason"]


def test_a_grant_on_the_archive_that_went_away_fails_the_endpoint(hosting, role_without, put_role):
    mine = role_without("nothing")
    config = mine.config(mine.model())
    put_role(mine.cloud, without="Read", arn=mine.role)
    found = mine.settled(mine.endpoint(config))
    assert found["EndpointStatus"] == "Failed"
    assert 'Also ensure that the role has "s3:GetObject" permissions' in found["FailureReason"]


def test_an_image_that_nothing_here_can_run_is_named(hosting, put_role):
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    config = hosting.config(hosting.model(Image=image))
    hosting.cloud.iam.put_role_policy(hosting.role, "all-images", {"Version": "2012-10-17", "Statement": [statement]})
    try:
        found = hosting.settled(hosting.endpoint(config))
    finally:
        hosting.cloud.iam.put_role_policy(hosting.role, "all-images", None)
    assert f"cannot run the image {image}; it serves sagemaker-scikit-learn" in found["FailureReason"]
