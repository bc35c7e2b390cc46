"""The system's Chromium, and JupyterLab on this machine alone: for tests and screenshots."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Without them Chromium looks up its maker's hosts at every start, which fails where there is no network.
QUIET = ("background-networking", "component-update", "sync", "quic", "gpu")
SECONDS = 600  # for JupyterLab to start, or to run every cell, on a busy machine
USUAL = 0.08  # seconds that a million numbers take to be squared and added up


def slowness():
    """How many times as long as on a usual machine at rest a sum takes here and now; at least once."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        sum(number * number for number in range(1_000_000))
        took.append(time.perf_counter() - began)
    return max(1.0, min(took) / USUAL)


@contextmanager
def chromium():
    """Start the Chromium that is on PATH; playwright downloads none."""
    from playwright.sync_api import sync_playwright

    options = [f"--disable-{what}" for what in QUIET]
    if sys.platform == "linux" and os.geteuid() == 0:
        options.append("--no-sandbox")  # root has none
    with sync_playwright() as driver:
        path, given = shutil.which("chromium"), {"args": options, "timeout": SECONDS * 1000}
        browser = driver.chromium.launch(executable_path=path, **given)
        yield browser
        browser.close()


@contextmanager
def jupyterlab(notebook, folder):
    """Start JupyterLab on a copy of a notebook in `folder`; give its address, stop it after."""
    shutil.copy(notebook, folder)
    own = {f"JUPYTER_{name}_DIR": str(folder / f".{name.lower()}") for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **own, "IPYTHONDIR": str(folder / ".ipython"), "PYTHONPATH": str(ROOT)}
    settings = folder / ".config" / "lab" / "user-settings" / "@jupyterlab"
    # every cell on the page, not only those in sight; no question about news
    for name, choice in {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }.items():
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / f"{name}.jupyterlab-settings").write_text(json.dumps(choice))
    options = ["--no-browser", "--allow-root", "--ServerApp.port=0", f"--ServerApp.root_dir={folder}"]
    options.append(f"--IdentityProvider.token={secrets.token_hex()}")
    with (folder / ".log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log
        )
        try:
            yield _address(server, folder, Path(notebook).name)
        finally:
            server.terminate()
            server.wait(SECONDS)


def run_all_cells(page, address):
    """Open a notebook in JupyterLab, run all its cells and wait for the last."""
    page.set_default_timeout(SECONDS * 1000)
    page.goto(address)
    page.get_by_text(re.compile(r"Python 3.* \| Idle")).first.wait_for()  # the kernel is up
    cells = page.locator(".jp-CodeCell").count()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(f"text='[{cells}]:'").first.wait_for()


def _address(server, folder, name):
    """Where the server says that it answers, once it does."""
    for _ in range(SECONDS * 4):
        if server.poll() is not None:
            break
        for written in (folder / ".runtime").glob("jpserver-*.json"):
            told = json.loads(written.read_text() or "{}")
            if told:
                return f"{told['url']}lab/tree/{name}?token={told['token']}"
        time.sleep(0.25)
    raise RuntimeError(f"JupyterLab does not start: {(folder / '.log').read_text()}")
