"""Runs in a function's own process: imports the handler, then answers one invocation after the other.

The other side is `sandbox.py`; between them goes `processes/wire.py` over descriptor 3. What a handler sees is what
AWS's Python runtime gives it: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import socket
import sys
import time
import traceback
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from modelwright.local.functions.context import Context
from modelwright.local.processes import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

CHANNEL = 3
END_OF_OUTPUT = "\0modelwright: end of output "
"""written to the output when an invocation is over, so that its lines are known to be complete"""


class InitError(Exception):
    """The handler cannot be found or imported."""

    def __init__(self, kind: str, message: str, trace: list[str]) -> None:
        super().__init__(message)
        self.answer = {"errorType": kind, "errorMessage": message, "stackTrace": trace}


def main() -> None:
    """Import the handler, say so, and serve until the other side is gone."""
    channel = socket.socket(fileno=CHANNEL)
    os.set_inheritable(CHANNEL, False)
    log = _install_logging()
    try:
        handler = load(os.environ["_HANDLER"], os.environ["LAMBDA_TASK_ROOT"])
    except InitError as error:
        print(f"[ERROR] {error.answer['errorType']}: {error}")  # noqa: T201 - a function's log is its output
        _finish(channel, {"init_error": error.answer}, "init")
        return
    _finish(channel, {"ready": True}, "init")
    while True:
        try:
            request, _ = wire.receive(channel)
        except (wire.Closed, OSError):
            return
        log.request_id = request["request_id"]
        _finish(channel, invoke(handler, request), request["request_id"])


def load(handler: str, root: str) -> Callable[[Any, Any], Any]:
    """Return the function that `module.function` names, imported from the code's folder. Raises InitError."""
    module_name, dot, name = handler.replace("/", ".").rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack", [])
    _prefer(root)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise InitError("Runtime.ImportModuleError", message, _trace(error.__traceback__)) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise InitError("Runtime.UserCodeSyntaxError", message, _trace(error.__traceback__)) from error
    except Exception as error:
        raise InitError(type(error).__name__, str(error), _trace(error.__traceback__)) from error
    if not hasattr(module, name):
        raise InitError("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'", [])
    function: Callable[[Any, Any], Any] = getattr(module, name)
    return function


def _prefer(root: str) -> None:
    """Be in the code's folder, and import what it holds from there, even what this process has imported already.

    On AWS the code's folder is the first that is searched, and the working directory. A function that carries
    packages (modelwright itself, PyYAML) must not get this machine's: what is missing there would be found here.
    https://docs.aws.amazon.com/lambda/latest/dg/python-image.html (the search path)
    """
    os.chdir(root)
    sys.path.insert(0, root)
    own = {entry.name.removesuffix(".py") for entry in os.scandir(root)}
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        del sys.modules[name]


def invoke(handler: Callable[[Any, Any], Any], request: dict[str, Any]) -> dict[str, Any]:
    """Call the handler once; the answer holds `result` (JSON text) or `error` (AWS's error object)."""
    context = Context(
        aws_request_id=request["request_id"],
        invoked_function_arn=request["arn"],
        deadline=request["deadline"],
        client_context=request.get("client_context"),
    )
    try:
        result = handler(json.loads(request["event"]), context)
    except Exception as error:  # noqa: BLE001 - whatever the function raises is its answer
        return {"error": _error(error, request["request_id"])}
    try:
        return {"result": json.dumps(result, ensure_ascii=False, default=_plain)}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return {
            "error": {
                "errorMessage": message,
                "errorType": "Runtime.MarshalError",
                "requestId": request["request_id"],
                "stackTrace": [],
            }
        }


def _error(error: Exception, request_id: str) -> dict[str, Any]:
    trace = _trace(error.__traceback__)
    kind = type(error).__name__
    print(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n{''.join(trace)}", end="")  # noqa: T201
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _trace(trace: TracebackType | None) -> list[str]:
    frames = [frame for frame in traceback.extract_tb(trace) if not _is_ours(frame.filename)]
    return traceback.format_list(frames)


def _is_ours(file: str) -> bool:
    return file == __file__ or "importlib" in file


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _finish(channel: socket.socket, answer: dict[str, Any], request_id: str) -> None:
    """Close the output of this invocation, then answer."""
    sys.stderr.flush()
    sys.stdout.write(f"{END_OF_OUTPUT}{request_id}\n")
    sys.stdout.flush()
    unit = 1 if sys.platform == "darwin" else 1024
    wire.send(channel, {**answer, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit})


class _LogFilter(logging.Filter):
    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def _install_logging() -> _LogFilter:
    """The root logger writes as in AWS's runtime; a handler's own `setLevel` decides what."""
    added = _LogFilter()
    writer = logging.StreamHandler(sys.stdout)
    form = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    form.converter = time.gmtime
    writer.setFormatter(form)
    writer.addFilter(added)
    logging.getLogger().addHandler(writer)
    return added


if __name__ == "__main__":
    main()
