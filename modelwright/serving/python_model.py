"""The Python path: a request goes through the user's own functions, or through the defaults where there are none."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.serving import media
from modelwright.serving.context import Context
from modelwright.serving.defaults import INPUT_TYPES, OUTPUT_TYPES, default_input, default_output, default_predict
from modelwright.serving.model import Answer, Request
from modelwright.serving.problems import RequestError, StartupError, last_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelwright.serving.script import Function, Script

SCRIPT_FAULTS = (NameError, ImportError, OSError, MemoryError, RuntimeError, AssertionError)
"""Errors of `input_fn` that no body of a caller explains: 500. All others: 400."""
UNSUPPORTED_WORDS = ("support", "content type", "content-type", "media type", "mime", "accept")


@dataclass(frozen=True)
class Prepared:
    """A request whose headers are understood and whose body is text where the type is text."""

    body: str | bytes
    content_type: str
    accepts: list[str]
    context: Context


class PythonModel:
    """A script and the model that its `model_fn` has loaded."""

    inline = False  # nobody knows what a script does, and how long

    def __init__(self, script: Script, model: Any, model_dir: Path, default_accept: str = media.JSON) -> None:
        """Serve `model` with the functions of `script`."""
        self._script = script
        self._model = model
        self._model_dir = str(model_dir)
        self._default_accept = default_accept
        self.execution_parameters = script.execution_parameters
        own_input = script.input_fn or script.transform_fn
        own_output = script.output_fn or script.transform_fn
        self._content_types = script.content_types or (None if own_input else INPUT_TYPES)
        self._accept_types = script.accept_types or (None if own_output else OUTPUT_TYPES)

    @property
    def loaded(self) -> Any:
        """What the script's `model_fn` gave."""
        return self._model

    def prepare(self, request: Request) -> Prepared:
        """Understand the headers: RequestError 400, 406 or 415."""
        content_type = media.parse_media_type(request.headers.get("content-type") or media.JSON)
        if self._content_types is not None and content_type.name not in self._content_types:
            allowed = ", ".join(self._content_types)
            raise RequestError(
                415, "UnsupportedMediaType", f"Content-Type is {content_type.name!r}; this model takes {allowed}."
            )
        accepts = media.candidates(request.headers.get("accept", ""), self._accept_types, self._default_accept)
        if not request.body:
            raise RequestError(400, "BadRequest", "The body is empty.")
        is_text = content_type.name in media.TEXT_TYPES
        body = media.decode(request.body, content_type) if is_text else request.body
        context = Context(
            self._model_dir, request.request_id, content_type.name, content_type.parameters, accepts[0], request.headers
        )
        return Prepared(body, content_type.name, accepts, context)

    def run(self, prepared: Prepared) -> Answer:
        """Predict with the user's functions; the first accepted type that they can answer in is taken."""
        script = self._script
        if script.transform_fn is not None:
            return self._first_accepted(prepared, self._transform)
        if script.input_fn is None:
            data = default_input(prepared.body, prepared.content_type)
        else:
            arguments = (prepared.body, prepared.content_type)
            data = _guarded(script.input_fn, arguments, prepared.context, prepared.content_type)
        prediction = self._predict(data, prepared.context)
        return self._first_accepted(prepared, lambda _, accept: self._output(prediction, accept, prepared.context))

    def _predict(self, data: Any, context: Context) -> Any:
        if self._script.predict_fn is not None:
            return _guarded(self._script.predict_fn, (data, self._model), context)
        try:
            return default_predict(data, self._model)
        except (Exception, SystemExit) as error:
            raise _failed("predict", error) from error

    def _output(self, prediction: Any, accept: str, context: Context) -> Any:
        if self._script.output_fn is not None:
            return _guarded(self._script.output_fn, (prediction, accept), context, accept)
        try:
            return default_output(prediction, accept)
        except RequestError:
            raise
        except Exception as error:
            raise _failed("output", error) from error

    def _transform(self, prepared: Prepared, accept: str) -> Any:
        function = self._script.transform_fn
        assert function is not None  # noqa: S101  # run() looked
        arguments = (self._model, prepared.body, prepared.content_type, accept)
        return _guarded(function, arguments, prepared.context, prepared.content_type, accept)

    def _first_accepted(self, prepared: Prepared, answer: Callable[[Prepared, str], Any]) -> Answer:
        refused: RequestError | None = None
        for accept in prepared.accepts:
            try:
                return _answer(answer(prepared, accept), accept)
            except RequestError as error:
                if error.status != 406:
                    raise
                refused = refused or error
        assert refused is not None  # noqa: S101  # there is at least one accepted type
        raise refused


def load_model(script: Script, model_dir: Path, default_accept: str = media.JSON) -> PythonModel:
    """Call the script's `model_fn`; StartupError with its last line when it fails."""
    try:
        model = script.model_fn(str(model_dir), context=Context(str(model_dir)))
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise StartupError(f"model_fn failed: {last_line(error)}") from error
    return PythonModel(script, model, model_dir, default_accept)


def _guarded(function: Function, arguments: tuple[Any, ...], context: Context, *types: str) -> Any:
    """Call a function of the script; what it raises becomes a RequestError. `types` are its media types."""
    try:
        return function(*arguments, context=context)
    except RequestError:
        raise
    except (Exception, SystemExit) as error:
        raise as_request_error(function, error, types) from error


def as_request_error(function: Function, error: BaseException, types: tuple[str, ...] = ()) -> RequestError:
    """Decide whose fault an error of a script's function is, and with it the status.

    - An exception with an integer attribute `status` chooses for itself.
    - One that names the media type that it was handed, and says that it is not supported, as AWS's sample scripts do:
      415 for the type of the body, 406 for the accepted one.
    - Any error of `input_fn`, which sees nothing but the body: 400, unless it is of the kinds that no body explains.
    - A ValueError that the script itself raises anywhere (`raise ValueError("the column x is missing")`): 400.
    - All others: 500, with the traceback in the log.
    """
    status = getattr(error, "status", None)
    if isinstance(status, int) and 400 <= status <= 599:
        return RequestError(status, type(error).__name__, str(error) or last_line(error))
    text = str(error)
    named = [place for place, media_type in enumerate(types) if media_type in text]
    if named and any(word in text.lower() for word in UNSUPPORTED_WORDS):
        is_body = function.name == "input_fn" or (function.name == "transform_fn" and named[0] == 0)
        return RequestError(*((415, "UnsupportedMediaType") if is_body else (406, "NotAcceptable")), text)
    of_body = function.name == "input_fn" and not isinstance(error, (*SCRIPT_FAULTS, SystemExit))
    if of_body or (isinstance(error, ValueError) and _raised_in(function, error)):
        return RequestError(400, "BadRequest", f"{function.name}: {last_line(error)}")
    return _failed(function.name, error)


def _raised_in(function: Function, error: BaseException) -> bool:
    """Say whether the script's own file raised it, and not a library that it called."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(function.call, "__code__", None)
    return bool(frames) and code is not None and frames[-1].filename == code.co_filename


def _failed(name: str, error: BaseException) -> RequestError:
    traceback.print_exception(error)
    return RequestError(500, "ModelError", f"{name}: {last_line(error)}")


def _answer(output: Any, accept: str) -> Answer:
    body, content_type = output if isinstance(output, tuple) and len(output) == 2 else (output, accept)
    if isinstance(body, str):
        return Answer(body.encode(), str(content_type))
    if isinstance(body, (bytes, bytearray, memoryview)):
        return Answer(bytes(body), str(content_type))
    raise RequestError(
        500, "ModelError", f"The answer must be str or bytes, or (body, content type); found {type(body).__name__}."
    )
