"""Read a cloud assembly: the folder that `cdk synth` writes and `cdk deploy` reads.

The manifest's schema is CDK's own: https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from pathlib import Path


class AssemblyError(ModelwrightError):
    """The assembly is missing, incomplete or holds what the local cloud cannot read."""


@dataclass(frozen=True)
class Asset:
    """A file or folder that the template refers to by the bucket and key it will have been published under."""

    source: Path
    zipped: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class StackTemplate:
    """One stack as synthesized."""

    name: str
    template: dict[str, Any]
    assets: tuple[Asset, ...]
    needs: frozenset[str]  # names of stacks that are deployed first


def read_assembly(directory: Path) -> list[StackTemplate]:
    """Every stack of the assembly, each after those that it needs.

    Raises:
        AssemblyError: the folder is no assembly, or a file that its manifest names is missing.
    """
    artifacts = _read_json(directory / "manifest.json").get("artifacts", {})
    stacks = {key: value for key, value in artifacts.items() if value["type"] == "aws:cloudformation:stack"}
    names = {key: value.get("properties", {}).get("stackName", key) for key, value in stacks.items()}
    found = [
        StackTemplate(
            name=names[key],
            template=_read_json(directory / value["properties"]["templateFile"]),
            assets=tuple(_assets(directory, value, artifacts)),
            needs=frozenset(names[need] for need in value.get("dependencies", []) if need in stacks),
        )
        for key, value in stacks.items()
    ]
    return _in_order(found)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyError(f"{path} does not exist; `modelwright synth` writes it.") from None
    except json.JSONDecodeError as error:
        raise AssemblyError(f"{path} is not JSON ({error}); `modelwright synth` writes it anew.") from None
    if not isinstance(content, dict):
        raise AssemblyError(f"{path} holds {type(content).__name__}, not an object.")
    return content


def _assets(directory: Path, stack: dict[str, Any], artifacts: dict[str, Any]) -> list[Asset]:
    """The file assets of one stack (its own template, which is an asset too, left out)."""
    found = []
    for need in stack.get("dependencies", []):
        artifact = artifacts.get(need, {})
        if artifact.get("type") != "cdk:asset-manifest":
            continue
        manifest = _read_json(directory / artifact["properties"]["file"])
        if manifest.get("dockerImages"):
            raise AssemblyError(
                f"{artifact['properties']['file']} has a Docker image asset: the local cloud runs none."
            )
        found += [
            Asset(
                directory / file["source"]["path"],
                file["source"].get("packaging") == "zip",
                place["bucketName"],
                place["objectKey"],
            )
            for file in manifest.get("files", {}).values()
            for place in file["destinations"].values()
            if file["source"].get("path") != stack["properties"]["templateFile"]
        ]
    return found


def _in_order(stacks: list[StackTemplate]) -> list[StackTemplate]:
    placed: list[StackTemplate] = []
    left = sorted(stacks, key=lambda stack: stack.name)
    while left:
        names = {stack.name for stack in left}
        ready = [stack for stack in left if not stack.needs & (names - {stack.name})]
        if not ready:
            raise AssemblyError(f"the stacks {', '.join(sorted(names))} need each other in a circle.")
        placed += ready
        left = [stack for stack in left if stack not in ready]
    return placed
