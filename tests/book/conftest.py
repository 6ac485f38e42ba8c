"""What the tests of the book share: where it is, a module that is no package's, the built site, a browser."""

import functools
import http.server
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pages_of_the_book():
    """The table of contents as paths without suffix, in reading order."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [
        contents["root"],
        *(chapter["file"] for part in contents["parts"] for chapter in part["chapters"]),
    ]


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", [*pages_of_the_book(), "search", "genindex"])


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def pages():
    return pages_of_the_book()


@pytest.fixture(scope="session")
def gradient_list():
    return load(ROOT / "book/_sphinx/gradient_list.py")


@pytest.fixture(scope="session")
def browser_tool():
    return load(ROOT / "tools/browser.py")


def build(source, out, *options):
    """Build the book in the folder ``source`` into ``out``, an empty folder, with every warning an error."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", source, "--path-output", out]
    command += ["-W", "-n", "--keep-going", *options]
    built = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return out / "_build"


@pytest.fixture(scope="session")
def build_book():
    return build


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built book. Test processes that run side by side share one."""
    temporary = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        temporary = temporary.parent
    with FileLock(temporary / "book.lock"):
        done = temporary / "book.built"
        if not done.exists():
            build(ROOT, temporary / "book")
            done.touch()
    return temporary / "book/_build/html"


@pytest.fixture(scope="session")
def browser(browser_tool):
    path = browser_tool.find_chromium()
    assert path, browser_tool.ADVICE
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=browser_tool.FLAGS)
        yield chromium
        chromium.close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def server(site):
    """The site's address on this machine."""
    handler = functools.partial(QuietHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()
