import re
from types import SimpleNamespace

import pytest

from modelwright.clock import FakeClock
from modelwright.local.calls.callers import Callers
from modelwright.local.service import AwsError, Caller

ROLE = "arn:aws:iam::123456789012:role/team/Job"


@pytest.fixture
def callers():
    return Callers(SimpleNamespace(account="123456789012", clock=FakeClock()))


def test_keys_look_like_aws_and_like_nothing_that_was_made_before(callers):
    # moto finds the key id in the Authorization header by exactly this form
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", callers.owner.access_key)
    session = callers.session(ROLE)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", session.access_key)
    again = Callers(SimpleNamespace(account="123456789012", clock=FakeClock()))
    assert again.owner != callers.owner
    assert again.session(ROLE) != session


def test_the_owner_is_found_by_his_key(callers):
    assert callers.find(callers.owner.access_key) == Caller("owner", "arn:aws:iam::123456789012:root")


def test_a_session_is_found_by_its_key_and_made_once(callers):
    first = callers.session(ROLE, "run", via="states.amazonaws.com")
    assert callers.session(ROLE, "run", via="states.amazonaws.com") is first
    assert callers.session(ROLE, "run") is not first
    assert callers.session(ROLE, "other", via="states.amazonaws.com") is not first
    assert callers.find(first.access_key) == Caller(
        "role", "arn:aws:sts::123456789012:assumed-role/Job/run", ROLE, "states.amazonaws.com"
    )


def test_an_unknown_key_is_aws_s_error(callers):
    with pytest.raises(AwsError) as caught:
        callers.find("AKIAIOSFODNN7EXAMPLE")
    assert (caught.value.code, caught.value.status) == ("InvalidClientTokenId", 403)
    assert caught.value.message == "The security token included in the request is invalid."


@pytest.mark.parametrize("token", ["", "another"])
def test_a_roles_key_is_nothing_without_its_token(callers, token):
    session = callers.session(ROLE)
    assert callers.find(session.access_key, session.session_token).role_arn == ROLE
    with pytest.raises(AwsError, match="InvalidClientTokenId"):
        callers.find(session.access_key, token)


def test_the_owner_has_no_token(callers):
    assert callers.find(callers.owner.access_key, "").kind == "owner"


def test_a_session_can_be_ended(callers):
    session = callers.session(ROLE)
    callers.end(session)
    with pytest.raises(AwsError):
        callers.find(session.access_key)
    assert callers.session(ROLE) != session


def test_what_was_lent_ends_by_itself(callers):
    clock = callers._clock
    first, second = callers.lend(ROLE, "GitHubActions", 900), callers.lend(ROLE, "GitHubActions", 901)
    assert first != second
    clock.advance(899)
    assert callers.find(first.access_key, first.session_token).arn.endswith(":assumed-role/Job/GitHubActions")
    clock.advance(1)
    with pytest.raises(AwsError) as caught:
        callers.find(first.access_key, first.session_token)
    assert (caught.value.code, caught.value.status) == ("ExpiredToken", 403)
    assert callers.find(second.access_key, second.session_token).role_arn == ROLE


def test_secrets_are_not_in_what_is_printed(callers):
    assert callers.owner.secret_key not in repr(callers.owner)
