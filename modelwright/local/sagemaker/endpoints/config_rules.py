"""What SageMaker does not take together in an endpoint's configuration. All that is wrong is said at once.

Serverless: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html ("Feature exclusions")
Shadow: https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from modelwright.config.local_storage import has_local_storage
from modelwright.local.sagemaker.hosting.async_config import async_problems
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.local.sagemaker.registry.models import Models

MEMORY_STEP_MB = 1024
"""1024 to 6144 MB: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html"""
NOT_SHADOWED = ("ml.inf1.",)


def check_config(config: dict[str, Any], models: Models) -> None:
    """Raise AwsError ValidationException with everything that AWS would refuse in this configuration."""
    problems = list(_problems(config, models))
    if problems:
        raise AwsError("ValidationException", " ".join(problems))


def is_serverless(config: dict[str, Any]) -> bool:
    """Say whether any production variant is serverless."""
    return any("ServerlessConfig" in variant for variant in config["ProductionVariants"])


def check_update(config: dict[str, Any], plan: Sequence[dict[str, Any]]) -> None:
    """Raise AwsError where what serves `plan` cannot be updated to this configuration.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html: "You cannot convert your instance-based,
    real-time endpoint to a serverless endpoint."
    """
    if is_serverless(config) and any(not variant.get("Serverless") for variant in plan):
        message = "An endpoint with instances cannot be updated to a serverless one; delete it and create a new one."
        raise AwsError("ValidationException", message)


def _problems(config: dict[str, Any], models: Models) -> Iterator[str]:
    variants, shadows = config["ProductionVariants"], config.get("ShadowProductionVariants", [])
    counts = Counter(variant["VariantName"] for variant in [*variants, *shadows])
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        yield f"Variant names must be unique; {', '.join(twice)} stands twice."
    for variant in [*variants, *shadows]:
        yield from _variant_problems(variant, models, has_key="KmsKeyId" in config)
    if not any(variant["InitialVariantWeight"] > 0 for variant in variants):
        yield "At least one variant needs an InitialVariantWeight above 0."
    if is_serverless(config):
        yield from _serverless_problems(config, models)
    if shadows:
        yield from _shadow_problems(config, models)
    yield from async_problems(config)
    yield from _capture_problems(config.get("DataCaptureConfig", {}))


def _variant_problems(variant: dict[str, Any], models: Models, *, has_key: bool) -> Iterator[str]:
    name, kind = variant["VariantName"], variant.get("InstanceType")
    has = [member for member in ("InstanceType", "InitialInstanceCount") if variant.get(member) is not None]
    if "ServerlessConfig" in variant:
        if has:
            yield f"The variant {name} has ServerlessConfig and {' and '.join(has)}; a serverless one has no instances."
        wanted = {"ModelName"}
    else:
        wanted = {"ModelName", "InstanceType", "InitialInstanceCount"}
    missing = sorted(member for member in wanted if variant.get(member) is None)
    if missing:
        yield f"The variant {name} needs {' and '.join(missing)}."
    elif (said := _model_problem(variant, models)) is not None:
        yield said
    if variant.get("RoutingConfig", {}).get("RoutingStrategy") == "PREFIX_AWARE":
        yield f"The local cloud does not support RoutingStrategy PREFIX_AWARE of the variant {name}; leave it out."
    if has_key and kind is not None and has_local_storage(kind):
        yield f"KmsKeyId cannot be given for {kind}: its storage is encrypted by hardware."


def _model_problem(variant: dict[str, Any], models: Models) -> str | None:
    try:
        models.get(variant["ModelName"])
    except AwsError as error:
        return error.message
    return None


def _serverless_problems(config: dict[str, Any], models: Models) -> Iterator[str]:
    variants = config["ProductionVariants"]
    if len(variants) > 1:
        yield f"A serverless endpoint has one production variant; found {len(variants)}."
    for member, what in (("ShadowProductionVariants", "shadow variants"), ("AsyncInferenceConfig", "a queue")):
        if config.get(member):
            yield f"A serverless endpoint has no {what} ({member})."
    if config.get("DataCaptureConfig", {}).get("EnableCapture", bool(config.get("DataCaptureConfig"))):
        yield "A serverless endpoint captures no data (DataCaptureConfig)."
    for variant in variants:
        size = variant.get("ServerlessConfig", {}).get("MemorySizeInMB", MEMORY_STEP_MB)
        if size % MEMORY_STEP_MB:
            name = variant["VariantName"]
            yield f"MemorySizeInMB of {name} is {size}; it must be 1024, 2048, 3072, 4096, 5120 or 6144."
        yield from _serverless_model_problems(variant, models)


def _serverless_model_problems(variant: dict[str, Any], models: Models) -> Iterator[str]:
    found = _model(variant, models)
    if found is None:
        return
    model, container = found
    where = f"The model {variant['ModelName']} of the serverless variant {variant['VariantName']}"
    if model.get("VpcConfig"):
        yield f"{where} has a VpcConfig; a serverless endpoint is in no VPC."
    if model["EnableNetworkIsolation"]:
        yield f"{where} has EnableNetworkIsolation; a serverless endpoint cannot be isolated."
    if container.get("Mode") == "MultiModel":
        yield f"{where} is of Mode MultiModel; a serverless endpoint has one model."
    if "ModelDataSource" in container:
        yield f"{where} has a ModelDataSource; a serverless endpoint takes ModelDataUrl."
    if "-gpu" in container.get("Image", ""):
        yield f"{where} has an image for GPUs; a serverless endpoint has none."


def _shadow_problems(config: dict[str, Any], models: Models) -> Iterator[str]:
    variants, shadows = config["ProductionVariants"], config["ShadowProductionVariants"]
    if len(variants) != 1 or len(shadows) != 1:
        yield (
            f"With ShadowProductionVariants there is one production variant and one shadow; found {len(variants)} and "
            f"{len(shadows)}."
        )
    if config.get("AsyncInferenceConfig"):
        yield "An asynchronous endpoint has no shadow variants (AsyncInferenceConfig)."
    if any("ServerlessConfig" in shadow for shadow in shadows):
        yield "A shadow variant cannot be serverless."
    for variant in [*variants, *shadows]:
        found = _model(variant, models)
        if found is not None and found[1].get("Mode") == "MultiModel":
            yield f"The variant {variant['VariantName']} has several models (Mode MultiModel); it can have no shadow."
        kind = variant.get("InstanceType", "")
        if kind.startswith(NOT_SHADOWED):
            yield f"The variant {variant['VariantName']} is on {kind}; such instances have no shadow."


def _capture_problems(capture: dict[str, Any]) -> Iterator[str]:
    modes = [option["CaptureMode"] for option in capture.get("CaptureOptions", ())]
    twice = [mode for mode, count in Counter(modes).items() if count > 1]
    if twice:
        yield f"CaptureOptions must be unique; {', '.join(twice)} stands twice."
    url = capture.get("DestinationS3Uri")
    if url is not None and not (url.startswith("s3://") and url.removeprefix("s3://").split("/")[0]):
        yield f"DestinationS3Uri must be s3://<bucket>/<prefix>; found {url}."


def _model(variant: dict[str, Any], models: Models) -> tuple[dict[str, Any], dict[str, Any]] | None:
    try:
        return models.get(variant["ModelName"]), models.container(variant["ModelName"])
    except (AwsError, KeyError):
        return None  # said already
