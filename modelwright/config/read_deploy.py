"""Reading `deploy` of a `pipeline.yaml`: which kind of endpoint, and what goes with it.

What AWS does not combine is an error here, with the reason: at a deploy or, worse, in a run it would come too late.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from modelwright.config.folder_files import check_smoke_test
from modelwright.config.hosting import ALL_AT_ONCE, ENDPOINT_KINDS, MAIN_VARIANT, SERVES, EndpointKind, Serve, Variant
from modelwright.config.pipeline import DeploySettings
from modelwright.config.place import read_instance
from modelwright.config.read_hosting import (
    read_api,
    read_asynchronous,
    read_autoscaling,
    read_capture,
    read_serverless,
    read_shadow,
    read_update,
    read_variants,
)

if TYPE_CHECKING:
    from modelwright.config.hosting import Autoscaling, Update
    from modelwright.config.place import Place
    from modelwright.config.reader import Section

REQUIREMENTS = "requirements.txt"
MOST_TTL_HOURS = 8760
_NOT_YET = {
    "traffic": "write update: {traffic: canary, percent: 10}",
    "canary": "write update: {traffic: canary, percent: 10}",
    "data_capture": "write capture: {percent: 100}",
    "models": "write endpoint: multi-model; each folder of the model's directory becomes a model",
}
_OTHER_NAMES = {"asynchronous": "async", "real-time": "realtime", "multi_model": "multi-model"}
# https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html (Feature exclusions)
# https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html (asynchronous and real-time only)
# https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html, …/model-monitor-faqs.html
_NO_INSTANCES = "a serverless endpoint has no instances: it has serverless: {memory_gib: 2, max_concurrency: 10}"
_WITHOUT_ANSWER = "an asynchronous endpoint answers into S3, and an API has to answer at once"
_ANOTHER_KIND = "it is about another kind of endpoint"
_EXCLUDED: dict[EndpointKind, dict[str, str]] = {
    "realtime": {
        "serverless": _ANOTHER_KIND,
        "async": _ANOTHER_KIND,
    },
    "serverless": {
        "instance": _NO_INSTANCES,
        "instance_count": _NO_INSTANCES,
        "variants": "a serverless endpoint has exactly one variant",
        "autoscaling": "a serverless endpoint scales by itself, down to nothing; max_concurrency is where it ends",
        "capture": "serverless endpoints do not capture data",
        "update": "only real-time and asynchronous endpoints have deployment guardrails",
        "shadow": "serverless endpoints have no shadow variants",
        "async": _ANOTHER_KIND,
    },
    "async": {
        "variants": "an asynchronous endpoint has one queue, and here one variant",
        "capture": "only real-time endpoints capture data; what goes through an asynchronous one is in S3 anyway",
        "shadow": "asynchronous endpoints have no shadow variants",
        "serverless": _ANOTHER_KIND,
        "api": _WITHOUT_ANSWER,
    },
    "multi-model": {
        "variants": "an endpoint with several models has one variant",
        "capture": "AWS's monitoring takes endpoints with one model only",
        "shadow": "endpoints with several models have no shadow variants",
        "serverless": _ANOTHER_KIND,
        "async": _ANOTHER_KIND,
        "api": "the API asks one model; it cannot choose among several",
    },
    "none": dict.fromkeys(
        (
            *("instance", "instance_count", "smoke_test", "keep", "variants", "autoscaling", "capture", "update"),
            *("shadow", "serverless", "async", "ttl_hours", "api", "network_isolation"),
        ),
        "there is nothing that it could be about",
    ),
}


def read_deploy(section: Section, place: Place) -> DeploySettings:
    """Read the section; every combination that AWS refuses is a problem that says why."""
    section.not_yet = _NOT_YET
    kind = _kind(section)
    for key, reason in _EXCLUDED[kind].items():
        if section.child(key) is not None:
            beginning = "has no meaning" if kind == "none" else "cannot go"
            section.problem(key, f"{beginning} with endpoint: {kind}: {reason}; remove it.")
    found = _settings(section, kind, place)
    section.finish()
    return found


def _kind(section: Section) -> EndpointKind:
    written = section.child("endpoint")
    meant = _OTHER_NAMES.get(str(written.value)) if written is not None else None
    if meant and written is not None:
        section.problem("endpoint", f"is {written.value!r}; it is written {meant}.")
        return cast("EndpointKind", meant)
    return cast("EndpointKind", section.choice("endpoint", ENDPOINT_KINDS))


def _settings(section: Section, kind: EndpointKind, place: Place) -> DeploySettings:
    serve = _serve(section, kind)
    if kind == "none":
        return DeploySettings("none", None, None, None, 3, serve=serve)
    _check_network(section, kind, place)
    found = DeploySettings(
        endpoint=kind,
        instance=None,
        instance_count=None,
        smoke_test=_smoke_test(section, place),
        keep=section.integer("keep", 3, most=50),
        serve=serve,
        network_isolation=_isolation(section, kind, serve, place),
        ttl_hours=section.integer("ttl_hours", 0, most=MOST_TTL_HOURS) or None,
        api=None if _excluded(kind, "api") else read_api(section, place),
    )
    if kind == "serverless":
        return replace(found, serverless=read_serverless(section))
    return _with_instances(section, found, place)


def _with_instances(section: Section, found: DeploySettings, place: Place) -> DeploySettings:
    kind = found.endpoint
    instance = read_instance(section, "hosting", place)
    count = section.integer("instance_count", 1, most=place.max_instance_count, whose=place.whose("max_instance_count"))
    main = Variant(MAIN_VARIANT, 1.0, instance, count)
    variants = (main,) if _excluded(kind, "variants") else read_variants(section, main, place)
    autoscaling = read_autoscaling(section, variants, place, asynchronous=kind == "async")
    update = ALL_AT_ONCE if _excluded(kind, "update") else read_update(section, variants, place)
    _check_shrunken(section, autoscaling, update)
    return replace(
        found,
        instance=instance,
        instance_count=count,
        variants=variants,
        autoscaling=autoscaling,
        capture=None if _excluded(kind, "capture") else read_capture(section),
        update=update,
        shadow=None if _excluded(kind, "shadow") else read_shadow(section, variants, place),
        asynchronous=read_asynchronous(section) if kind == "async" else None,
    )


def _check_shrunken(section: Section, autoscaling: Autoscaling | None, update: Update) -> None:
    """A fleet that was scaled in to one instance cannot be replaced in parts: the update would be refused."""
    if section.is_wrong("min"):
        return
    if autoscaling is not None and update.traffic != "all-at-once" and autoscaling.min < 2:
        message = (
            f"is {autoscaling.min}; with update: {{traffic: {update.traffic}}} it must be 2 or more, as one instance"
        )
        section.section("autoscaling").problem("min", f"{message} cannot be replaced in parts.")


def _excluded(kind: EndpointKind, key: str) -> bool:
    return key in _EXCLUDED[kind]


def _serve(section: Section, kind: EndpointKind) -> Serve:
    """A container with several models is AWS's own: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-support.html."""
    found = cast("Serve", section.choice("serve", SERVES, "auto"))
    if kind != "multi-model":
        return found
    if found in ("onnx", "python"):
        reason = f"is {found}; several models behind one endpoint are served by their script in AWS's image"
        section.problem("serve", f"{reason}: write framework.")
    return "framework"


def _check_network(section: Section, kind: EndpointKind, place: Place) -> None:
    vpc = place.vpc
    if vpc is None:
        return
    if kind == "serverless":  # https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
        section.problem(
            "endpoint", "is serverless, but the environment has a vpc, which serverless endpoints cannot join."
        )
    elif len(vpc.subnets) == 1:  # https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html
        needed = "an endpoint needs 2 or more, in different availability zones"
        section.problem("endpoint", f"is {kind}, but the environment's vpc has 1 subnet; {needed}.")


def _isolation(section: Section, kind: EndpointKind, serve: Serve, place: Place) -> bool | None:
    """What was written; None when nothing was: then a model is isolated when it can be."""
    written = section.child("network_isolation")
    if written is None:
        return None
    if not isinstance(written.value, bool):
        section.problem("network_isolation", f"is {written.value!r}; it must be true or false.")
        return None
    if written.value and kind == "serverless":
        section.problem("network_isolation", "is true, but serverless endpoints cannot be isolated; remove it.")
    if written.value and kind == "multi-model":
        reason = "is true, but a container with several models fetches their script from S3; remove it."
        section.problem("network_isolation", reason)
    if written.value and serve != "onnx" and (place.folder / REQUIREMENTS).is_file():
        reason = f"is true, but the container would have to install {REQUIREMENTS} from the network"
        section.problem("network_isolation", f"{reason}; remove one of them, or write serve: onnx.")
    return written.value


def _smoke_test(section: Section, place: Place) -> str:
    name = section.text("smoke_test", allowed="a .csv or .json file of the pipeline's folder")
    if name:
        check_smoke_test(place.folder, name, lambda message: section.problem("smoke_test", message))
    return name
