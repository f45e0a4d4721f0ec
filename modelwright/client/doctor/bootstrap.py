"""Whether the account is prepared for CDK: roles, a bucket, and a parameter that tells their version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.doctor.findings import Examination, Finding, failure, ok
from modelwright.client.problems import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MINIMUM = 6
"""`requiresBootstrapStackVersion` in the assembly; a test holds the two together.
https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html"""


def check_bootstrap(about: Examination) -> Iterator[Finding]:
    """The version that https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html publishes in SSM."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    region, name = about.settings.region, f"/cdk-bootstrap/{about.qualifier}/version"
    try:
        found = about.session.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError as error:
        if code_of(error) != "ParameterNotFound":
            raise
        missing = f"account {about.account} is not bootstrapped in {region}: there is no SSM parameter {name}."
        yield failure("bootstrap", missing, f"`{bootstrap_command(about)}` does that, once an account and region.")
        return
    if int(found) < MINIMUM:
        old = f"the bootstrap of account {about.account} in {region} is of version {found}; {MINIMUM} is needed."
        yield failure("bootstrap", old, f"`{bootstrap_command(about)}` brings it up to date.")
    else:
        yield ok("bootstrap", f"version {found} (qualifier {about.qualifier}); at least {MINIMUM} is needed.")


def bootstrap_command(about: Examination) -> str:
    """Return the command that prepares the account; a qualifier of one's own needs a stack of its own."""
    command = f"python -m modelwright.client.cdk bootstrap aws://{about.account}/{about.settings.region}"
    if about.settings.qualifier:
        command += f" --qualifier {about.qualifier} --toolkit-stack-name CDKToolkit-{about.qualifier}"
    return command
