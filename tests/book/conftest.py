"""What the tests of the book share: where it is, and how to load a module that is no package's."""

import importlib.util
from pathlib import Path

import pytest
import yaml

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
