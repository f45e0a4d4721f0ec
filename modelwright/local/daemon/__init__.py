"""The process that is the local cloud of one project, and the command line's way to it (`attach.py`)."""
