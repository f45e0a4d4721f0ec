"""Which functions there are: their processes, their policies, and what of them is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modelwright.local.functions.invocations import WarmSandbox
from modelwright.local.functions.pool import Pool
from modelwright.local.functions.record import Function
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

_KIND = "lambda.function"


class FunctionStore:
    """Functions by name. Those of a template are not kept: it makes them anew at each start. Safe for many threads."""

    def __init__(self, cloud: Cloud) -> None:
        """Hold nothing yet."""
        self._cloud = cloud
        self._pools: dict[str, Pool] = {}
        self._policies: dict[str, dict[str, Any]] = {}
        self._kept: set[str] = set()
        self.lock = threading.RLock()
        """held by who reads and then writes"""

    def load(self) -> list[Function]:
        """Take up the functions that are kept."""
        for name, body in self._cloud.database.all(_KIND):
            self._kept.add(name)
            self._install(Function.from_document(body["function"]))
            if body["policy"]:
                self._install_policy(name, body["policy"])
        return [pool.function for pool in self._pools.values()]

    def put(self, function: Function, *, kept: bool | None = None) -> None:
        """Make this the function of its name; `kept` says whether it is (None: as it was)."""
        with self.lock:
            if kept is not None:
                (self._kept.add if kept else self._kept.discard)(function.name)
            self._install(function)
            self._keep(function.name)

    def put_policy(self, name: str, policy: dict[str, Any] | None) -> None:
        """Make this the policy of a function; None takes it away."""
        with self.lock:
            self._install_policy(name, policy)
            self._keep(name)

    def delete(self, name: str) -> None:
        """Drop a function; a process that is busy ends when it has answered."""
        with self.lock:
            pool = self._pools.pop(name)
            self._install_policy(name, None)
            self._kept.discard(name)
            self._cloud.database.delete(_KIND, name)
        pool.close()

    def kill(self) -> None:
        """Let every process end, busy or not; returns at once."""
        with self.lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.kill()

    def has(self, name: str) -> bool:
        """Tell whether there is a function of that name."""
        return name in self._pools

    def pool(self, name: str) -> Pool:
        """Return a function's processes; AwsError when there is no such function."""
        with self.lock:
            found = self._pools.get(name)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"Function not found: {self.arn(name)}", 404, {"Type": "User"})
        return found

    def function(self, params: Mapping[str, Any]) -> Function:
        """Return the function that a request's FunctionName and Qualifier name."""
        return self.pool(_name(params["FunctionName"], params.get("Qualifier"))).function

    def policy(self, name: str) -> dict[str, Any] | None:
        """Return a function's policy, if it has one."""
        return self._policies.get(name)

    def all(self) -> list[Function]:
        """Return every function, by name."""
        with self.lock:
            return [self._pools[name].function for name in sorted(self._pools)]

    def arn(self, name: str) -> str:
        """Return the ARN of a function."""
        return f"arn:aws:lambda:{self._cloud.region}:{self._cloud.account}:function:{name}"

    def _install(self, function: Function) -> None:
        """Processes of an earlier revision end when they are idle."""
        old = self._pools.get(function.name)
        if old is not None and old.function.same_as(function):
            return
        self._pools[function.name] = Pool(function, lambda wanted: WarmSandbox(self._cloud, wanted))
        if old is not None:
            old.close()

    def _install_policy(self, name: str, policy: dict[str, Any] | None) -> None:
        if policy is None:
            self._policies.pop(name, None)
        else:
            self._policies[name] = policy
        self._cloud.iam.put_resource_policy(self.arn(name), policy)

    def _keep(self, name: str) -> None:
        if name in self._kept:
            body = {"function": self._pools[name].function.to_document(), "policy": self._policies.get(name)}
            self._cloud.database.put(_KIND, name, body)


def _name(given: str, qualifier: str | None) -> str:
    """A function is given by its name, `account:function:name` or its ARN, each perhaps with `:$LATEST`."""
    name = given.rpartition("function:")[2]
    name, colon, version = name.partition(":")
    asked = qualifier or (version if colon else "$LATEST")
    if asked != "$LATEST":
        message = f"Function not found: {given}:{asked} (the local cloud has no versions and aliases, only $LATEST)"
        raise AwsError("ResourceNotFoundException", message, 404, {"Type": "User"})
    return name
