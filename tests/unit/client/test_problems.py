"""Each thing that boto3 can raise is one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore import exceptions
from fake_aws import refused

from modelwright.client.problems import explain, is_missing
from modelwright.errors import LocalCloudFailed, ModelwrightError, NoCredentials

LOG_IN = "Log in again, for example with `aws sso login`."
SET_UP = "Run `aws configure` or `aws sso login`, or set AWS_PROFILE."

CASES = [
    (
        exceptions.NoCredentialsError(),
        NoCredentials,
        f"AWS credentials are needed, and none were found.\n{SET_UP}",
    ),
    (
        exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        NoCredentials,
        "The AWS credentials are not whole: Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY\n"
        + SET_UP,
    ),
    (
        exceptions.ProfileNotFound(profile="work"),
        NoCredentials,
        "The config profile (work) could not be found\n`aws configure list-profiles` names those there are.",
    ),
    (
        exceptions.UnauthorizedSSOTokenError(),
        NoCredentials,
        "The AWS credentials cannot be used: The SSO session associated with this profile has expired or is otherwise "
        "invalid. To refresh this SSO session run aws sso login with the corresponding profile.\n" + LOG_IN,
    ),
    (
        exceptions.SSOTokenLoadError(error_msg="no token"),
        NoCredentials,
        f"The AWS credentials cannot be used: Error loading SSO Token: no token\n{LOG_IN}",
    ),
    (
        exceptions.TokenRetrievalError(provider="sso", error_msg="it expired"),
        NoCredentials,
        f"The AWS credentials cannot be used: Error when retrieving token from sso: it expired\n{LOG_IN}",
    ),
    (
        exceptions.CredentialRetrievalError(provider="custom-process", error_msg="exit 1"),
        NoCredentials,
        "The AWS credentials cannot be used: Error when retrieving credentials from custom-process: exit 1\n" + LOG_IN,
    ),
    (
        exceptions.EndpointConnectionError(endpoint_url="https://states.eu-central-1.amazonaws.com/"),
        ModelwrightError,
        (
            'AWS cannot be reached: Could not connect to the endpoint URL: "https://states.eu-central-1.amazonaws.com/"\n'
            "Check the network, and `region` in environments/<env>.yaml."
        ),
    ),
    (
        exceptions.ReadTimeoutError(endpoint_url="https://s3.amazonaws.com/"),
        ModelwrightError,
        (
            'AWS cannot be reached: Read timeout on endpoint URL: "https://s3.amazonaws.com/"\n'
            "Check the network, and `region` in environments/<env>.yaml."
        ),
    ),
    (
        exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/"),
        LocalCloudFailed,
        "The local cloud ended while it was needed.\n.modelwright/daemon.log says why.",
    ),
    (
        exceptions.ConnectionClosedError(endpoint_url="http://127.0.0.1:4566/"),
        LocalCloudFailed,
        "The local cloud ended while it was needed.\n.modelwright/daemon.log says why.",
    ),
    (
        refused("ExpiredToken", "The security token included in the request is expired", "DescribeStacks"),
        NoCredentials,
        "AWS refuses these credentials (ExpiredToken): The security token included in the request is expired\n"
        + LOG_IN,
    ),
    (
        refused("InvalidClientTokenId", "The security token included in the request is invalid", "DescribeStacks"),
        NoCredentials,
        "AWS refuses these credentials (InvalidClientTokenId): The security token included in the request is invalid\n"
        + LOG_IN,
    ),
    (
        refused("UnrecognizedClientException", "The security token is invalid", "StartExecution"),
        NoCredentials,
        f"AWS refuses these credentials (UnrecognizedClientException): The security token is invalid\n{LOG_IN}",
    ),
    (
        refused("AccessDeniedException", "User: u is not authorized", "StartExecution"),
        ModelwrightError,
        "StartExecution was refused: User: u is not authorized\nThe identity in use lacks this permission.",
    ),
    (
        refused("403", "Forbidden", "HeadObject"),
        ModelwrightError,
        "HeadObject was refused: Forbidden\nThe identity in use lacks this permission.",
    ),
    (
        refused("ThrottlingException", "Rate exceeded", "DescribeExecution"),
        ModelwrightError,
        "DescribeExecution failed: ThrottlingException: Rate exceeded",
    ),
    (
        exceptions.ParamValidationError(report="Invalid length\nfor parameter name"),
        ModelwrightError,
        "The request could not be made: Parameter validation failed: Invalid length for parameter name",
    ),
    (
        exceptions.NoRegionError(),
        ModelwrightError,
        "The request could not be made: You must specify a region.",
    ),
    (
        exceptions.WaiterError(name="Deleted", reason="Max attempts exceeded", last_response={}),
        ModelwrightError,
        "AWS did not get there: Waiter Deleted failed: Max attempts exceeded",
    ),
]


@pytest.mark.parametrize(("error", "kind", "text"), CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_each_error_is_one_clear_sentence(error: Exception, kind: type[ModelwrightError], text: str) -> None:
    found = explain(error)
    assert type(found) is kind
    assert str(found) == text


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y"), OSError(2, "no such file", Path("z"))])
def test_a_fault_of_ours_is_not_dressed_up(error: Exception) -> None:
    assert explain(error) is None


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("ValidationException", 'Could not find endpoint "x".', True),
        ("ValidationError", "Stack with id mw-dev-x does not exist", True),
        ("ResourceNotFound", "", True),
        ("ResourceNotFoundException", "Function not found", True),
        ("ValidationException", "1 validation error detected", False),
        ("AccessDenied", "the role does not exist", False),
        ("ThrottlingException", "Rate exceeded", False),
    ],
)
def test_is_missing(code: str, message: str, *, expected: bool) -> None:
    assert is_missing(refused(code, message)) is expected
