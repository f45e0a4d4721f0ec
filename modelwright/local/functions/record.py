"""What is known of a function, from CreateFunction's parameters or a template's properties, checked.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_HANDLER = re.compile(r"[^\s]{1,128}")
_RESERVED = re.compile(
    r"AWS_LAMBDA_.*|_HANDLER|_X_AMZN_TRACE_ID|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR|AWS_REGION"
    r"|AWS_DEFAULT_REGION|AWS_EXECUTION_ENV|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY"
    r"|AWS_SESSION_TOKEN|AWS_ENDPOINT_URL"
)
MOST_ENVIRONMENT_BYTES = 4096
RECORDED = frozenset(
    {"Description", "Tags", "TracingConfig", "KMSKeyArn", "KmsKeyArn", "Architectures", "EphemeralStorage", "Publish"}
)
"""members that change nothing that can be seen here"""
_KNOWN = RECORDED | {
    "FunctionName",
    "Runtime",
    "Role",
    "Handler",
    "Code",
    "Timeout",
    "MemorySize",
    "Environment",
    "LoggingConfig",
    "DeadLetterConfig",
    "PackageType",
    "ReservedConcurrentExecutions",
    "VpcConfig",
}


@dataclass(frozen=True)
class Function:
    """One function. `code` is a folder; `revision` changes with everything that its processes were started with."""

    name: str
    arn: str
    handler: str
    role: str
    runtime: str
    code: Path
    timeout_seconds: int = 3
    memory_mib: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    log_group: str = ""
    dead_letters: str | None = None
    reserved: int | None = None
    retries: int = 2
    recorded: Mapping[str, Any] = field(default_factory=dict)
    modified: str = ""
    code_sha256: str = ""
    code_bytes: int = 0
    revision: str = ""

    def same_as(self, other: Function) -> bool:
        """Tell whether processes of the one can serve the other."""
        return (self.revision, self.reserved) == (other.revision, other.reserved)

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**self.__dict__, "code": str(self.code)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Function:
        """Return the function that `to_document` was called on."""
        return cls(**{**document, "code": Path(document["code"])})

    def configuration(self) -> dict[str, Any]:
        """Return it in the shape of GetFunctionConfiguration."""
        found: dict[str, Any] = {
            "FunctionName": self.name, "FunctionArn": self.arn, "Runtime": self.runtime, "Role": self.role,
            "Handler": self.handler, "CodeSize": self.code_bytes, "CodeSha256": self.code_sha256,
            "Description": "", "Timeout": self.timeout_seconds, "MemorySize": self.memory_mib,
            "LastModified": self.modified, "Version": "$LATEST", "PackageType": "Zip", "RevisionId": self.revision,
            "State": "Active", "LastUpdateStatus": "Successful", "Architectures": ["x86_64"],
            "EphemeralStorage": {"Size": 512}, "TracingConfig": {"Mode": "PassThrough"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": self.log_group},
        }  # fmt: skip
        shown = {key: value for key, value in self.recorded.items() if key not in {"Tags", "Publish", "KmsKeyArn"}}
        found |= shown
        if self.environment:
            found["Environment"] = {"Variables": dict(self.environment)}
        if self.dead_letters:
            found["DeadLetterConfig"] = {"TargetArn": self.dead_letters}
        return found


def make(arn: str, params: Mapping[str, Any], code: Path, now: datetime) -> Function:
    """Return the function that CreateFunction's parameters describe. AwsError with everything that is wrong."""
    problems = list(_problems(params))
    if problems:
        raise AwsError("InvalidParameterValueException", "; ".join(problems))
    name = params["FunctionName"]
    logging = params.get("LoggingConfig", {})
    made = Function(
        name=name,
        arn=arn,
        handler=params["Handler"],
        role=params["Role"],
        runtime=params["Runtime"],
        code=code,
        timeout_seconds=int(params.get("Timeout", 3)),
        memory_mib=int(params.get("MemorySize", 128)),
        environment=dict(params.get("Environment", {}).get("Variables", {})),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{name}",
        dead_letters=params.get("DeadLetterConfig", {}).get("TargetArn"),
        reserved=params.get("ReservedConcurrentExecutions"),
        recorded={key: params[key] for key in sorted(RECORDED) if key in params},
    )
    return stamped(made, now)


def stamped(function: Function, now: datetime) -> Function:
    """Return the function with the time, hash and revision of what it is now."""
    sha256, size = _digest(function.code)
    modified = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
    unstamped = replace(function, modified="", revision="", code_sha256=sha256, code_bytes=size)
    digest = hashlib.sha256(repr(sorted(unstamped.to_document().items(), key=str)).encode()).hexdigest()
    revision = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    return replace(unstamped, modified=modified, revision=revision)


def _problems(params: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(set(params) - _KNOWN):
        yield f"{key}: the local cloud does not support this yet; leave it out"
    for key in ("FunctionName", "Role", "Handler", "Runtime"):
        if key not in params:
            yield f"{key} is required"
    if not _NAME.fullmatch(params.get("FunctionName", "x")):
        yield f"FunctionName is {params['FunctionName']!r}; it must be 1 to 64 of letters, digits, - and _"
    if not _HANDLER.fullmatch(params.get("Handler", "x")):
        yield f"Handler is {params['Handler']!r}; it must be module.function"
    if not params.get("Runtime", "python3").startswith("python3"):
        yield f"Runtime is {params['Runtime']!r}: the local cloud runs Python functions"
    if params.get("PackageType", "Zip") != "Zip":
        yield "PackageType: the local cloud has 'Zip' only"
    if params.get("LoggingConfig", {}).get("LogFormat", "Text") != "Text":
        yield "LoggingConfig.LogFormat: the local cloud has 'Text' only"
    if any(params.get("VpcConfig", {}).values()):
        yield "VpcConfig: the local cloud has no networks; leave it out"
    yield from _numbers(params)
    yield from _environment(params.get("Environment", {}).get("Variables", {}))


def _numbers(params: Mapping[str, Any]) -> Iterator[str]:
    limits = {"Timeout": (1, 900), "MemorySize": (128, 10240), "ReservedConcurrentExecutions": (0, 1000)}
    for key, (least, most) in limits.items():
        if key in params and not least <= int(params[key]) <= most:
            yield f"{key} is {params[key]}; it must be {least} to {most}"


def _environment(variables: Mapping[str, str]) -> Iterator[str]:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""
    reserved = sorted(name for name in variables if _RESERVED.fullmatch(name))
    if reserved:
        yield (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided contains reserved keys that are currently not supported for modification: {', '.join(reserved)}"
        )
    wrong = sorted(name for name in variables if not re.fullmatch(r"[a-zA-Z]([a-zA-Z0-9_])+", name))
    if wrong:
        yield f"Environment: {', '.join(wrong)}: names begin with a letter and are of letters, digits and _"
    size = sum(len(name.encode()) + len(str(value).encode()) for name, value in variables.items())
    if size > MOST_ENVIRONMENT_BYTES:
        yield f"Environment: the variables have {size} bytes; at most {MOST_ENVIRONMENT_BYTES} (4KB) are allowed"


def _digest(code: Path) -> tuple[str, int]:
    import base64  # noqa: PLC0415 - needed here alone

    digest, size = hashlib.sha256(), 0
    for file in sorted(path for path in code.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(code).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
        size += len(content)
    return base64.b64encode(digest.digest()).decode(), size
