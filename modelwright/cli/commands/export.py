"""`modelwright export`: the model that serves, or without an endpoint the newest, for elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.cli.platform import add_place, platform, read_project
from modelwright.client.models.export import check_target, export
from modelwright.errors import NotSupported

if TYPE_CHECKING:
    import argparse

_FROM_THE_JOB = "`modelwright show RUN TrainModel` tells where a run's model.tar.gz is."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument("--to", choices=["onnx"], required=True, help="the format")
    parser.add_argument("--output", type=Path, metavar="DIR", help="the folder to write (default: PIPELINE-onnx)")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    project = read_project(args)
    kind = project.pipeline(args.pipeline).deploy.endpoint
    if kind == "multi-model":
        why = "an export is of one model, and here there are several."
        raise NotSupported(f"{args.pipeline} has deploy.endpoint {kind}: {why}", _FROM_THE_JOB)
    target = args.output or Path(f"{args.pipeline}-{args.to}")
    check_target(target)
    services = ("cloudformation", "dynamodb", "sagemaker", "s3")
    with platform(args, project, services=services) as place:
        report = export(place.session, place.deployment(args.pipeline), target.resolve(), kind)
    print("\n".join(_lines(report, target, kind)))
    return 0


def _lines(report: dict[str, Any], target: Path, kind: str) -> list[str]:
    files = "the registered files" if kind == "none" else "the files that serve"
    lines = [f"{target}: model.onnx ({report['bytes']:,} bytes), schema.json, report.json of run {report['run']}"]
    if report["deployed"]:
        lines.append(f"  {files}: from the archive with SHA-256 {report['deployed']}")
    lines.append(
        f"  hold-out of {report['holdout_rows']} rows: same labels, at most {report['largest_difference']:.1e} apart"
        + _accuracy(report.get("accuracy"))
    )
    if "microseconds_per_row" in report:
        python, onnx = (report["microseconds_per_row"][which] for which in ("python", "onnx"))
        times = [f"{rows} rows {onnx[rows]:,} us a row (Python {python[rows]:,})" for rows in onnx]
        lines.append(f"  {'; '.join(times).replace('1 rows', '1 row', 1)}")
    return [*lines, f"serve it: python -m modelwright.serving --model-dir {target} --port 8080"]


def _accuracy(found: dict[str, Any] | None) -> str:
    return "" if found is None else f"; {found['column']} right in {found['onnx']:.2%} (Python {found['python']:.2%})"
