"""The URIs of AWS's framework images, from the tables that sagemaker-core ships.

Importing sagemaker-core takes 2.3 s, reading one of its tables 1 ms; a test compares the URIs with those of its own
`image_uris.retrieve`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from modelwright.config.instances import family
from modelwright.errors import NotSupported, names, nearest

Scope = Literal["training", "inference"]
FRAMEWORKS = ("sklearn",)
OWN_IMAGES = {"sklearn": ("1.2-1", "1.4-2-py312", "1.9-0")}
"""The versions of which an image of our own serves and compiles models: those in `images/serving/requirements`.

sklearn-onnx knows scikit-learn from 1.1 on."""
FRAMEWORKS_NOT_YET = ("xgboost", "pytorch", "tensorflow", "huggingface", "mxnet", "autogluon")
# sagemaker.core.fw_utils.GRAVITON_ALLOWED_TARGET_INSTANCE_FAMILY and the families that came after it
_CPU = "ml.m5.large"  # AWS's images of one framework for CPUs share a repository
_ARM = re.compile(r"[a-z]+[0-9]+g[a-z]*")


def image_versions(framework: str) -> list[str]:
    """Return the versions of `framework` that AWS has an image of for training *and* for inference, oldest first.

    The two differ: of scikit-learn `1.4-2`, AWS can train with it and not host it.
    """
    table = _table(framework)
    return [version for version in table["training"]["versions"] if version in table["inference"]["versions"]]


def image_regions(framework: str, version: str) -> list[str]:
    """Return the regions that have both images of a version that `image_versions` names."""
    table = _table(framework)
    training, inference = (table[scope]["versions"][version]["registries"] for scope in ("training", "inference"))
    return sorted(set(training) & set(inference))


def version_problem(framework: str, version: str) -> str | None:
    """Return what is wrong with a framework's version, as the rest of a sentence; None when nothing is."""
    versions = image_versions(framework)
    if version in versions:
        return None
    table = _table(framework)
    near = nearest(version, versions)
    hint = f" Did you mean {near[0]}?" if near else ""
    for scope, lacks in (("training", "inference"), ("inference", "training")):
        if version in table[scope]["versions"]:
            found = f"is {version!r}, which AWS has for {scope} but not for {lacks}"
            return f"{found}; it must be {names(versions, 'or')}.{hint}"
    return f"is {version!r}; {framework} must be {names(versions, 'or')}.{hint}"


def image_uri(framework: str, version: str, region: str, instance: str, scope: Scope) -> str:
    """Return the URI of AWS's image of `framework`; raises `NotSupported` for what AWS has no image of."""
    found = _table(framework)[scope]["versions"].get(version)
    if found is None:
        raise NotSupported(f"AWS has no image of {framework} {version} for {scope}.")
    problem = image_problem(framework, version, instance)
    if problem:
        raise NotSupported(f"The instance type {problem}")
    if region not in found["registries"]:
        raise NotSupported(f"AWS has no image of {framework} {version} for {scope} in {region}.")
    host = f"{found['registries'][region]}.dkr.ecr.{region}.{dns_suffix(region)}"
    return f"{host}/{found['repository']}:{version}-cpu-{found['py_versions'][0]}"


def framework_repositories(region: str) -> list[tuple[str, str]]:
    """Return account and name of every repository in `region` that holds an image of a framework, of any version."""
    found: set[tuple[str, str]] = set()
    scopes: tuple[Scope, ...] = ("training", "inference")
    for framework in FRAMEWORKS:
        versions = [version for version in image_versions(framework) if region in image_regions(framework, version)]
        for uri in (image_uri(framework, version, region, _CPU, scope) for version in versions for scope in scopes):
            host, _, rest = uri.partition("/")
            found.add((host.split(".")[0], rest.rpartition(":")[0]))
    return sorted(found)


def image_problem(framework: str, version: str, instance: str) -> str | None:
    """Return why AWS's image of `framework` cannot run on `instance`, as the rest of a sentence; None when it can."""
    name = family(instance)
    if _ARM.fullmatch(name):
        return f"is {instance!r}, a Graviton (Arm) machine; AWS's {framework} {version} image is for x86 only."
    if name[0] in "gp" or name.startswith(("inf", "trn", "dl")):
        return f"is {instance!r}, a machine with an accelerator; AWS's {framework} image is for CPUs only."
    return None


@cache
def dns_suffix(region: str) -> str:
    """Return the domain of AWS's services in `region`: `amazonaws.com` in most. Raises `NotSupported` if unknown."""
    for partition in _partitions():
        if region in partition["regions"] or re.match(partition["regionRegex"], region):
            suffix: str = partition["outputs"]["dnsSuffix"]
            return suffix
    raise NotSupported(f"{region} is no region that botocore knows.")


def region_problem(region: str) -> str | None:
    """Return what is wrong with a region's name, as the rest of a sentence; None when botocore knows it.

    A region of another partition would take the stacks, and end every run at once: the state machine names AWS's
    integrations by `arn:aws:states:::…`, and a partition accepts its own only.
    https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/478
    """
    regions = {each["id"]: [name for name in each["regions"] if not name.endswith("-global")] for each in _partitions()}
    if region in regions["aws"]:
        return None
    for partition, known in regions.items():
        if region in known:
            allowed = "it must be a region of the partition aws, like eu-central-1 or us-east-1."
            return f"is {region!r}, of the partition {partition}, which is not supported yet; {allowed}"
    near = nearest(region, regions["aws"], 3)
    hint = f"did you mean {' or '.join(near)}?" if near else "like eu-central-1 or us-east-1."
    return f"is {region!r}; it must be a region that AWS has, {hint}"


@cache
def _table(framework: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(table_file(framework).read_text("utf-8"))
    return table


def table_file(framework: str) -> Path:
    """Return the file of sagemaker-core that lists the images of `framework`; raises `NotSupported` without one."""
    if framework not in FRAMEWORKS:
        raise NotSupported(f"The framework {framework!r} is not supported yet; supported: {names(FRAMEWORKS)}.")
    found = find_spec("sagemaker")
    folders = list(found.submodule_search_locations or ()) if found else []
    for folder in folders:
        path = Path(folder) / "core" / "image_uri_config" / f"{framework}.json"
        if path.is_file():
            return path
    raise NotSupported("The package sagemaker-core, which holds AWS's image tables, is not installed.", "Run `make`.")


@cache
def _partitions() -> list[dict[str, Any]]:
    found = find_spec("botocore")
    if found is None or found.origin is None:
        raise NotSupported("The package botocore, which holds AWS's regions, is not installed.", "Run `make`.")
    path = Path(found.origin).parent / "data" / "partitions.json"
    partitions: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["partitions"]
    return partitions
