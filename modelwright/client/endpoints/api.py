"""A pipeline's REST API, or its endpoint where it has none: the address, how it is asked, the curl line for it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from modelwright.config.images import dns_suffix

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

TIMEOUT_SECONDS = 75
"""More than a model may take: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
_JSON = "application/json"
_FROM_PROFILE = 'eval "$(aws configure export-credentials --format env)"'
"""https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html"""


@dataclass(frozen=True)
class Way:
    """How predictions are asked for."""

    url: str
    service: str
    """What a signature is for: `execute-api`, or `sagemaker` for the endpoint itself."""
    key_id: str | None = None
    """The API key that is asked for instead of a signature."""

    @property
    def is_api(self) -> bool:
        """Whether this is the REST API."""
        return self.service == "execute-api"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    document: Any
    """Its JSON; its text where it is none."""


def way_of(session: Session, deployment: Deployment) -> Way:
    """Return the REST API of the pipeline, and where it has none, SageMaker's own address of its endpoint."""
    if deployment.api_url:
        return Way(f"{local_address(session, deployment.api_url)}/predict", "execute-api", deployment.api_key_id)
    host = session.endpoint_url or f"https://runtime.sagemaker.{session.region}.{dns_suffix(session.region)}"
    return Way(f"{host}/endpoints/{deployment.endpoint_name}/invocations", "sagemaker")


def local_address(session: Session, api_url: str) -> str:
    """Return the address of an API: the local cloud answers `https://<id>.execute-api…/<stage>` under its own."""
    if session.endpoint_url is None:
        return api_url
    found = urlsplit(api_url)
    return f"{session.endpoint_url}/restapis/{found.netloc.partition('.')[0]}{found.path}/_user_request_"


def ask(session: Session, way: Way, rows: list[Any]) -> Answer:
    """Ask for predictions; whatever is answered is returned, refusals too. OSError when nothing answers."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415 # see session.py
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 # as above
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415 # as above

    body = json.dumps({"instances": rows}).encode()
    headers = {"Content-Type": _JSON, "Accept": _JSON}
    request = AWSRequest("POST", way.url, headers=headers, data=body)
    if way.key_id:
        request.headers["x-api-key"] = key_value(session, way.key_id)
    else:
        SigV4Auth(session.credentials(), way.service, session.region).add_auth(request)
    answer = URLLib3Session(timeout=TIMEOUT_SECONDS, proxies=None if session.is_local else _proxies(way.url)).send(
        request.prepare()
    )
    return Answer(answer.status_code, _document(answer.content))


def key_value(session: Session, key_id: str) -> str:
    """Return the value of an API key."""
    answer = session.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)
    return str(answer["value"])


def curl(session: Session, way: Way) -> tuple[str, str]:
    """Return what a shell needs first, and the curl command up to its body: what follows is `-d '…'` and the address.

    Keys of the local cloud stand there as they are: they are of use on this machine alone, and until it ends.
    """
    head = f"curl -H 'Content-Type: {_JSON}'"
    if way.key_id:
        return _export_key(session, way.key_id), f'{head} -H "x-api-key: $API_KEY"'
    head += f" --aws-sigv4 aws:amz:{session.region}:{way.service}"
    if session.is_local:
        keys = session.credentials()
        return "", f"{head} --user {shlex.quote(f'{keys.access_key}:{keys.secret_key}')}"
    signed = '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN"'
    return _FROM_PROFILE, f"{head} {signed}"


def _export_key(session: Session, key_id: str) -> str:
    if session.is_local:
        return f"export API_KEY={shlex.quote(key_value(session, key_id))}"
    get = f"aws apigateway get-api-key --region {session.region} --api-key {key_id} --include-value"
    return f'export API_KEY="$({get} --query value --output text)"'


def _proxies(url: str) -> Any:
    from botocore.utils import get_environ_proxies  # noqa: PLC0415 # see session.py

    return get_environ_proxies(url)


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
