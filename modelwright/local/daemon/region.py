"""Which region the local cloud is: the one that the environment file names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from modelwright.errors import EnvironmentNotFound, LocalCloudFailed
from modelwright.project import environment_names

if TYPE_CHECKING:
    from pathlib import Path


def region_of(root: Path, environment: str) -> str:
    """Read `region` of `environments/<environment>.yaml`; what else is in there is not looked at here."""
    file = root / "environments" / f"{environment}.yaml"
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EnvironmentNotFound(environment, environment_names(root)) from error
    except yaml.YAMLError as error:
        raise LocalCloudFailed(f"environments/{file.name} is not YAML: {error}") from error
    region = found.get("region") if isinstance(found, dict) else None
    if not isinstance(region, str):
        raise LocalCloudFailed(
            f"environments/{file.name}: region is {region!r}; it must be the name of an AWS region, as eu-central-1."
        )
    return region
