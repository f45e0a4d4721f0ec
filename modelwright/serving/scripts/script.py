"""A user's inference script: imported, its functions found and checked before anything is served.

The functions and their arguments are AWS's:
https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html#deploy-a-scikit-learn-model
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import names
from modelwright.serving.problems import ScriptError, last_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

    from modelwright.serving.scripts.context import Context

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "model_fn": ("model_dir",),
    "input_fn": ("body", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "body", "content_type", "accept"),
    "warm_up_fn": ("model",),
}
CONTEXT_NAMES = frozenset({"context", "ctx", "_context"})


@dataclass(frozen=True)
class Function:
    """One function of the script, called with the context if it takes one."""

    name: str
    call: Callable[..., Any]
    takes_context: bool

    def __call__(self, *arguments: Any, context: Context) -> Any:
        """Call it with its arguments in AWS's order."""
        return self.call(*arguments, context) if self.takes_context else self.call(*arguments)


@dataclass(frozen=True)
class Script:
    """What a script offers. Either `transform_fn` or any of the other three; what is None has a default."""

    model_fn: Function
    input_fn: Function | None = None
    predict_fn: Function | None = None
    output_fn: Function | None = None
    transform_fn: Function | None = None
    warm_up_fn: Function | None = None
    """called with the model before the first request is taken: not AWS's, whose containers do not call it"""
    batch: bool = False
    """whether requests that come together may be predicted in one call, as it says with `BATCH = True`"""
    content_types: tuple[str, ...] | None = None
    """what it takes, if it says so in CONTENT_TYPES"""
    accept_types: tuple[str, ...] | None = None
    """what it answers in, if it says so in ACCEPT_TYPES"""
    execution_parameters: Mapping[str, Any] | None = None
    """the answer of `/execution-parameters`, if it has EXECUTION_PARAMETERS"""


def load_script(code: Path, program: str) -> Script:
    """Import `program` from the folder `code`, which goes first on sys.path, and check its functions.

    Raises ScriptError when the file is missing or cannot be imported, when `model_fn` is missing, when `transform_fn`
    stands beside one that it replaces, or when a function takes arguments that it would not be given.
    """
    path = _script_path(code, program)
    sys.path.insert(0, str(code))
    module = _import(path)
    found = {name: _function(module, name) for name in ARGUMENTS}
    _check_together(found, path.name)
    return Script(
        model_fn=found["model_fn"],  # type: ignore[arg-type]  # _check_together refuses None
        input_fn=found["input_fn"],
        predict_fn=found["predict_fn"],
        output_fn=found["output_fn"],
        transform_fn=found["transform_fn"],
        warm_up_fn=found["warm_up_fn"],
        batch=_batch(module, found),
        content_types=_types(module, "CONTENT_TYPES"),
        accept_types=_types(module, "ACCEPT_TYPES"),
        execution_parameters=_execution_parameters(module),
    )


def _script_path(code: Path, program: str) -> Path:
    name = program if program.endswith(".py") else f"{program}.py"
    path = (code / name).resolve()
    if not path.is_relative_to(code.resolve()):
        raise ScriptError(f"SAGEMAKER_PROGRAM is {program!r}; it must name a script inside code/.")
    if path.is_file():
        return path
    if not code.is_dir():
        raise ScriptError(f"The model archive has no folder code/, so there is no {name} with a model_fn in it.")
    there = sorted(entry.name for entry in code.iterdir())
    raise ScriptError(f"There is no code/{name} in the model archive; code/ has {names(there) or 'nothing'}.")


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ScriptError(f"code/{path.name} is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # a pickle may name classes of the script
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        traceback.print_exc()
        raise ScriptError(f"code/{path.name} cannot be imported: {last_line(error)}{_line(error, path)}") from error
    return module


def _line(error: BaseException, path: Path) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f" (line {frames[-1].lineno})" if frames else ""


def _function(module: ModuleType, name: str) -> Function | None:
    found = getattr(module, name, None)
    if found is None:
        return None
    if not callable(found):
        raise ScriptError(f"{name} must be a function; found {type(found).__name__}.")
    if inspect.iscoroutinefunction(found):
        raise ScriptError(f"{name} is async; SageMaker calls it as a plain function: write `def {name}`.")
    return Function(name, found, _takes_context(name, found))


def _takes_context(name: str, function: Callable[..., Any]) -> bool:
    """Decide by the signature: one required argument more, or an optional one that is called `context`."""
    expected = ARGUMENTS[name]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin tells nothing about itself
        return False
    places = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    one_more = places[len(expected)] if len(places) > len(expected) else None
    with_context = one_more is not None and (one_more.default is one_more.empty or one_more.name in CONTEXT_NAMES)
    try:
        signature.bind(*expected, *(["context"] if with_context else []))
    except TypeError as error:
        wanted = f"{name}({', '.join(expected)}[, context])"
        raise ScriptError(f"{name}{signature} cannot be called as {wanted}: {error}.") from None
    return with_context


def _check_together(found: Mapping[str, Function | None], script: str) -> None:
    if found["model_fn"] is None:
        raise ScriptError(
            f"code/{script} has no model_fn; it must have `def model_fn(model_dir)` that loads the model."
        )
    beside = [name for name in ("input_fn", "predict_fn", "output_fn") if found[name] is not None]
    if found["transform_fn"] is not None and beside:
        raise ScriptError(f"code/{script} has transform_fn beside {names(beside)}, which it replaces; keep one way.")


def _types(module: ModuleType, name: str) -> tuple[str, ...] | None:
    found = getattr(module, name, None)
    if found is None:
        return None
    if isinstance(found, str) or not all(isinstance(item, str) for item in found) or not found:
        raise ScriptError(f"{name} must be a list of media types; found {found!r}.")
    return tuple(item.lower() for item in found)


def _batch(module: ModuleType, found: Mapping[str, Function | None]) -> bool:
    batch = getattr(module, "BATCH", False)
    if not isinstance(batch, bool):
        raise ScriptError(f"BATCH must be True or False; found {batch!r}.")
    if batch and found["transform_fn"] is not None:
        raise ScriptError(
            "BATCH is True, but transform_fn answers one request; use input_fn, predict_fn and output_fn."
        )
    predict = found["predict_fn"]
    if batch and predict is not None and predict.takes_context:
        raise ScriptError("BATCH is True, but predict_fn takes the context of one request; take it in output_fn.")
    return batch


def _execution_parameters(module: ModuleType) -> Mapping[str, Any] | None:
    found = getattr(module, "EXECUTION_PARAMETERS", None)
    if found is not None and not isinstance(found, dict):
        raise ScriptError(f"EXECUTION_PARAMETERS must be a dict; found {type(found).__name__}.")
    return found
