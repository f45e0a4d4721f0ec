"""What boto3 raises when AWS cannot be used, as one clear sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.client.session import NO_CREDENTIALS, NO_CREDENTIALS_HINT
from modelwright.errors import LocalCloudFailed, ModelwrightError, NoCredentials

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_LOG_IN = "Log in again, for example with `aws sso login`."
_EXPIRED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html; S3 and EC2 have names of their own"""


def explain(error: Exception) -> ModelwrightError | None:  # noqa: PLR0911 # one a kind of error
    """One clear sentence for an error of boto3's; None for any other error, which is a fault of modelwright's own."""
    from botocore import exceptions  # noqa: PLC0415 # loaded when something is wrong only

    match error:
        case exceptions.NoCredentialsError():
            return NoCredentials(NO_CREDENTIALS, NO_CREDENTIALS_HINT)
        case exceptions.PartialCredentialsError():
            return NoCredentials(f"The AWS credentials are not whole: {_sentence(error)}", NO_CREDENTIALS_HINT)
        case exceptions.ProfileNotFound():
            return NoCredentials(_sentence(error), "`aws configure list-profiles` names those there are.")
        case exceptions.SSOError() | exceptions.TokenRetrievalError() | exceptions.CredentialRetrievalError():
            return NoCredentials(f"The AWS credentials cannot be used: {_sentence(error)}", _LOG_IN)
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return _unreachable(error)
        case exceptions.ClientError():
            return _refused(error)
        case exceptions.WaiterError():
            return ModelwrightError(f"AWS did not get there: {_sentence(error)}")
        case exceptions.BotoCoreError():
            return ModelwrightError(f"The request could not be made: {_sentence(error)}")
    return None


def code_of(error: ClientError) -> str:
    """AWS's name for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """AWS's sentence about an error."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_missing(error: ClientError) -> bool:
    """Whether it says that the thing is not there: SageMaker and CloudFormation have no code of their own for that."""
    code, message = code_of(error), message_of(error)
    missing = ("Could not find", "does not exist", "not found")
    return code in {"ResourceNotFound", "ResourceNotFoundException"} or (
        code in {"ValidationException", "ValidationError"} and any(words in message for words in missing)
    )


def _unreachable(error: Any) -> ModelwrightError:
    if "127.0.0.1" in str(error):
        return LocalCloudFailed("The local cloud ended while it was needed.", ".modelwright/daemon.log says why.")
    return ModelwrightError(
        f"AWS cannot be reached: {_sentence(error)}", "Check the network, and `region` in environments/<env>.yaml."
    )


def _refused(error: ClientError) -> ModelwrightError:
    code, message, operation = code_of(error), message_of(error), error.operation_name
    if code in _EXPIRED:
        return NoCredentials(f"AWS refuses these credentials ({code}): {message}", _LOG_IN)
    if "AccessDenied" in code or code in {"UnauthorizedOperation", "403"}:
        return ModelwrightError(f"{operation} was refused: {message}", "The identity in use lacks this permission.")
    return ModelwrightError(f"{operation} failed: {code}: {message}")


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())
