"""Assemblies written by hand: templates of a few lines, in the folder that `cdk synth` would write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CODE = {"S3Bucket": "assets", "S3Key": "code.zip"}
"""The Code of a function whose asset is given to `write_assembly`."""


def write_assembly(
    folder: Path, templates: Mapping[str, Mapping[str, Any]], *, needs: Mapping[str, str] | None = None, code: str = ""
) -> Path:
    """Write stacks (name -> template) as an assembly; `needs`: which stack needs which; `code`: a handler's text."""
    folder.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, Any] = {}
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(json.dumps(template))
        properties = {"templateFile": f"{name}.json", "stackName": name}
        depends = [f"{name}.assets", *([needs[name]] if needs and name in needs else [])]
        artifacts[name] = {"type": "aws:cloudformation:stack", "properties": properties, "dependencies": depends}
        artifacts[f"{name}.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": f"{name}.assets.json"}}
        (folder / f"{name}.assets.json").write_text(json.dumps({"files": _files(folder, code)}))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def _files(folder: Path, code: str) -> dict[str, Any]:
    if not code:
        return {}
    (folder / "asset.code").mkdir(exist_ok=True)
    (folder / "asset.code" / "index.py").write_text(code)
    place = {"bucketName": CODE["S3Bucket"], "objectKey": CODE["S3Key"]}
    return {"code": {"source": {"path": "asset.code", "packaging": "zip"}, "destinations": {"here": place}}}


def allow(actions: str | list[str], resource: Any, **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def trusts(service: str) -> dict[str, Any]:
    """A trust policy for a service (`states`)."""
    principal = {"Service": f"{service}.amazonaws.com"}
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})


def role(service: str, *statements: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A role with one inline policy."""
    policies = [{"PolicyName": "Grants", "PolicyDocument": policy(*statements)}] if statements else []
    properties = {"AssumeRolePolicyDocument": trusts(service), "Policies": policies}
    return {"Type": "AWS::IAM::Role", "Properties": properties, **more}
