"""The servers that are measured, each started as its own documentation says, with one worker for each core."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.project import ROOT

from .server import Body, Launch, Place, Rows, Server

if TYPE_CHECKING:
    from .model import Prediction

APPS = Path(__file__).parent / "apps"


class Aws(Server):
    """AWS's scikit-learn image: nginx before gunicorn with gevent workers, `sagemaker-containers` in them.

    Started as its `_server.start` does, with a socket, a port and files of its own instead of /tmp, 0.0.0.0 and /etc:
    https://github.com/aws/sagemaker-containers/blob/master/src/sagemaker_containers/_server.py
    What AWS does besides at each start, to install the script with pip, is left out: it would only be slower.
    """

    name = "AWS scikit-learn"
    requirements = "aws"

    def note(self) -> str:
        """Say whether nginx is there."""
        if not self.lacks():
            return "nginx and gunicorn (gevent), as in AWS's image"
        return (
            "gunicorn (gevent) alone: nginx, which AWS's image has before it, is not installed (`apt install nginx`). "
            "With clients that keep connections, a gevent worker lets some wait while it answers others: its p99 is "
            "not that of AWS's image"
        )

    def lacks(self) -> str:
        """AWS's image has nginx."""
        return "" if shutil.which("nginx") else "nginx"

    def launch(self, place: Place) -> Launch:
        """Gunicorn, and nginx before it where there is one."""
        nginx = shutil.which("nginx")
        socket = place.scratch / "gunicorn.sock"
        bind = f"unix:{socket}" if nginx else f"127.0.0.1:{place.port}"
        connections = ("--worker-connections", 1000 * place.workers, "-w", place.workers, "--log-level", "info")
        gunicorn = [place.python.parent / "gunicorn", "--timeout", 60, "-k", "gevent", "-b", bind, *connections]
        commands = [[*gunicorn, "aws_serving:main"]]
        if nginx:
            as_root = (
                ("-g", "user root;") if os.geteuid() == 0 else ()
            )  # its workers must reach the socket, as in a container
            commands.append([nginx, "-c", self._nginx_config(place, socket), *as_root])
        environment = {
            "PYTHONPATH": f"{APPS}:{place.model / 'code'}",
            "PYTHONWARNINGS": "ignore",
            "SAGEMAKER_BASE_DIR": str(place.model.parent),
            "SAGEMAKER_PROGRAM": "inference.py",
        }
        return Launch(commands, environment)

    def _nginx_config(self, place: Place, socket: Path) -> Path:
        """AWS's own template, its paths and its port in our folder and on loopback."""
        (template,) = place.python.parents[1].glob("lib/*/site-packages/sagemaker_containers/etc/nginx.conf.template")
        text = template.read_text()
        for old, new in (
            ("/tmp/gunicorn.sock", str(socket)),  # noqa: S108  # what AWS's file says
            ("/tmp/nginx.pid", str(place.scratch / "nginx.pid")),  # noqa: S108
            ("%NGINX_HTTP_PORT%", f"127.0.0.1:{place.port}"),
            ("%NGINX_PROXY_READ_TIMEOUT%", "60"),
        ):
            if old not in text:
                raise RuntimeError(f"{template} has no {old}")
            text = text.replace(old, new)
        config = place.scratch / "nginx.conf"
        config.write_text(text)
        return config


class FastApi(Server):
    """FastAPI with scikit-learn, written by hand."""

    name = "FastAPI + scikit-learn"
    requirements = "fastapi"

    def launch(self, place: Place) -> Launch:
        """Uvicorn."""
        return Launch([_uvicorn(place, "fastapi_app:app")], _environment(place))


class Empty(Server):
    """Nothing but uvicorn with uvloop and httptools."""

    name = "empty uvicorn app"
    kind = "floor"
    requirements = "empty"

    def launch(self, place: Place) -> Launch:
        """Uvicorn."""
        return Launch([_uvicorn(place, "empty_app:app")], _environment(place))

    def understand(self, answer: bytes) -> list[Prediction]:
        """It predicts nothing."""
        if answer != b"ok":
            raise ValueError(f"the empty app answers {answer!r}")
        return []


class BentoMl(Server):
    """A BentoML service."""

    name = "BentoML"
    requirements = "bentoml"
    formats = ("json",)

    def note(self) -> str:
        """Say what it does not take."""
        return "JSON only: its endpoints have typed JSON arguments"

    def launch(self, place: Place) -> Launch:
        """`bentoml serve`."""
        options = ("--host", "127.0.0.1", "--port", place.port, "--working-dir", APPS)
        private = {"BENTOML_HOME": str(place.scratch), "BENTOML_DO_NOT_TRACK": "True"}
        command = [place.python.parent / "bentoml", "serve", "bentoml_service:Service", *options]
        return Launch([command], _environment(place) | private)


class MlFlow(Server):
    """MLflow's scoring server."""

    name = "MLflow"
    requirements = "mlflow"

    def prepare(self, place: Place) -> Launch:
        """Save the model in MLflow's own form."""
        return Launch([[place.python, APPS / "mlflow_save.py", place.scratch / "saved"]], self._environment(place))

    def launch(self, place: Place) -> Launch:
        """`mlflow models serve`."""
        options = ("--env-manager", "local", "--host", "127.0.0.1", "--port", place.port, "--workers", place.workers)
        command = [place.python.parent / "mlflow", "models", "serve", "-m", place.scratch / "saved", *options]
        return Launch([command], self._environment(place))

    def body(self, rows: Rows, form: str) -> Body:
        """CSV with a header, JSON as `dataframe_records`: https://mlflow.org/docs/latest/ml/deployment/."""
        if form == "json":
            return Body("application/json", json.dumps({"dataframe_records": rows}).encode())
        header = ",".join(rows[0])
        plain = super().body(rows, form)
        return Body(plain.content_type, f"{header}\n".encode() + plain.content)

    def _environment(self, place: Place) -> dict[str, str]:
        path = {"PATH": f"{place.python.parent}:/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true"}
        return _environment(place) | path | {"MLFLOW_TRACKING_URI": f"sqlite:///{place.scratch}/mlflow.db"}


class Ours(Server):
    """The model server of this project, with the user's own functions."""

    name = "ours (Python path)"
    kind = "python"
    requirements = None

    def launch(self, place: Place) -> Launch:
        """`python -m modelwright.serving`."""
        return self._serve(place, place.model, place.workers)

    def _serve(self, place: Place, model: Path, workers: int) -> Launch:
        options = ("--model-dir", model, "--host", "127.0.0.1", "--port", place.port)
        environment = {"PYTHONPATH": str(ROOT), "MODELWRIGHT_WORKERS": str(workers)}
        return Launch([[place.python, "-m", "modelwright.serving", *options]], environment)


class OursAlone(Ours):
    """The same in one process."""

    name = "ours (Python path), 1 worker"
    kind = "peer"  # the targets are those of all workers

    def launch(self, place: Place) -> Launch:
        """One worker."""
        return self._serve(place, place.model, 1)


class Compiled(Ours):
    """The model server of this project, with the same model converted to ONNX as a deployment converts it."""

    name = "ours (compiled)"
    kind = "compiled"
    tolerance = 1e-5  # what the conversion allows: it computes in 32 bits

    def prepare(self, place: Place) -> Launch:
        """`python -m modelwright.serving.compiled.convert`, which compares the two models first."""
        archive = place.scratch / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            for path in sorted(place.model.iterdir()):
                tar.add(path, path.name)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        data = ("--train", place.trained / "train", "--test", place.trained / "test")
        options = ("--archive", archive, "--sha256", digest, *data, "--output", self._compiled(place))
        environment = {"PYTHONPATH": str(ROOT)}
        return Launch([[place.python, "-m", "modelwright.serving.compiled.convert", *options]], environment)

    def launch(self, place: Place) -> Launch:
        """The compiled model's folder is served by the same command."""
        return self._serve(place, self._compiled(place), place.workers)

    def _compiled(self, place: Place) -> Path:
        return place.scratch / "compiled"


class CompiledAlone(Compiled):
    """The same in one process."""

    name = "ours (compiled), 1 worker"
    kind = "peer"

    def launch(self, place: Place) -> Launch:
        """One worker."""
        return self._serve(place, self._compiled(place), 1)


SERVERS: dict[str, Server] = {
    "aws": Aws(),
    "fastapi": FastApi(),
    "bentoml": BentoMl(),
    "mlflow": MlFlow(),
    "empty": Empty(),
    "ours": Ours(),
    "ours-1": OursAlone(),
    "compiled": Compiled(),
    "compiled-1": CompiledAlone(),
}


def _uvicorn(place: Place, app: str) -> list[Any]:
    options = ("--host", "127.0.0.1", "--port", place.port, "--workers", place.workers, "--no-access-log")
    return [place.python, "-m", "uvicorn", *options, "--loop", "uvloop", "--http", "httptools", app]


def _environment(place: Place) -> dict[str, str]:
    return {"PYTHONPATH": str(APPS), "MODEL_DIR": str(place.model), "WORKERS": str(place.workers)}
