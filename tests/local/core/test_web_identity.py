"""Roles that are taken with a token: by whoever the trust policy says, for as long as was asked, and by nobody else."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from test_gateway import raw  # beside this file

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
ROLE = "arn:aws:iam::123456789012:role/ml/github"
MAIN = "repo:octo-org/octo-repo:ref:refs/heads/main"


@pytest.fixture
def cloud(make_cloud):
    """A cloud with GitHub's provider, and a role for the branch `main` of one repository."""
    made = make_cloud({"sts": "modelwright.local.identity.service:Identity"})
    claims = {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": MAIN}
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }
    grant = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    made.iam.put_role(ROLE, policy(trust), {"Grants": policy(grant)})
    made.services["sts"].put_provider(PROVIDER, f"https://{ISSUER}", ["sts.amazonaws.com"])
    return made


def policy(statement):
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def assume(cloud, http_client):
    """Take the role with a token; nothing of the call is signed."""

    def call(token, **more):
        request = {"RoleArn": ROLE, "RoleSessionName": "GitHubActions", "WebIdentityToken": token, **more}
        return http_client(cloud, "sts").assume_role_with_web_identity(**request)

    return call


def test_the_branch_gets_keys_of_the_role(cloud, assume, http_client) -> None:
    answer = assume(cloud.services["sts"].token(MAIN))
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/github/GitHubActions"
    assert (answer["SubjectFromWebIdentityToken"], answer["Provider"]) == (MAIN, PROVIDER)
    found = answer["Credentials"]
    keys = type("Keys", (), {"access_key": found["AccessKeyId"], "secret_key": found["SecretAccessKey"]})
    keys.session_token = found["SessionToken"]
    http_client(cloud, "s3", keys).list_buckets()
    with pytest.raises(ClientError, match="not authorized to perform: s3:CreateBucket"):
        http_client(cloud, "s3", keys).create_bucket(Bucket="b")
    cloud.clock.advance(3600)
    with pytest.raises(ClientError, match="ExpiredToken"):
        http_client(cloud, "s3", keys).list_buckets()


@pytest.mark.parametrize(
    "subject",
    [
        "repo:octo-org/octo-repo:ref:refs/heads/dev",
        "repo:octo-org/octo-repo:ref:refs/tags/main",
        "repo:octo-org/octo-repo:pull_request",
        "repo:octo-org/octo-repo:environment:main",
        "repo:fork/octo-repo:ref:refs/heads/main",
        "repo:octo-org/octo-repo-2:ref:refs/heads/main",
        "repo:octo-org@1/octo-repo@2:ref:refs/heads/main",
        "repo:Octo-Org/octo-repo:ref:refs/heads/main",
    ],
)
def test_whoever_else_is_refused_in_aws_s_words(cloud, assume, subject) -> None:
    with pytest.raises(ClientError) as caught:
        assume(cloud.services["sts"].token(subject))
    error = caught.value.response
    assert error["Error"]["Code"] == "AccessDenied"
    assert error["Error"]["Message"] == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_role_that_is_not_there_is_refused_alike(cloud, assume) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        assume(cloud.services["sts"].token(MAIN), RoleArn=ROLE + "-2")


def test_a_token_of_nobody_s_making_is_refused(cloud, assume) -> None:
    head, body, _ = cloud.services["sts"].token(MAIN).split(".")
    for token in ("no-token", f"{head}.{body}.", f"{head}.{body}.{'A' * 43}"):
        with pytest.raises(ClientError, match=r"InvalidIdentityToken.*not a valid JWT"):
            assume(token)


def test_an_old_token_is_refused(cloud, assume) -> None:
    token = cloud.services["sts"].token(MAIN)
    cloud.clock.advance(299)
    assume(token)
    cloud.clock.advance(1)
    with pytest.raises(ClientError, match=r"ExpiredTokenException.*Token expired: current date/time"):
        assume(token)


def test_a_token_for_another_audience_is_refused(cloud, assume) -> None:
    with pytest.raises(ClientError, match=r"InvalidIdentityToken.*Incorrect token audience"):
        assume(cloud.services["sts"].token(MAIN, audience="https://github.com/octo-org"))


def test_without_the_provider_no_token_is_taken(cloud, assume) -> None:
    token = cloud.services["sts"].token(MAIN)
    cloud.services["sts"].delete_provider(PROVIDER)
    with pytest.raises(ClientError, match=f"No OpenIDConnect provider found in your account for https://{ISSUER}"):
        assume(token)


def test_a_provider_that_the_account_had_before_is_one(cloud, assume) -> None:
    cloud.services["sts"].delete_provider(PROVIDER)
    cloud.services["sts"].name_provider(PROVIDER)
    assert assume(cloud.services["sts"].token(MAIN))["Audience"] == "sts.amazonaws.com"


def test_a_session_is_not_longer_than_the_role_allows(cloud, assume) -> None:
    token = cloud.services["sts"].token(MAIN)
    found = assume(token, DurationSeconds=900)["Credentials"]["Expiration"]
    assert (found - cloud.clock.now()).total_seconds() == 900
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration set for this role"):
        assume(token, DurationSeconds=3601)


def test_what_would_be_left_out_is_refused_by_name(cloud, assume) -> None:
    with pytest.raises(ClientError, match="AssumeRoleWithWebIdentity takes no Policy; leave it out"):
        assume(cloud.services["sts"].token(MAIN), Policy="{}")


def test_nothing_else_is_taken_unsigned(cloud) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    status, answer = raw(cloud, "POST", "/", form, body)
    assert status == 403
    assert b"<Code>MissingAuthenticationToken</Code>" in answer
