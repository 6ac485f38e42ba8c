"""What the tests of the book share: where it is, a module that is no package's, the built site, a browser."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from in_browser import PAGE, served
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
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    below = [[chapter, *chapter.get("sections", [])] for chapter in chapters]
    return [contents["root"], *(page["file"] for pages in below for page in pages)]


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", [*filter(is_of_its_own_kind, pages_of_the_book()), "search", "genindex"])


def is_of_its_own_kind(page):
    """Whether a page is tested by itself: four of the reference stand for all, which test_reference.py goes through."""
    page = Path(page)
    return page.parent.name != "reference" or page.name in ("overview", "gates", "training", "command_line")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def pages():
    return pages_of_the_book()


@pytest.fixture(scope="session")
def pages_of_each_kind(pages):
    return list(filter(is_of_its_own_kind, pages))


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


@pytest.fixture(scope="module")
def reader(browser):
    """One tab for one page after another: a new tab is a new process, and compiles MathJax again for each."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def server(site):
    """The site's address on this machine."""
    with served(site) as address:
        yield address


@pytest.fixture
def open_page(browser, tmp_path):
    """Writes explorers into a page and opens it from the disk. Nothing may fail, and nothing else may be asked for."""
    contexts, faults = [], []

    def open_page(*explorers, url=None, theme="light", **options):
        body = "".join(e if isinstance(e, str) else e._repr_html_() for e in explorers)
        path = tmp_path / "page.html"
        path.write_text(PAGE.format(theme=theme, body=body), encoding="utf-8")
        contexts.append(browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options}))
        page = contexts[-1].new_page()
        page.on("request", lambda request: request.is_navigation_request() or faults.append(f"asks for {request.url}"))
        page.on("console", lambda line: line.type in ("error", "warning") and faults.append(line.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url or path.as_uri())
        page.faults = faults
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
