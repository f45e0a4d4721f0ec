"""`modelwright open`: a page in the browser on which a person can try the model."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

from modelwright.cli.page.about import Trial
from modelwright.cli.page.server import PageServer
from modelwright.cli.platform import add_place, platform, read_project
from modelwright.errors import NotSupported, WrongUsage

if TYPE_CHECKING:
    import argparse

_SERVICES = ("cloudformation", "dynamodb", "s3")
_OTHERWISE = {
    "none": "`modelwright batch {}` asks its model about whole files.",
    "async": "`modelwright predict {}` waits for an answer; `modelwright batch` asks about whole files.",
    "multi-model": "`modelwright predict {} --model NAME` asks one of them.",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument("--no-browser", action="store_true", help="print the page's address, open nothing")
    parser.add_argument("--port", type=int, default=0, help="of the page, on 127.0.0.1 (default: a free one)")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    project = read_project(args)
    settings = project.pipeline(args.pipeline)
    if settings.deploy.endpoint in {"none", "async", "multi-model"}:
        kind = settings.deploy.endpoint
        message = f"{args.pipeline} has deploy.endpoint {kind}; the page asks one model that answers at once."
        raise NotSupported(message, _OTHERWISE[kind].format(args.pipeline))
    with platform(args, project, services=_SERVICES) as place:
        trial = Trial(place.session, place.deployment(args.pipeline), place.environment)
        server = _serve(trial, args.port)
        try:
            _tell(server.url, browser=not args.no_browser)
            threading.Event().wait()
        except KeyboardInterrupt:  # the way in which the command ends
            print("closed", file=sys.stderr)
        finally:
            server.stop()
    return 0


def _serve(trial: Trial, port: int) -> PageServer:
    try:
        server = PageServer(trial.describe, trial.ask, port)
    except (OSError, OverflowError) as error:
        raise WrongUsage(f"--port {port} cannot be used: {error}.", "Leave it out: then a free one is taken.") from None
    server.start()
    return server


def _has_a_screen() -> bool:
    """Without one, Python would open a browser of the terminal's, in place of this command."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))


def _tell(url: str, *, browser: bool) -> None:
    print(url, flush=True)
    print("the page is for you alone, as long as this command runs; Ctrl-C ends it", file=sys.stderr)
    if browser and not (_has_a_screen() and webbrowser.open(url)):
        print("no browser could be opened: open the address above yourself", file=sys.stderr)
