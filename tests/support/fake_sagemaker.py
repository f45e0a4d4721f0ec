"""A SageMaker of ours for handlers, and time that passes only in sleeps."""

from __future__ import annotations

import io
from typing import Any

from botocore.exceptions import ClientError


class FakeSageMaker:
    """What the handlers ask of SageMaker, with a memory."""

    def __init__(self) -> None:
        self.packages: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.endpoint: dict[str, str] | None = {"EndpointStatus": "InService", "EndpointConfigName": "new"}
        self.calls: list[str] = []
        self.models: list[dict[str, Any]] = []
        self.answer = (b'["male"]', "application/json")
        self.undeletable = ""
        self.loading = 0
        """how often a model is asked before it is loaded"""
        self.refusal = "ModelNotReadyException"
        """what it says then"""
        self.answers_after = 0.0
        """how many seconds each question takes"""
        self.spent = 0.0
        self.asked: list[str] = []
        """of several models, whose"""

    def update_model_package(self, **given: Any) -> None:
        self.packages[given["ModelPackageArn"]] = given["ModelApprovalStatus"]
        self.reasons[given["ModelPackageArn"]] = given["ApprovalDescription"]

    def describe_endpoint(self, EndpointName: str) -> dict[str, str]:  # noqa: N803 # the API's name
        if self.endpoint is None:
            message = f'Could not find endpoint "{EndpointName}".'
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "DescribeEndpoint")
        return self.endpoint

    def update_endpoint(self, **given: Any) -> None:
        self.calls.append(f"update {given['EndpointConfigName']}")

    def create_endpoint(self, **given: Any) -> None:
        self.calls.append(f"create {given['EndpointConfigName']} {given['Tags']}")

    def delete_endpoint(self, **_: Any) -> None:
        self.calls.append("delete")

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        return {"ProductionVariants": [{"ModelName": "dev-penguins-000000000009-00"}]}

    def get_paginator(self, name: str) -> FakeSageMaker:
        self.listed = "Models" if name == "list_models" else "EndpointConfigs"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{self.listed: self.models[:5]}, {self.listed: self.models[5:]}]

    def delete_model(self, **given: Any) -> None:
        self._delete("model", given["ModelName"])

    def delete_endpoint_config(self, **given: Any) -> None:
        self._delete("config", given["EndpointConfigName"])

    def _delete(self, kind: str, name: str) -> None:
        if name == self.undeletable:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "in use"}}, "Delete")
        self.calls.append(f"{kind} {name}")

    def invoke_endpoint(self, **given: Any) -> dict[str, Any]:
        self.spent += self.answers_after
        self.asked.append(given.get("TargetModel", ""))
        if self.loading:
            self.loading -= 1
            raise ClientError({"Error": {"Code": self.refusal, "Message": "x"}}, "InvokeEndpoint")
        if given["Body"] == b"bad\n":
            error = {"Error": {"Code": "ModelError", "Message": "x"}, "OriginalStatusCode": 500}
            raise ClientError({**error, "OriginalMessage": "KeyError: 'mass'"}, "InvokeEndpoint")
        return {"Body": io.BytesIO(self.answer[0]), "ContentType": self.answer[1]}


class FakeTime:
    """Time that passes only when somebody sleeps or SageMaker answers; each sleep may change the endpoint."""

    def __init__(self, sagemaker: FakeSageMaker, *changes: dict[str, str] | None) -> None:
        self.sagemaker, self.changes, self.slept = sagemaker, list(changes), 0.0

    def monotonic(self) -> float:
        return 1000 + self.slept + self.sagemaker.spent

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.changes:
            self.sagemaker.endpoint = self.changes.pop(0)


def endpoint(status: str, config: str) -> dict[str, str]:
    return {"EndpointStatus": status, "EndpointConfigName": config}
