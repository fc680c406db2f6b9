"""Pages that answer by themselves, in any browser: no driver has to look into them.

A page sends what it found to the server that served it. So a browser that no driver of ours can
steer (Debian's Firefox) is asked in the same way as Chromium.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import serve

PATH = "/answer"
"""Where a page posts its answer, as JSON."""

SCRIPT = "/answer.mjs"


class Served(NamedTuple):
    address: str
    """It ends with a slash."""
    answers: queue.Queue[Any]
    sizes: dict[str, int]
    """{path: bytes} of every file that was sent, as compressed as it went over the wire."""


@contextmanager
def answering(site: Path, script: str = "") -> Iterator[Served]:
    """Serve `site`. Every page loads `script` as well: the code of a module that posts the answer.

    It is a file of the site, so that the policy of the book's own pages lets it run.
    """
    served = Served("", queue.Queue(), {})

    class Handler(serve.BookHandler):
        def send_header(self, keyword: str, value: str) -> None:
            if keyword == "Content-Length" and self.command == "GET":
                served.sizes[self.path.partition("?")[0]] = int(value)
            super().send_header(keyword, value)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()
            served.answers.put(json.loads(body))

        def do_GET(self) -> None:
            path = Path(self.translate_path(self.path))
            if self.path == SCRIPT:
                body, kind = script.encode(), "text/javascript"
            elif script and path.suffix == ".html" and path.is_file():
                loading = f'<script type="module" src="{SCRIPT}"></script>'
                body, kind = path.read_bytes() + loading.encode(), "text/html"
            else:
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return None

        def log_message(self, *args: object) -> None:
            """The answer says what went wrong."""

    server = serve.open_server(site, handler=Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served._replace(address=f"http://127.0.0.1:{server.server_address[1]}/")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


QUIET = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.enabled": False,
}
"""What Firefox would do on its own in a new profile, and shall not."""


def firefox() -> str:
    """The path of Firefox, which Debian installs now if it can.

    Raises RuntimeError with one sentence that says what to install.
    """
    install = ["apt-get", "install", "-y", "-qq", "firefox-esr"]
    if not shutil.which("firefox-esr") and not shutil.which("firefox") and shutil.which("apt-get"):
        subprocess.run(install, capture_output=True, check=False, timeout=600)
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        raise RuntimeError("No Firefox for the proof: install it (`apt install firefox-esr`).")
    return found


@contextmanager
def firefox_at(address: str) -> Iterator[None]:
    """Firefox without a window, in a profile of its own, on that page while the block runs."""
    with TemporaryDirectory(prefix="course-firefox-") as profile:
        settings = "".join(
            f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in QUIET.items()
        )
        (Path(profile) / "user.js").write_text(settings, encoding="utf-8")
        command = [firefox(), "--headless", "--no-remote", "--profile", profile, address]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)
