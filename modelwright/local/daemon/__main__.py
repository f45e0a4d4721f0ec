"""`python -m modelwright.local.daemon ROOT ENVIRONMENT FD`: see `process.py`."""

from __future__ import annotations

import sys

from modelwright.local.daemon.process import main

if __name__ == "__main__":
    main(sys.argv[1:])
