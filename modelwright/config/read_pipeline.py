"""Reading `pipeline.yaml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.config.document import Node, read_document
from modelwright.config.folder_files import DataPath, check_data, check_script
from modelwright.config.gate import GateClause, GateSyntaxError, parse_clause
from modelwright.config.images import (
    FRAMEWORKS,
    FRAMEWORKS_NOT_YET,
    OWN_IMAGES,
    image_problem,
    image_regions,
    version_problem,
)
from modelwright.config.job_values import read_arguments, read_hyperparameters
from modelwright.config.pipeline import (
    BatchSettings,
    DataSettings,
    PipelineSettings,
    ProcessingSettings,
    TrainingSettings,
)
from modelwright.config.place import Place, read_instance
from modelwright.config.read_deploy import read_deploy
from modelwright.config.read_triggers import read_triggers
from modelwright.config.reader import Section, shown
from modelwright.errors import Problem, names, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.instances import Purpose

PIPELINE_FILE = "pipeline.yaml"
INFERENCE_SCRIPT = "inference.py"
_NAME = re.compile(r"[a-z](?:-?[a-z0-9])*")
MAX_NAME = 20
MAX_GATE = 20
_TRAIN_NOT_YET = {
    "algorithm": "write framework: sklearn and a script",
    "image": "write framework: and version:, which choose one of AWS's images",
    "dockerfile": "write framework: and version:, which choose one of AWS's images",
    "tuning": "write the values under hyperparameters:",
    "spot": "jobs run on demand",
    "checkpoints": "jobs run on demand and are not interrupted",
    "folds": "split the data in the process script",
}


def name_problem(name: str) -> str | None:
    """Return what is wrong with a pipeline's name, as the rest of a sentence; None when nothing is."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        form = f"at most {MAX_NAME} lower-case letters, digits and single hyphens, a letter first and no hyphen last"
        return f"is {name!r} ({len(name)} characters); a pipeline's name must have {form}."
    if name == "data" or name.endswith("-data"):
        return f"is {name!r}; a name that is or ends in 'data' would make the name of a data stack, so it must not."
    if name == "serving":  # modelwright.workflow.serving_image.repository_name
        return "is 'serving'; that is the name of the environment's own image repository: choose another."
    return None


def read_pipeline(
    folder: Path, shown_folder: str, environment: EnvironmentSettings | None, problems: list[Problem], name: str = ""
) -> PipelineSettings | None:
    """Read the pipeline in `folder`; what is wrong goes to `problems`, under file names that begin with `shown_folder`.

    The pipeline is called `name`, or as its folder. Returns None when nothing could be read. What is returned is to be
    used only if `problems` stayed empty.
    """
    name = name or folder.name
    problem = name_problem(name)
    if problem:
        problems.append(Problem(shown_folder, "the folder's name", problem))
    shown_file = f"{shown_folder}/{PIPELINE_FILE}"
    root = read_document(folder / PIPELINE_FILE, shown_file, problems)
    if root is None:
        return None
    top = Section(shown_file, "", root, problems, {"monitor": "models are not monitored"})
    settings = _settings(name, top, Place(folder, environment))
    _check_images(top, settings, environment)
    _check_own_image(top, settings)
    if not (folder / INFERENCE_SCRIPT).is_file():
        message = "is missing; its model_fn, input_fn, predict_fn and output_fn serve the model."
        problems.append(Problem(f"{shown_folder}/{INFERENCE_SCRIPT}", "", message))
    top.finish()
    return settings


def _settings(name: str, top: Section, place: Place) -> PipelineSettings:
    description = top.text("description", "", allowed="a text")
    data = _data(top.section("data", required=True), place)
    return PipelineSettings(
        name=name,
        folder=place.folder,
        description=description,
        data=data,
        process=_processing(top.section("process", required=True), place),
        train=_training(top.section("train", required=True), place),
        evaluate=_processing(top.section("evaluate", required=True), place),
        gate=_gate(top),
        deploy=read_deploy(top.section("deploy", required=True), place),
        triggers=read_triggers(top.section("triggers"), data, place.environment),
        batch=_batch(top.section("batch"), place) if top.child("batch") is not None else None,
    )


def _data(section: Section, place: Place) -> DataSettings:
    source = section.text("source", allowed="a file or folder of the pipeline's folder, or s3://bucket/prefix")
    if source:
        source = check_data(DataPath(source, place.folder), lambda message: section.problem("source", message))
    section.finish()
    return DataSettings(source)


def _job(section: Section, place: Place, purpose: Purpose) -> dict[str, Any]:
    limits = place.limits
    script = section.text("script", allowed="a Python file of the pipeline's folder")
    if script:
        check_script(place.folder, script, lambda message: section.problem("script", message))
    return {
        "script": script,
        "instance": read_instance(section, purpose, place),
        "instance_count": _one_instance(section),
        "volume_gib": section.integer(
            "volume_gib", 10, most=limits.max_volume_gib if limits else 16_384, whose=place.whose("max_volume_gib")
        ),
        "max_runtime_seconds": section.integer(
            "max_runtime_seconds",
            min(3600, limits.max_runtime_seconds) if limits else 3600,
            most=limits.max_runtime_seconds if limits else 432_000,
            whose=place.whose("max_runtime_seconds"),
        ),
    }


def _one_instance(section: Section) -> int:
    """More than one would give each machine all the data: sharding and distributed training are not built."""
    count = section.integer("instance_count", 1)
    if count > 1:
        section.problem("instance_count", f"is {count}; a job on several machines is not supported yet; it must be 1.")
    return 1


def _processing(section: Section, place: Place) -> ProcessingSettings:
    job = _job(section, place, "processing")
    arguments = read_arguments(section)
    section.finish()
    return ProcessingSettings(**job, arguments=arguments)


def _training(section: Section, place: Place) -> TrainingSettings:
    section.not_yet = _TRAIN_NOT_YET
    custom = [key for key in ("algorithm", "image", "dockerfile") if section.has(key)]
    framework = section.choice("framework", FRAMEWORKS, FRAMEWORKS[0] if custom else None, not_yet=FRAMEWORKS_NOT_YET)
    version = section.text("version", "" if custom else None, allowed='a version in quotes, like "1.9-0"')
    problem = version_problem(framework, version) if version else None
    if problem:
        section.problem("version", problem)
        version = ""
    job = _job(section, place, "training")
    hyperparameters = read_hyperparameters(section.section("hyperparameters"))
    section.finish()
    return TrainingSettings(**job, framework=framework, version=version, hyperparameters=hyperparameters)


def _gate(top: Section) -> tuple[GateClause, ...]:
    clauses = []
    nodes = top.items("gate")
    if len(nodes) > MAX_GATE:
        top.problem("gate", f"has {len(nodes)} clauses; it must have at most {MAX_GATE}.")
    for index, node in enumerate(nodes):
        clause = _clause(top, f"gate[{index}]", node)
        if clause:
            clauses.append(clause)
    return tuple(clauses)


def _clause(top: Section, key: str, node: Node) -> GateClause | None:
    if not isinstance(node.value, str):
        top.problem(key, f'is {shown(node.value)}; it must be a text like "accuracy >= 0.8".', node.line)
        return None
    try:
        return parse_clause(node.value)
    except GateSyntaxError as error:
        top.problem(key, str(error), node.line)
        return None


def _batch(section: Section, place: Place) -> BatchSettings:
    found = BatchSettings(
        instance=read_instance(section, "transform", place),
        instance_count=section.integer(
            "instance_count", 1, most=place.max_instance_count, whose=place.whose("max_instance_count")
        ),
        max_runtime_seconds=section.integer(
            "max_runtime_seconds",
            3600,
            most=place.limits.max_runtime_seconds if place.limits else 432_000,
            whose=place.whose("max_runtime_seconds"),
        ),
    )
    section.finish()
    return found


def _machines(settings: PipelineSettings) -> list[tuple[str, str | None]]:
    """The sections that name an instance type of a framework's image, each with it."""
    found = [(step, getattr(settings, step).instance) for step in ("process", "train", "evaluate", "deploy")]
    main = settings.deploy.instance
    others = [each.instance for each in settings.deploy.variants if each.instance != main]
    return [
        *found,
        *(("deploy", each) for each in others),
        ("batch", settings.batch.instance if settings.batch else None),
    ]


def _check_own_image(top: Section, settings: PipelineSettings) -> None:
    """See that there is an image of our own for a model that no other may serve."""
    serve, framework, version = settings.deploy.serve, settings.train.framework, settings.train.version
    ours = OWN_IMAGES.get(framework, ())
    if not version or version in ours or serve not in ("onnx", "python"):
        return
    have = f"there is one for {framework} {names(ours, 'or')}" if ours else f"there is none for {framework}"
    reason = f"is {serve}, which needs an image of our own, and the model is one of {framework} {version}: {have}"
    top.section("deploy").problem("serve", f"{reason}; write framework, or auto, which takes AWS's image then.")


def _check_images(top: Section, settings: PipelineSettings, environment: EnvironmentSettings | None) -> None:
    """See that AWS has the framework's image for each machine, and in the environment's region."""
    framework, version = settings.train.framework, settings.train.version
    if not version:
        return
    for step, instance in _machines(settings):
        problem = image_problem(framework, version, instance) if instance else None
        if problem:
            top.section(step).problem("instance", problem)
    regions = image_regions(framework, version)
    if environment and environment.region and environment.region not in regions:
        near = nearest(environment.region, regions)
        hint = f" The nearest region that has it is {near[0]}." if near else ""
        top.section("train").problem(
            "version",
            f"is {version!r}; AWS has no image of it in {environment.region}, the environment's region.{hint}",
        )
