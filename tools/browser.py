"""Find a Chromium for the rendered book's tests, PDF and EPUB, or get one: `python tools/browser.py` prints its path.

Looked for in this order: the machine's own Chromium or Chrome, the one that playwright keeps, the one that
playwright can download, the one that apt can install (as root). Exit status 2 says that none could be had.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ADVICE = "No Chromium: install the package chromium, or run `python -m playwright install chromium`."


def runs(path):
    """Whether it starts: on some systems `chromium-browser` is only a note on how to install it."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def installed():
    candidates = (*map(shutil.which, NAMES), *APPLICATIONS)
    return next((path for path in candidates if path and runs(path)), None)


def kept_by_playwright():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() and runs(path) else None


def succeeds(*command, timeout=600):
    """Run an installer, quietly: what this module prints is a path or one sentence."""
    try:
        return subprocess.run(command, capture_output=True, timeout=timeout).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def downloaded_by_playwright():
    done = succeeds(sys.executable, "-m", "playwright", "install", "chromium")
    return kept_by_playwright() if done else None


def installed_by_apt():
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    succeeds("apt-get", "update")
    done = succeeds("apt-get", "install", "--yes", "--no-install-recommends", "chromium")
    return installed() if done else None


def find_chromium():
    """The path of a Chromium that starts, or None."""
    for source in (installed, kept_by_playwright, downloaded_by_playwright, installed_by_apt):
        if path := source():
            return path
    return None


@contextmanager
def running_chromium():
    """A Chromium of playwright's, closed at the end; a sentence and exit status 2 where there is none."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        print(ADVICE, file=sys.stderr)
        sys.exit(2)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


def main():
    path = find_chromium()
    if path is None:
        print(ADVICE, file=sys.stderr)
        return 2
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
