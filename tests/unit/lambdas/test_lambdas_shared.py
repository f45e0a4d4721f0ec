from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.env import EnvironmentInvalid, read_env
from shared.log import log
from shared.s3 import Location, read_object
from shared.table import champion_key, from_item, lease_key, run_key, to_item, trigger_key


@dataclass(frozen=True)
class Env:
    table_name: str
    lease_seconds: int


def test_the_environment_becomes_a_typed_value() -> None:
    assert read_env(Env, {"TABLE_NAME": "t", "LEASE_SECONDS": "60", "OTHER": "x"}) == Env("t", 60)


def test_what_has_a_default_may_be_absent() -> None:
    @dataclass(frozen=True)
    class WithKey:
        table_name: str
        key_arn: str = ""

    assert read_env(WithKey, {"TABLE_NAME": "t"}) == WithKey("t")
    assert read_env(WithKey, {"TABLE_NAME": "t", "KEY_ARN": "k"}) == WithKey("t", "k")
    with pytest.raises(EnvironmentInvalid, match="TABLE_NAME is not set"):
        read_env(WithKey, {"KEY_ARN": "k"})


def test_all_that_is_missing_or_wrong_is_said_at_once() -> None:
    with pytest.raises(EnvironmentInvalid, match="TABLE_NAME is not set; LEASE_SECONDS is 'soon'; it must be a whole"):
        read_env(Env, {"LEASE_SECONDS": "soon"})


def test_a_log_entry_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    log("something happened", run="a\nb", count=1)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"message": "something happened", "run": "a\nb", "count": 1}


def test_an_address_is_split_and_put_together() -> None:
    location = Location.from_uri("s3://bucket/a/b.json")
    assert (location.bucket, location.key, location.uri) == ("bucket", "a/b.json", "s3://bucket/a/b.json")


@pytest.mark.parametrize("uri", ["", "s3://", "s3://b", "s3://b/", "http://b/k", "b/k"])
def test_what_is_no_address_is_an_error(uri: str) -> None:
    with pytest.raises(ValueError, match="is no S3 address"):
        Location.from_uri(uri)


class FakeS3:
    def get_object(self, **_: str) -> dict[str, object]:
        return {"ContentLength": 11, "Body": None}


def test_an_object_that_is_too_large_is_not_read() -> None:
    with pytest.raises(ValueError, match="s3://b/k has 11 bytes; at most 10"):
        read_object(FakeS3(), Location("b", "k"), max_bytes=10)


def test_keys_are_those_of_the_table() -> None:
    assert run_key("p", "r") == {"pk": {"S": "PIPELINE#p"}, "sk": {"S": "RUN#r"}}
    assert champion_key("p") == {"pk": {"S": "PIPELINE#p"}, "sk": {"S": "CHAMPION"}}
    assert trigger_key("p", "merge", "1") == {"pk": {"S": "TRIGGER#p"}, "sk": {"S": "merge#1"}}
    assert lease_key("e") == {"pk": {"S": "ENDPOINT#e"}, "sk": {"S": "LEASE"}}


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers(-(10**30), 10**30)))
def test_an_item_comes_back_as_it_was(values: dict[str, object]) -> None:
    assert from_item(to_item(values)) == values
