"""A REST API over one function in a local cloud inside this process, and how its template is deployed again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_template import api_resources
from tiny_assembly import CODE, role, write_assembly

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.local.cloud import Cloud

ECHO = """
import json
def handler(event, context):
    asked = json.loads(event["body"]) if event["body"] else {}
    if asked.get("do") == "raise":
        raise ValueError("as asked")
    if asked.get("do") == "nonsense":
        return {"status": 200}
    if asked.get("do") == "plain":
        return {"statusCode": "201", "headers": {"X-Own": "1"}, "body": "plain"}
    if asked.get("do") == "answer":
        return asked["answer"]
    if asked.get("do") == "wait":
        with open(asked["for"]) as waits:  # a pipe: until somebody writes
            said = waits.readline()
        with open(asked["then"], "w") as tells:
            tells.write(said)
    return {"statusCode": 200, "body": json.dumps(event)}
"""
FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Code": CODE,
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]},
        "Runtime": "python3.14",
        "Timeout": 300,
    },
}


class Apis:
    """The cloud and the template that is deployed in it."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self._folder = folder
        self._formation: Any = cloud.services["cloudformation"]
        self._deployed = 0

    def deploy(self, **limits: Any) -> None:
        self.write(api_resources(FUNCTION, **limits))

    def write(self, resources: dict[str, Any]) -> None:
        self._deployed += 1
        template = {"Resources": {"FunctionRole": role("lambda"), **resources}}
        self._formation.deploy(write_assembly(self._folder / str(self._deployed), {"apis": template}, code=ECHO))

    def id(self, logical_id: str) -> str:
        return str(self._formation._stacks["apis"].resources[logical_id][1].id)

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def key(self, logical_id: str) -> str:
        return str(self.client("apigateway").get_api_key(apiKey=self.id(logical_id), includeValue=True)["value"])
