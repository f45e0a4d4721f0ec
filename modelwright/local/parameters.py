"""SSM Parameter Store: the strings by which stacks find what others made.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError, Call

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


class Parameters:
    """The service `ssm`, as far as parameters go. They come with the template, so nothing is kept."""

    name = "ssm"
    operations = frozenset({"DeleteParameter", "GetParameter", "GetParameters", "GetParametersByPath", "PutParameter"})
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = RLock()
        self._parameters: dict[str, dict[str, Any]] = {}

    def start(self) -> None:
        """The template makes them anew."""

    def stop(self) -> None:
        """Nothing runs here."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        with self._lock:
            return {
                "DeleteParameter": self._delete,
                "GetParameter": self._get,
                "GetParameters": self._get_some,
                "GetParametersByPath": self._get_below,
                "PutParameter": self._put,
            }[call.operation](call.params)

    def _find(self, name: str) -> dict[str, Any]:
        short = name.split(":parameter", 1)[-1]
        if short not in self._parameters:
            raise AwsError("ParameterNotFound", f"Parameter {name} not found.")
        return self._parameters[short]

    def _put(self, params: dict[str, Any]) -> dict[str, Any]:
        name, before = params["Name"], self._parameters.get(params["Name"])
        if before is not None and not params.get("Overwrite"):
            raise AwsError(
                "ParameterAlreadyExists", "The parameter already exists; to overwrite it, set Overwrite to true."
            )
        if params.get("Type") == "SecureString":
            raise AwsError("UnsupportedParameterType", "The local cloud keeps String and StringList, not SecureString.")
        version = (before or {"Version": 0})["Version"] + 1
        self._parameters[name] = {
            "Name": name,
            "Type": params.get("Type", "String"),
            "Value": params["Value"],
            "Version": version,
            "LastModifiedDate": self._cloud.clock.now(),
            "ARN": f"arn:aws:ssm:{self._cloud.region}:{self._cloud.account}:parameter{name}",
            "DataType": "text",
        }
        return {"Version": version, "Tier": "Standard"}

    def _get(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"Parameter": self._find(params["Name"])}

    def _get_some(self, params: dict[str, Any]) -> dict[str, Any]:
        found = [self._parameters[name] for name in params["Names"] if name in self._parameters]
        return {
            "Parameters": found,
            "InvalidParameters": [name for name in params["Names"] if name not in self._parameters],
        }

    def _get_below(self, params: dict[str, Any]) -> dict[str, Any]:
        path = params["Path"].rstrip("/") + "/"
        below = [(name, entry) for name, entry in sorted(self._parameters.items()) if name.startswith(path)]
        return {
            "Parameters": [entry for name, entry in below if params.get("Recursive") or "/" not in name[len(path) :]]
        }

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        self._find(params["Name"])
        del self._parameters[params["Name"]]
        return {}
