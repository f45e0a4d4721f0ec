"""The Python path: a request goes through the user's own functions, or through the defaults where there are none."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from modelwright.serving.http import media
from modelwright.serving.model import Answer, Request
from modelwright.serving.problems import Interrupted, RequestError, StartupError, last_line
from modelwright.serving.scripts.context import Context
from modelwright.serving.scripts.defaults import (
    INPUT_TYPES,
    OUTPUT_TYPES,
    default_input,
    default_output,
    default_predict,
)
from modelwright.serving.scripts.faults import as_request_error, failed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelwright.serving.scripts.script import Function, Script

HEADERS_KEPT = 64
"""pairs of Content-Type and Accept whose meaning is kept: clients send the same ones"""


@dataclass(frozen=True)
class Prepared:
    """A request whose headers are understood and whose body is text where the type is text."""

    body: str | bytes
    content_type: str
    accepts: tuple[str, ...]
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
        self.gathers = script.batch
        own_input = script.input_fn or script.transform_fn
        own_output = script.output_fn or script.transform_fn
        self._content_types = script.content_types or (None if own_input else INPUT_TYPES)
        self._accept_types = script.accept_types or (None if own_output else OUTPUT_TYPES)
        self._understood = lru_cache(HEADERS_KEPT)(self._understand)

    @property
    def loaded(self) -> Any:
        """What the script's `model_fn` gave."""
        return self._model

    def prepare(self, request: Request) -> Prepared:
        """Understand the headers: RequestError 400, 406 or 415."""
        headers = request.headers
        content_type, accepts = self._understood(headers.get("content-type") or media.JSON, headers.get("accept", ""))
        if not request.body:
            raise RequestError(400, "BadRequest", "The body is empty.")
        is_text = content_type.name in media.TEXT_TYPES
        body = media.decode(request.body, content_type) if is_text else request.body
        mine = dict(content_type.parameters)  # the others' is kept
        context = Context(self._model_dir, request.request_id, content_type.name, mine, accepts[0], headers)
        return Prepared(body, content_type.name, accepts, context)

    def _understand(self, header: str, accept: str) -> tuple[media.MediaType, tuple[str, ...]]:
        content_type = media.parse_media_type(header)
        if self._content_types is not None and content_type.name not in self._content_types:
            allowed = ", ".join(self._content_types)
            raise RequestError(
                415, "UnsupportedMediaType", f"Content-Type is {content_type.name!r}; this model takes {allowed}."
            )
        return content_type, tuple(media.candidates(accept, self._accept_types, self._default_accept))

    def warm_up(self) -> None:
        """Call the script's `warm_up_fn`, if it has one; StartupError with its last line when it fails."""
        if self._script.warm_up_fn is not None:
            _starting(self._script.warm_up_fn, self._model, context=Context(self._model_dir))

    def run(self, prepared: Prepared) -> Answer:
        """Predict with the user's functions; the first accepted type that they can answer in is taken."""
        if self._script.transform_fn is not None:
            return self._first_accepted(prepared, self._transform)
        return self.write(self.predict(self.read(prepared), prepared), prepared)

    def size(self, prepared: Prepared) -> int:
        """Return how long the body is."""
        return len(prepared.body)

    def read(self, prepared: Prepared) -> Any:
        """Return what `input_fn` makes of the body; RequestError."""
        if self._script.input_fn is None:
            return default_input(prepared.body, prepared.content_type)
        arguments = (prepared.body, prepared.content_type)
        return _guarded(self._script.input_fn, arguments, prepared.context, prepared.content_type)

    def predict(self, rows: Any, prepared: Prepared) -> Any:
        """Return what `predict_fn` makes of it; RequestError."""
        if self._script.predict_fn is not None:
            return _guarded(self._script.predict_fn, (rows, self._model), prepared.context)
        try:
            return default_predict(rows, self._model)
        except Interrupted:
            raise
        except BaseException as error:
            raise failed("predict", error) from error

    def predict_together(self, rows: Any) -> Any:
        """Return what `predict_fn` makes of several requests' rows; raises what it raises."""
        function = self._script.predict_fn
        return default_predict(rows, self._model) if function is None else function.call(rows, self._model)

    def write(self, prediction: Any, prepared: Prepared) -> Answer:
        """Return what `output_fn` makes of it; RequestError."""
        return self._first_accepted(prepared, lambda _, accept: self._output(prediction, accept, prepared.context))

    def _output(self, prediction: Any, accept: str, context: Context) -> Any:
        if self._script.output_fn is not None:
            return _guarded(self._script.output_fn, (prediction, accept), context, accept)
        try:
            return default_output(prediction, accept)
        except RequestError:
            raise
        except Exception as error:
            raise failed("output", error) from error

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
    model = _starting(script.model_fn, str(model_dir), context=Context(str(model_dir)))
    return PythonModel(script, model, model_dir, default_accept)


def _starting(function: Function, argument: Any, context: Context) -> Any:
    try:
        return function(argument, context=context)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        traceback.print_exc()
        raise StartupError(f"{function.name} failed: {last_line(error)}") from error


def _guarded(function: Function, arguments: tuple[Any, ...], context: Context, *types: str) -> Any:
    """Call a function of the script; what it raises becomes a RequestError. `types` are its media types."""
    try:
        return function(*arguments, context=context)
    except (RequestError, Interrupted):
        raise
    except BaseException as error:
        raise as_request_error(function, error, types) from error


def _answer(output: Any, accept: str) -> Answer:
    body, content_type = output if isinstance(output, tuple) and len(output) == 2 else (output, accept)
    if isinstance(body, str):
        return Answer(body.encode(), str(content_type))
    if isinstance(body, (bytes, bytearray, memoryview)):
        return Answer(bytes(body), str(content_type))
    raise RequestError(
        500, "ModelError", f"The answer must be str or bytes, or (body, content type); found {type(body).__name__}."
    )
