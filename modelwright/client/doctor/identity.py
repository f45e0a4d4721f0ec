"""Who asks, in which account, and whether the region can be used at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.doctor.findings import Finding, failure, ok
from modelwright.client.problems import code_of, explain
from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError

    from modelwright.client.session import Session
    from modelwright.config.environment import EnvironmentSettings

_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""A region of each partition that every account of it has."""
_NOT_KNOWN_HERE = frozenset({"InvalidClientTokenId", "UnrecognizedClientException"})
"""What STS answers for keys that are wrong, of another partition, or of an account that has not enabled the region:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html"""


def check_identity(
    settings: EnvironmentSettings, session: Session, sessions: Callable[[str], Session]
) -> tuple[str | None, list[Finding]]:
    """Return the account, None when nothing more can be looked at, and what was found."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 # see session.py

    try:
        session.check_credentials()
        caller = session.client("sts").get_caller_identity()
    except ClientError as error:
        return None, [_refused(error, settings, sessions)]
    except (BotoCoreError, ModelwrightError) as error:
        known = error if isinstance(error, ModelwrightError) else explain(error)
        return None, [failure("identity", known.message if known else str(error), (known and known.hint) or "")]
    account, arn = caller["Account"], caller["Arn"]
    if settings.account and settings.account != account:
        message = (
            f"these credentials are of account {account}; environments/{settings.name}.yaml says {settings.account}."
        )
        hint = f"Use a profile of {settings.account} (AWS_PROFILE), or correct `account`."
        return None, [failure("identity", message, hint)]
    named = "" if settings.account else f"; environments/{settings.name}.yaml names no account, so it is deployed there"
    return account, [ok("identity", f"{arn}, account {account}, region {settings.region}{named}.")]


def _refused(error: ClientError, settings: EnvironmentSettings, sessions: Callable[[str], Session]) -> Finding:
    """Tell apart what STS answers alike: wrong keys, a region that is off, another partition's region."""
    known = explain(error) or ModelwrightError(str(error))
    if code_of(error) in _NOT_KNOWN_HERE:
        for partition, region in _HOME.items():
            if region != settings.region and _answers(sessions(region)):
                return _elsewhere(settings.region, partition)
    return failure("identity", known.message, known.hint or "Log in again.")


def _answers(session: Session) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 # see session.py

    try:
        session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError):
        return False
    return True


def partition_of(region: str) -> str:
    """Return the partition of a region: AWS's accounts outside China and the US government's clouds are of `aws`."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _elsewhere(region: str, partition: str) -> Finding:
    mine = partition_of(region)
    if mine != partition:
        return failure(
            "identity",
            f"these credentials are of the partition {partition}; {region} is in {mine}, with accounts of its own.",
            f"Use a profile of an account in {mine} (AWS_PROFILE), or another `region`.",
        )
    return failure(
        "identity",
        f"the region {region} is not enabled in this account: its keys are not known there.",
        f"`aws account enable-region --region-name {region}`, or another `region` in the environment file.",
    )
