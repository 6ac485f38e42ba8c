"""Commands that work as they are printed: how to install what is missing, and how this program was called.

A registry may have no package of this name, or another one; so an extra is installed from where handgrad came from.
"""

import importlib.metadata
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

Extra = Literal["word2vec", "torch", "widgets", "book"]


def how_to_install(extra: Extra) -> str:
    """The command that installs an extra of handgrad; where its origin is unknown, what to do instead.

    Parameters
    ----------
    extra : one of the extras in pyproject.toml

    Returns
    -------
    str, the end of a sentence that begins "scipy is missing: "
    """
    origin = _origin()
    if not origin:
        return f"install handgrad with its extra {extra}, as its README says"
    url = origin["url"]
    if "dir_info" in origin:
        what = shlex.quote(f"{_path(url)}[{extra}]")
        return f"{_pip()} install {'-e ' if origin['dir_info'].get('editable') else ''}{what}"
    if repository := origin.get("vcs_info"):
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    if "subdirectory" in origin:
        url = f"{url}#subdirectory={origin['subdirectory']}"
    return f"{_pip()} install {shlex.quote(f'handgrad[{extra}] @ {url}')}"


def _pip() -> str:
    """The pip of this Python, by the shortest name that calls it."""
    of_this_python = Path(sys.executable).parent
    on_the_path = shutil.which("pip")
    if on_the_path and Path(on_the_path).parent == of_this_python:
        return "pip"
    return f"{shlex.quote(sys.executable)} -m pip"


def _origin() -> dict:
    """What pip wrote down about where handgrad came from (PEP 610); empty where that is unknown, or is gone.

    A package from a registry has no such file, and neither has a copy that is found on PYTHONPATH.
    """
    try:
        origin = json.loads(importlib.metadata.distribution("handgrad").read_text("direct_url.json") or "{}")
        exists = urlsplit(origin["url"]).scheme != "file" or _path(origin["url"]).exists()
    except (importlib.metadata.PackageNotFoundError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return origin if exists else {}


def _path(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def this_command() -> str:
    """How a shell calls the ``handgrad`` that runs: ``.venv/bin/handgrad``, say, where it is not on the path."""
    called, package = Path(sys.argv[0]), Path(__file__).parent
    if called.name == "__main__.py" and called.is_relative_to(package):  # and not pytest's, say
        return f"{_python()} -m {'.'.join(called.parent.relative_to(package.parent).parts)}"
    if called.stem != "handgrad":  # a program of another name calls the command, as tests do
        return "handgrad"
    on_the_path = shutil.which("handgrad")
    if on_the_path and Path(on_the_path).resolve() == called.resolve():
        return "handgrad"
    return shlex.quote(sys.argv[0])


def _python() -> str:
    """This Python, by the shortest name that calls it."""
    for name in ("python", "python3"):
        found = shutil.which(name)
        if found and Path(found).absolute() == Path(sys.executable).absolute():
            return name
    here = Path(sys.executable)
    return shlex.quote(str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here))
