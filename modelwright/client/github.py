"""GitHub's way in: the role that a workflow takes with its token, and the workflow's file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.client.session import Endpoint, Session
from modelwright.errors import NotDeployed

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment

SESSION_NAME = "GitHubActions"
"""As the action calls it: https://github.com/aws-actions/configure-aws-credentials#session-naming-and-tagging."""


def github_role(deployment: Deployment) -> str:
    """The ARN of the role that the pipeline's workflow takes.

    Raises:
        NotDeployed: the stack is from before merges came from GitHub.
    """
    if deployment.github_role is None:
        raise NotDeployed(
            f"The stack {deployment.stack} has no role for GitHub.",
            "Deploy it again: triggers.merge.github in its pipeline.yaml makes one.",
        )
    return deployment.github_role


def take_role(session: Session, deployment: Deployment, token: str) -> Session:
    """Take the role with a token, as the action configure-aws-credentials does, in the local cloud."""
    answer = session.client("sts").assume_role_with_web_identity(
        RoleArn=github_role(deployment), RoleSessionName=SESSION_NAME, WebIdentityToken=token
    )
    keys, url = answer["Credentials"], session.client("sts").meta.endpoint_url
    endpoint = Endpoint(url, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return Session(session.region, lambda: endpoint)


@dataclass(frozen=True)
class Workflow:
    """What the workflow's file depends on."""

    pipeline: str
    environment: str
    region: str
    repository: str
    """As the settings have it, perhaps with ids."""
    branch: str
    role_arn: str
    folder: str
    """Of the project in its repository: empty, or a path that ends with a slash."""

    @property
    def file_name(self) -> str:
        """The file's name in `.github/workflows/`."""
        return f"modelwright-{self.environment}-{self.pipeline}.yml"

    def text(self) -> str:
        """The file: the template with its names filled in."""
        values = {
            "PIPELINE": self.pipeline,
            "ENVIRONMENT": self.environment,
            "REGION": self.region,
            "REPOSITORY": re.sub(r"@[0-9]+", "", self.repository),
            "BRANCH": self.branch,
            "ROLE_ARN": self.role_arn,
            "PROJECT/": self.folder,
            "PROJECT": self.folder.rstrip("/") or ".",
        }
        text = (Path(__file__).parent / "github_workflow.yml").read_text("utf-8")
        return re.sub("|".join(f"@{name}@" for name in values), lambda found: values[found[0].strip("@")], text)
