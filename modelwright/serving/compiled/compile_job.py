"""`python -m modelwright.serving.compiled.compile_job`: the processing job of the state `ConvertModel`, which compiles
a model.

It always leaves `report.json`, which says what the model is served as and why; `schema.json`, when the model's columns
could be learnt; and, of a model that was converted and answers the same, `model.tar.gz`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
import tarfile
import tempfile
import traceback
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.serving.compiled.conversion import Refused
from modelwright.serving.compiled.convert import REPORT_FILE, Source, convert
from modelwright.serving.compiled.model import MODEL_FILE
from modelwright.serving.problems import LoadError, StartupError, last_line
from modelwright.serving.schema import FILE as SCHEMA_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path("/opt/ml/processing")
ARCHIVE = "model.tar.gz"
VERSION = 1
MAX_REASON = 1000


@dataclass(frozen=True)
class Result:
    """What became of the model."""

    reason: str
    """Why it is served by its script; empty when it was compiled."""
    conversion: Mapping[str, Any] | None
    """What was compared, and how large the model is."""
    loaded: bool = True
    """Whether the script and its model could be loaded; else our own image cannot serve them either."""

    @property
    def serve(self) -> str:
        """What can serve the model, as far as this job knows."""
        if not self.reason:
            return "onnx"
        return "python" if self.loaded else "framework"


def run(root: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Compile the model under `root`, leave the files in its `compiled/`, and return the report."""
    target = root / "compiled"
    target.mkdir(parents=True, exist_ok=True)
    source = Source(
        archive=root / "model" / ARCHIVE,
        sha256=environment["MODELWRIGHT_MODEL_SHA256"],
        train=root / "train",
        test=root / "test",
        program=environment.get("SAGEMAKER_PROGRAM") or "inference.py",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = _compile(source, folder)
        archive = None if result.reason else _pack(folder, target / ARCHIVE)
        schema = folder / SCHEMA_FILE
        if schema.is_file():
            (target / SCHEMA_FILE).write_bytes(schema.read_bytes())
    report = {
        "version": VERSION,
        "serve": result.serve,
        "reason": result.reason,
        "python_sha256": source.sha256,
        "archive": archive,
        "schema": (target / SCHEMA_FILE).is_file(),
        "conversion": result.conversion,
    }
    (target / REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return report


def _compile(source: Source, folder: Path) -> Result:
    """Convert into `folder`. Whatever the model or its script raises is a reason to serve it by its script."""
    loaded = True
    try:
        with redirect_stdout(sys.stderr), warnings.catch_warnings():  # what a script prints is not the report
            warnings.simplefilter("ignore")
            return Result("", convert(source, folder, timed=False))
    except LoadError as error:
        reason, loaded = str(error), False
    except (Refused, StartupError) as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 # as the docstring says; the log has the traceback
        traceback.print_exc()
        reason = f"The conversion failed: {last_line(error)}"
    return Result(reason[:MAX_REASON], None, loaded)


def _pack(folder: Path, target: Path) -> dict[str, Any]:
    """Write the archive, the same bytes for the same files, and return its hash and size."""
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as out,
    ):
        for name in sorted((MODEL_FILE, SCHEMA_FILE, REPORT_FILE)):
            header = tarfile.TarInfo(name)
            header.size, header.mode = (folder / name).stat().st_size, 0o644
            with (folder / name).open("rb") as content:
                out.addfile(header, content)
    with target.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return {"sha256": digest, "bytes": target.stat().st_size}


def main() -> int:
    """Do it; the report is also the log's last line."""
    report = run(ROOT, os.environ)
    print(json.dumps(report))  # noqa: T201 # the job's log
    return 0


if __name__ == "__main__":
    sys.exit(main())
