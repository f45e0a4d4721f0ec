# ruff: noqa: INP001 - a folder for PYTHONPATH, not a package
"""First thing in each Python that is executed where `/opt/ml` cannot be mounted: see `translate.py`.

This folder is on the PYTHONPATH of such processes only, so that the Pythons which they start are served as well. The
file is loaded by its path: that Python may be another one, without modelwright.
"""

import importlib.util
import os
from pathlib import Path

_root = os.environ.get("MODELWRIGHT_OPT_ML")
_spec = importlib.util.spec_from_file_location(
    "_modelwright_translate", Path(__file__).resolve().parent.parent / "translate.py"
)
if _root and _spec and _spec.loader:
    _module = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(_module)
    _module.install(_root)
