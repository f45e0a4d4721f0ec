"""The files that a `pipeline.yaml` names: whether they are there, inside the folder, and of a usable kind."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelwright.errors import names, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Report = Callable[[str], None]

MAX_SMOKE_TEST_BYTES = 64 * 1024
MAX_HOOK_BYTES = 1024 * 1024
HOOK_FUNCTION = "preprocess"
CONTENT_TYPES = {".csv": "text/csv", ".json": "application/json"}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/(?P<key>[^\s]*))?")
# Roles, rules and their descriptions are made of a source in S3. In a policy `*`, `?` and `${` mean something else, and
# what is beyond Latin-1 is refused; a rule's description has 512 characters, its pattern, with the prefix twice, 2048.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
_WATCHED = re.compile(r"[A-Za-z0-9!_.'()/&@=;:+,~-]")
MAX_SOURCE_KEY = 256


@dataclass(frozen=True)
class DataPath:
    """What `data.source` says, and the folder that it says it in."""

    source: str
    folder: Path


def s3_uri_problem(uri: str) -> str | None:
    """Return what is wrong with an address in S3, as the rest of a sentence; None when nothing is."""
    found = _S3.fullmatch(uri)
    if not found:
        return f"is {uri!r}; it must be s3://bucket/prefix."
    if not found["key"]:
        return f"is {uri!r}, a whole bucket; it must name a prefix or an object: s3://bucket/prefix/."
    return None


def _prefix_problem(uri: str) -> str | None:
    """Return what is wrong with a source in S3 that a template is made of."""
    key = uri.removeprefix("s3://").partition("/")[2]
    if len(key) > MAX_SOURCE_KEY:
        return f"is {uri!r}, which has {len(key)} characters after the bucket; at most {MAX_SOURCE_KEY} are possible."
    strange = dict.fromkeys(character for character in key if not _WATCHED.fullmatch(character))
    if not strange:
        return None
    allowed = (
        "roles and rules are made of the prefix, which may hold letters, digits and ! _ . ' ( ) / & @ = ; : + , ~ -"
    )
    return f"is {uri!r}, which has {names([repr(each) for each in strange])}; {allowed}."


def content_type(path: str) -> str:
    """Return the content type of a smoke test's file."""
    return CONTENT_TYPES[PurePosixPath(path).suffix.lower()]


def check_data(data: DataPath, report: Report) -> str:
    """Report what is wrong with a data source; return it in its plain form (`data/x.csv` for `./data//x.csv`)."""
    if "://" in data.source or data.source.startswith("s3:"):
        problem = s3_uri_problem(data.source) or _prefix_problem(data.source)
        if problem:
            report(problem)
        return data.source
    found = _inside(data.folder, data.source, report)
    if found is None:
        return data.source
    if found.is_dir() and not any(path.is_file() for path in found.rglob("*")):
        report(f"is {data.source!r}, a folder without a file.")
    elif found.is_file() and not found.stat().st_size:
        report(f"is {data.source!r}, an empty file.")
    plain = os.path.normpath(data.source)
    if plain == ".":
        report(f"is {data.source!r}, the whole folder; put the data into a folder of its own.")
    return PurePosixPath(plain).as_posix()


def check_script(folder: Path, script: str, report: Report) -> None:
    """Report what is wrong with a script's name: it must be a `.py` file that lies in `folder` itself."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.py", script):
        report(f"is {script!r}; it must be a Python file (.py) directly in the pipeline's folder.")
        return
    found = _inside(folder, script, report)
    if found is not None and not found.is_file():
        report(f"is {script!r}, which is no file.")


def check_hook(folder: Path, script: str, report: Report) -> None:
    """Report what is wrong with the file that prepares rows: callers of the API would be the first to find out."""
    wrong: list[str] = []
    check_script(folder, script, wrong.append)
    for message in wrong:
        report(message)
    if wrong:
        return
    content = (folder / script).read_bytes()
    if len(content) > MAX_HOOK_BYTES:
        report(f"is {script!r} with {len(content)} bytes; it must have at most {MAX_HOOK_BYTES}.")
        return
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError) as error:
        report(f"is {script!r}, which is not Python: {error}.")
        return
    if HOOK_FUNCTION not in set(_names_at_the_top(tree)):
        report(f"is {script!r}, which has no function {HOOK_FUNCTION}(rows).")


def _names_at_the_top(tree: ast.Module) -> Iterator[str]:
    """Every name that the module could define outside of functions and classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        else:
            yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
            yield from (part.asname or part.name for part in ast.walk(node) if isinstance(part, ast.alias))
            yield from (part.name for part in ast.walk(node) if isinstance(part, ast.FunctionDef))


def check_smoke_test(folder: Path, name: str, report: Report) -> None:
    """Report what is wrong with the file that is sent to a new endpoint."""
    found = _inside(folder, name, report)
    if found is None:
        return
    if found.suffix.lower() not in CONTENT_TYPES:
        report(f"is {name!r}; it must be a .csv or a .json file.")
    elif not found.is_file():
        report(f"is {name!r}, which is no file.")
    elif not 0 < found.stat().st_size <= MAX_SMOKE_TEST_BYTES:
        report(f"is {name!r} with {found.stat().st_size} bytes; it must have 1 to {MAX_SMOKE_TEST_BYTES}.")


def _inside(folder: Path, name: str, report: Report) -> Path | None:
    """Return the path of `name` if it exists inside `folder`, links followed; else report and return None."""
    if "\x00" in name or "\\" in name or PurePosixPath(name).is_absolute():
        report(f"is {name!r}; it must be a path relative to the pipeline's folder, with forward slashes.")
        return None
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        report(f"is {name!r}, which is outside the pipeline's folder; it must be inside.")
        return None
    if not path.exists():
        report(f"is {name!r}, which does not exist{_near(folder, path)}")
        return None
    return path


def _near(folder: Path, path: Path) -> str:
    parent = path.parent if path.parent.is_dir() else folder
    found = nearest(path.name, [sibling.name for sibling in parent.iterdir()])
    return f"; did you mean {(parent / found[0]).relative_to(folder).as_posix()}?" if found else "."
