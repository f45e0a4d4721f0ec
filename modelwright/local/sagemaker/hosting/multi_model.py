"""An instance with several models: each is fetched and loaded when it is first asked for, and has a process of its own.

https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html

On AWS all models are in one container, which answers POST /models, GET /models and DELETE /models/<name>; here loading
and unloading a model is starting and ending its process:
https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelwright.local.sagemaker.hosting.readiness import ServerFailed
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from modelwright.local.sagemaker.hosting.server import Server
    from modelwright.local.sagemaker.hosting.variant import Value

MOST_LOADED = 8
"""models in the memory of an instance; on AWS as many as fit"""
MOST_VARIABLE = "MODELWRIGHT_MOST_LOADED_MODELS"
READY_SECONDS = 60


class ModelNotLoaded(Exception):  # noqa: N818  # what became of it
    """The container did not take the model; the message says why."""


def most_loaded() -> int:
    """Return how many models an instance keeps loaded."""
    return int(os.environ.get(MOST_VARIABLE, MOST_LOADED))


class _Model:
    def __init__(self) -> None:
        self.server: Future[Server] = Future()
        self.started: Server | None = None
        """while it is being loaded; whoever stops everything stops that, too"""
        self.users = 0

    @property
    def loaded(self) -> bool:
        return self.server.done() and self.server.exception() is None

    @property
    def dead(self) -> bool:
        return self.loaded and self.server.result().given_up


class MultiModelHost:
    """The models that one instance has loaded; those that were asked longest ago make room for others."""

    def __init__(
        self,
        find: Callable[[str], Path],
        make: Callable[[str, int, Path], Server],
        most: int,
        record: Callable[[list[Value]], None],
    ) -> None:
        """Load nothing yet.

        Args:
            find: returns a model's archive; AwsError in AWS's words for one that is not there.
            make: makes the server of a model, a number that no other has, and its archive.
            most: how many models stay loaded when nobody asks for them; 0: each is unloaded after its request.
            record: takes metrics.
        """
        self._find = find
        self._make = make
        self._most = most
        self._record = record
        self._lock = threading.Lock()
        self._models: OrderedDict[str, _Model] = OrderedDict()
        self._stopped = False
        self._numbers = itertools.count()

    @property
    def loaded(self) -> list[str]:
        """The names of the models that are loaded, those that were asked longest ago first."""
        with self._lock:
            return [name for name, model in self._models.items() if model.loaded]

    @property
    def servers(self) -> Sequence[Server]:
        """The servers of the loaded models."""
        with self._lock:
            return [model.server.result() for model in self._models.values() if model.loaded]

    def start(self) -> None:
        """Models are loaded by requests."""

    @contextmanager
    def serving(self, target: str | None) -> Iterator[Server]:
        """Lend the server of a model for one request; it is loaded first if it is not.

        AwsError for a model that is not there, or is still being loaded after a minute; ModelNotLoaded when the
        container refuses it.
        """
        if target is None:
            raise ValueError("a member with several models is asked for one of them")
        began = time.perf_counter()
        model, first, hit = self._take(target)
        try:
            server = self._load(target, model) if first else self._wait(target, model)
            values: list[Value] = [("ModelCacheHit", float(hit), "None")]
            if not hit:
                values.append(("ModelLoadingWaitTime", (time.perf_counter() - began) * 1e6, "Microseconds"))
            self._record(values)
            yield server
        finally:
            self._give_back(model)

    def stop(self, grace_seconds: float = 0) -> None:
        """Unload everything, also what is being loaded, and load nothing any more."""
        with self._lock:
            self._stopped = True
            models, self._models = list(self._models.values()), OrderedDict()
            servers = [model.server.result() if model.loaded else model.started for model in models]
        for server in servers:
            if server is not None:
                server.stop(grace_seconds)

    def _take(self, target: str) -> tuple[_Model, bool, bool]:
        """Return the model, whether its caller is to load it, and whether it is loaded."""
        with self._lock:
            if self._stopped:
                raise ServerFailed("the endpoint ends")
            if target in self._models and self._models[target].dead:
                self._models.pop(target).server.result().stop(0)
            first = target not in self._models
            model = self._models.setdefault(target, _Model())
            self._models.move_to_end(target)
            model.users += 1
            return model, first, model.loaded

    def _give_back(self, model: _Model) -> None:
        with self._lock:
            model.users -= 1
        self._make_room(self._most)

    def _load(self, target: str, model: _Model) -> Server:
        try:
            server = self._loaded(target, model)
        except BaseException as error:
            with self._lock:
                if self._models.get(target) is model:
                    del self._models[target]
            model.server.set_exception(error)
            raise
        model.server.set_result(server)
        return server

    def _loaded(self, target: str, model: _Model) -> Server:
        began = time.perf_counter()
        archive = self._find(target)
        fetched = time.perf_counter()
        self._make_room(max(0, self._most - 1))
        server = self._make(target, next(self._numbers), archive)
        with self._lock:
            if self._stopped:
                raise ServerFailed("the endpoint ends")
            model.started = server
        starting = time.perf_counter()
        try:
            server.start()
        except BaseException as error:
            server.stop(0)
            if isinstance(error, ServerFailed) and not self._stopped:
                raise ModelNotLoaded(str(error)) from error
            raise
        self._record(
            [
                ("ModelDownloadingTime", (fetched - began) * 1e6, "Microseconds"),
                ("ModelLoadingTime", (time.perf_counter() - starting) * 1e6, "Microseconds"),
            ]
        )
        return server

    def _wait(self, target: str, model: _Model) -> Server:
        try:
            return model.server.result(READY_SECONDS)
        except NotYet:
            message = f"The model {target} is still being loaded. Wait and try your request again."
            raise AwsError("ModelNotReadyException", message, 429) from None

    def _make_room(self, most: int) -> None:
        """Unload, until there are `most` at most, what nobody uses; the one that was asked longest ago first.

        No request waits for it.
        """
        while (server := self._superfluous(most)) is not None:
            threading.Thread(target=self._unload, args=(server,), name="model-unloading", daemon=True).start()

    def _unload(self, server: Server) -> None:
        began = time.perf_counter()
        server.stop()
        self._record([("ModelUnloadingTime", (time.perf_counter() - began) * 1e6, "Microseconds")])

    def _superfluous(self, most: int) -> Server | None:
        with self._lock:
            loaded = [name for name, model in self._models.items() if model.loaded]
            idle = [name for name in loaded if self._models[name].users == 0]
            if len(loaded) <= most or not idle:
                return None
            return self._models.pop(idle[0]).server.result()
