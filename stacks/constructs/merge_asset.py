"""The code of `publish_merge`: its handler, and what of modelwright makes a release, in one folder. No Docker, no pip.

docs/adr/0009-merges-from-codecommit.md says why. The folder is a function of the sources, the pinned packages and the
environment's settings alone: no times, no compiled files, no path of this machine.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import aws_s3_assets as assets

import modelwright
from modelwright.config.environment_json import environment_to_json
from modelwright.config.images import FRAMEWORKS, table_file
from modelwright.workflow.trigger_functions import PUBLISH_MERGE, SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings

_LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"
_READABLE = 0o644
"""For everybody, whatever this machine's umask: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html."""
_TABLES = "sagemaker/core/image_uri_config"
"""Where sagemaker-core has them, so that they are found here as there; of the package itself nothing else is taken."""


def merge_asset(scope: Construct, settings: EnvironmentSettings) -> assets.Asset:
    """Stage the folder and make the asset of it; CDK copies it at once, so it need not stay."""
    with tempfile.TemporaryDirectory(prefix="modelwright-") as temporary:
        folder = Path(temporary)
        stage(folder, settings)
        return assets.Asset(scope, "MergeCode", path=str(folder))


def stage(folder: Path, settings: EnvironmentSettings) -> None:
    """Write the asset's files into `folder`."""
    for name, source in _sources():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (folder / "sagemaker" / "__init__.py").write_text("", "utf-8")
    without_people = replace(settings, notify_emails=())  # who is told is nothing that a release depends on
    (folder / "environment.json").write_text(environment_to_json(without_people), "utf-8")
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else _READABLE)


def _sources() -> Iterator[tuple[str, Path]]:
    """Yield each file's name in the asset and where it is."""
    for part in (PUBLISH_MERGE.name, "shared"):
        yield from ((f"{part}/{path.name}", path) for path in sorted((_LAMBDAS / part).glob("*.py")))
    package = Path(modelwright.__file__).parent
    for pattern in SHIPPED:
        found = sorted(package.glob(pattern))
        if not found:
            raise ValueError(f"modelwright has no {pattern}, which {PUBLISH_MERGE.name} needs.")
        yield from ((f"modelwright/{path.relative_to(package).as_posix()}", path) for path in found)
    yield from ((f"yaml/{path.name}", path) for path in sorted(_package("yaml").glob("*.py")))
    yield from ((f"{_TABLES}/{framework}.json", table_file(framework)) for framework in FRAMEWORKS)


def _package(name: str) -> Path:
    """Return the folder of an installed package. Of PyYAML the Python sources are whole without its C part."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ValueError(f"The package {name} is not installed.")
    return Path(found.origin).parent
