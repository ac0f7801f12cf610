"""Chromium without a window, spoken to over a pipe: what a page does when it is read, searched and sorted."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe")


class Page:
    """A page in the browser. `requests` are the addresses that it asked for, `errors` what the browser complained of."""

    def __init__(self, reading: int, writing: int) -> None:
        self._read = os.fdopen(reading, "rb")
        self._write = os.fdopen(writing, "wb")
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.errors: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the Chrome DevTools Protocol and return its result."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        self._write.write(json.dumps(asked | ({"sessionId": self._session} if self._session else {})).encode() + b"\0")
        self._write.flush()
        while True:
            message = self._message()
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def _message(self) -> dict[str, Any]:
        held = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "the browser has ended"
            held += byte
        message: dict[str, Any] = json.loads(held)
        about = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(about["exceptionDetails"])[:500])
        elif message.get("method") == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(about["entry"]["text"])
        return message

    def attach(self) -> None:
        """Open a tab and listen to it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, file: Path, *, width: int = 1280, height: int = 900, dark: bool = False, script: bool = True) -> None:
        """Open a file and wait until it has loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Page.navigate", url=file.as_uri())
        while self._message().get("method") != "Page.loadEventFired":
            pass

    def run(self, script: str) -> Any:
        """Run a script in the page, wait for what it promises, and return its value."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str, wanted: Any) -> None:
        """Wait until a script gives a value; fail after ten seconds."""
        end = time.monotonic() + 10
        while (found := self.run(script)) != wanted:
            assert time.monotonic() < end, f"{script} gives {found!r}, not {wanted!r}"
            time.sleep(0.02)

    def key(self, key: str, code: int = 0, text: str = "") -> None:
        """Press a key and let it go."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def picture(self, file: Path) -> None:
        """Write a screenshot of what is seen."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """Let go of the pipes."""
        self._write.close()
        self._read.close()


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start Chromium with its data in a folder, and end it."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    command = f'exec "$0" "$@" 3<&{to_read} 4>&{from_write}'
    process = subprocess.Popen(
        ["bash", "-c", command, str(CHROMIUM), *FLAGS, f"--user-data-dir={folder}", "about:blank"],
        pass_fds=(to_read, from_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(from_write)
    page = Page(from_read, to_write)
    try:
        page.attach()
        yield page
    finally:
        process.terminate()
        process.wait()
        page.close()
