"""The policies of functions as Lambda's API changes and shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.local.functions import permissions
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.functions.store import FunctionStore


class Policies:
    """Answers the operations that are about policies, each by a method of its name."""

    def __init__(self, store: FunctionStore) -> None:
        self._store = store

    def add_permission(self, params: dict[str, Any]) -> dict[str, Any]:
        """AddPermission."""
        with self._store.lock:
            function = self._store.function(params)
            added = permissions.statement(function.arn, params)
            policy = permissions.with_statement(self._store.policy(function.name), added)
            self._store.put_policy(function.name, policy)
        return {"Statement": json.dumps(added)}

    def remove_permission(self, params: dict[str, Any]) -> dict[str, Any]:
        """RemovePermission."""
        with self._store.lock:
            name = self._store.function(params).name
            policy = permissions.without_statement(self._store.policy(name), params["StatementId"])
            self._store.put_policy(name, policy)
        return {}

    def get_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """GetPolicy."""
        function = self._store.function(params)
        policy = self._store.policy(function.name)
        if policy is None:
            raise AwsError(
                "ResourceNotFoundException", "The resource you requested does not exist.", 404, {"Type": "User"}
            )
        return {"Policy": permissions.text(policy), "RevisionId": function.revision}
