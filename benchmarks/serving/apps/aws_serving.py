"""What AWS's scikit-learn image adds to `sagemaker-containers`: the WSGI function of gunicorn's workers.

Its own package (`sagemaker_sklearn_container`) is not on PyPI; this does the same: a Transformer of the script's
functions, made at a worker's first request, in a Worker (Flask):
https://github.com/aws/sagemaker-scikit-learn-container/blob/master/src/sagemaker_sklearn_container/serving.py
"""

from __future__ import annotations

import collections
import collections.abc
import importlib
from typing import Any

collections.Mapping = collections.abc.Mapping  # AWS's image patches the package's use of it (docker/1.4-2/final)

from sagemaker_containers.beta.framework import env, transformer, worker  # noqa: E402  # after the line above

_app: Any = None


def main(environ: Any, start_response: Any) -> Any:
    """Answer one request (in AWS's image SAGEMAKER_SERVING_MODULE names this function)."""
    global _app  # noqa: PLW0603  # as AWS's module does: a worker's first request makes it
    if _app is None:
        serving = env.ServingEnv()
        script = importlib.import_module(serving.module_name)
        names = ("model_fn", "input_fn", "predict_fn", "output_fn")
        functions = transformer.Transformer(**{name: getattr(script, name) for name in names})
        functions.initialize()
        _app = worker.Worker(transform_fn=functions.transform, module_name=serving.module_name)
    return _app(environ, start_response)
