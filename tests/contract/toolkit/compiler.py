"""Stands in for a C compiler: makes the empty file that it is asked for.

AWS's toolkit builds one small library (it changes a container's host name under MPI), which nothing here calls; with
this, and an empty module in its place (`conftest.py`), the tests need no compiler.
"""

import sys
from pathlib import Path

if "-o" in sys.argv:
    Path(sys.argv[sys.argv.index("-o") + 1]).touch()
