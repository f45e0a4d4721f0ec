"""A real headless Chromium for tests, driven over a pipe by its own protocol: keys, clicks, screenshots.

https://chromedevtools.github.io/devtools-protocol/ ; `--remote-debugging-pipe`: messages of JSON, each ended by a NUL,
on the file descriptors 3 (in) and 4 (out). No port is opened and no driver is needed.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = "install it: `make browser` does with apt-get (as root), or set CHROMIUM to the path of a Chromium or Chrome"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--remote-debugging-pipe", "--force-color-profile=srgb", "--lang=en"),
)
"""Without a sandbox: tests run as root in containers. Nothing but loopback is asked for."""
PATIENCE_SECONDS = 30
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "ArrowRight": (39, ""), "ArrowDown": (40, "")}
_ON_THREE_AND_FOUR = """
import fcntl, os, sys
found = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(found[0], 3)
os.dup2(found[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def executable() -> str:
    """The path of Chromium; an error that says how to get it."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise FileNotFoundError(f"there is no Chromium here ({', '.join(NAMES)}); {HOW}")
    return found


class Browser:
    """One process with one page."""

    def __init__(self, profile: Path) -> None:
        read_in, self._write = os.pipe()
        self._read, write_out = os.pipe()
        chromium = [executable(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ON_THREE_AND_FOUR, str(read_in), str(write_out), *chromium],
            pass_fds=(read_in, write_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_in)
        os.close(write_out)
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self._last, self._session, self._ended = 0, "", False
        threading.Thread(target=self._listen, daemon=True).start()
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        os.close(self._write)

    # what a person does

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        seen = len(self.events)
        self._send("Page.navigate", url=url)
        self._wait(lambda: any(event["method"] == "Page.loadEventFired" for event in self.events[seen:]), url)

    def click(self, selector: str) -> None:
        """Click in the middle of an element."""
        middle = "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]"
        x, y = self._of(selector, f"e.scrollIntoView({{block: 'center'}}); {middle}")
        for kind in ("mousePressed", "mouseReleased"):
            self._send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            code, text = KEYS[key]
            about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            self._send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
            self._send("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, selector: str, text: str) -> None:
        """Replace what stands in a field by typing."""
        self._of(selector, "e.focus(); e.select(); return 0")
        if text:
            self._send("Input.insertText", text=text)
        else:
            about = {"key": "Delete", "code": "Delete", "windowsVirtualKeyCode": 46}
            self._send("Input.dispatchKeyEvent", type="keyDown", **about)
            self._send("Input.dispatchKeyEvent", type="keyUp", **about)

    # what a person sees

    def text(self, selector: str) -> str:
        """The visible text of an element."""
        return str(self._of(selector, "return e.innerText"))

    def value(self, selector: str, name: str) -> Any:
        """A property of an element."""
        return self._of(selector, f"return e[{json.dumps(name)}]")

    def evaluate(self, script: str) -> Any:
        """The value of a script's expression, in the page."""
        answer = self._send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def see(self, selector: str, text: str) -> str:
        """Wait until an element's text has this in it; the whole text."""
        script = f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"
        self._wait(lambda: text in self.evaluate(script), f"{text!r} in {selector}: {self.evaluate(script)!r}")
        return str(self.evaluate(script))

    def media(self, **features: str) -> None:
        """Prefer what a person's system says: `media(prefers_color_scheme="dark")`."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self._send("Emulation.setEmulatedMedia", features=listed)

    def size(self, width: int, height: int) -> None:
        """Make the window so large."""
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        data = self._send("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self) -> list[str]:
        """What the console says: exceptions, refusals of the page's policy, requests that failed."""
        found = [event["params"] for event in self.events if event["method"] == "Log.entryAdded"]
        entries = [f"{item['entry']['level']}: {item['entry']['text']}" for item in found]
        thrown = [event["params"] for event in self.events if event["method"] == "Runtime.exceptionThrown"]
        return entries + [str(item["exceptionDetails"]) for item in thrown]

    def asked(self) -> list[str]:
        """The addresses that were requested."""
        sent = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [item["request"]["url"] for item in sent]

    # how

    def _of(self, selector: str, script: str) -> Any:
        found = f"const e = document.querySelector({json.dumps(selector)});"
        return self.evaluate(f"(() => {{ {found} if (!e) throw new Error('no element'); {script} }})()")

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        with self._changed:
            self._last += 1
            number = self._last
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        self._wait(lambda: number in self._answers, method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that a message of the browser tells, or that the page does meanwhile."""
        for _ in range(PATIENCE_SECONDS * 20):
            if condition():
                return
            assert not self._ended, f"Chromium has ended: {what}"
            with self._changed:
                self._changed.wait(0.05)
        raise AssertionError(f"waited {PATIENCE_SECONDS} s for {what}")

    def _listen(self) -> None:
        rest = b""
        while chunk := os.read(self._read, 65536):
            *whole, rest = (rest + chunk).split(b"\0")
            for message in map(json.loads, whole):
                with self._changed:
                    if "id" in message:
                        self._answers[message["id"]] = message
                    else:
                        self.events.append(message)
                    self._changed.notify_all()
        self._ended = True
        os.close(self._read)
