"""Endpoints that cannot be put into service: Failed, with the reason that a person needs."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile

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
        (
            {"code/inference.py": "def model_fn(d): return 1\ndef warm_up_fn(m): m.gone\n"},
            "warm_up_fn failed: AttributeError: 'int' object has no attribute 'gone'",
        ),
        (
            {"code/inference.py": "def model_fn(d): return 1\nBATCH = 'all'\n"},
            "BATCH must be True or False; found 'all'",
        ),
        (
            {"code/inference.py": "x = 1", "code/requirements.txt": "--no-index\nmw-no-such-package==9.9\n"},
            "code/requirements.txt cannot be installed",
        ),
    ],
)
def test_a_model_that_cannot_be_served_fails_with_the_reason(hosting, archive, files, reason):
    body = files if isinstance(files, bytes) else archive(files)
    found = hosting.settled(hosting.endpoint(hosting.config(hosting.model(body, Image=hosting.own_image()))))
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


def test_in_aws_s_image_nothing_is_warmed_up(hosting, archive):
    """Its server does not know the hook; what would fail in it fails nobody."""
    script = f"{hosting.script}\ndef warm_up_fn(model): model.gone\n"
    assert hosting.ask(hosting.served(hosting.config(hosting.model(script=script)))) == [3.0]
    own = hosting.model(script=script, Image=hosting.own_image())
    found = hosting.settled(hosting.endpoint(hosting.config(own)))
    assert "warm_up_fn failed" in found["FailureReason"]


def test_a_truncated_archive_fails_with_the_reason(hosting, archive):
    whole = archive({"model.bin": os.urandom(50_000), "code/inference.py": "x = 1"})
    found = hosting.settled(hosting.endpoint(hosting.config(hosting.model(whole[:30_000]))))
    assert (found["EndpointStatus"], "truncated" in found["FailureReason"]) == ("Failed", True)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (
            {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
            "'model.txt' is a link to '/etc/passwd'; links are refused",
        ),
        ({"type": tarfile.LNKTYPE, "linkname": "code/inference.py"}, "is a link to 'code/inference.py'"),
        ({"type": tarfile.FIFOTYPE}, "is neither a file nor a folder"),
        ({"name": "../model.txt"}, "'../model.txt' leads out of the model's folder"),
        ({"name": "/model.txt"}, "'/model.txt' leads out of the model's folder"),
    ],
)
def test_an_archive_with_a_link_or_a_way_out_fails_with_the_reason(hosting, member, reason):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        code = tarfile.TarInfo("code/inference.py")
        tar.addfile(code)
        odd = tarfile.TarInfo("model.txt")
        for name, value in member.items():
            setattr(odd, name, value)
        tar.addfile(odd)
    found = hosting.settled(hosting.endpoint(hosting.config(hosting.model(buffer.getvalue()))))
    assert (found["EndpointStatus"], reason in found["FailureReason"]) == ("Failed", True), found["FailureReason"]


def test_an_archive_that_is_not_the_one_of_its_hash_fails_the_endpoint(hosting, archive):
    body = archive({"model.txt": "1", "code/inference.py": hosting.script})
    other = archive({"model.txt": "2", "code/inference.py": hosting.script})
    environment = {"MODELWRIGHT_MODEL_SHA256": hashlib.sha256(body).hexdigest()}
    good = hosting.settled(hosting.endpoint(hosting.config(hosting.model(body, Environment=environment))))
    assert (good["EndpointStatus"], hosting.ask(good["EndpointName"])) == ("InService", [3.0])
    found = hosting.settled(hosting.endpoint(hosting.config(hosting.model(other, Environment=environment))))
    assert found["EndpointStatus"] == "Failed"
    assert f"has the SHA-256 {hashlib.sha256(other).hexdigest()}, but" in found["FailureReason"]


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
