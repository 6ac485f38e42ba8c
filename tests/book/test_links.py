"""The buttons above a page, and the first cell that makes a chapter run anywhere.

The repository's address is one line of _config.yml. While it is empty there is nothing that would need it. Once it is
set, what the buttons point at must exist, in this repository and under this path.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

import first_cell
import nbformat
import pytest
import yaml

ADDRESS = "https://github.com/someone/some-book"
CHAPTERS = sorted((first_cell.ROOT / "book").glob("*.ipynb"))
COPIED = shutil.ignore_patterns("__pycache__", ".*")


def buttons(html):
    """Name to address, of the links above a page."""
    header = html.split('<div class="article-header-buttons">')[1].split("</article>")[0]
    header = header.split('<div id="jb-print-docs-body"')[0]
    links = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', header, flags=re.DOTALL)
    return {re.sub(r"<[^>]+>", "", text).strip(): address for address, text in links}


def is_chapter(page):
    return (first_cell.ROOT / f"{page}.ipynb").exists()


def test_without_an_address_there_is_only_the_download(site, pages):
    for page in pages:
        found = buttons((site / f"{page}.html").read_text(encoding="utf-8"))
        assert set(found) == ({"Notebook (.ipynb)"} if is_chapter(page) else set()), page


def test_what_is_downloaded_is_the_chapter(site, pages):
    for page in filter(is_chapter, pages):
        address = buttons((site / f"{page}.html").read_text(encoding="utf-8"))["Notebook (.ipynb)"]
        downloaded = (site / page).parent / address
        assert downloaded.read_bytes() == (first_cell.ROOT / f"{page}.ipynb").read_bytes()


@pytest.fixture(scope="module")
def with_address(root, tmp_path_factory, build_book):
    """The book built with an address in _config.yml, and that line changed only."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(root / "book", source / "book", ignore=COPIED)
    shutil.copy(root / "_toc.yml", source)
    config = (root / "_config.yml").read_text(encoding="utf-8")
    changed, lines = re.subn(r'^  url: ".*"$', f'  url: "{ADDRESS}"', config, flags=re.MULTILINE)
    assert lines == 1
    (source / "_config.yml").write_text(changed, encoding="utf-8")
    return build_book(source, tmp_path_factory.mktemp("with_address")) / "html"


def test_with_an_address_every_link_has_a_target(with_address, root, pages):
    branch = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["branch"]
    for page in pages:
        found = buttons((with_address / f"{page}.html").read_text(encoding="utf-8"))
        assert set(found) == ({"Notebook (.ipynb)", "Colab", "Binder", "Edit"} if is_chapter(page) else {"Edit"}), page
        for name, before in {
            "Edit": f"{ADDRESS}/edit/{branch}/",
            "Colab": f"https://colab.research.google.com/github/someone/some-book/blob/{branch}/",
            "Binder": f"https://mybinder.org/v2/gh/someone/some-book/{branch}?urlpath=lab/tree/",
        }.items():
            if name in found:
                assert found[name].startswith(before)
                path = unquote(found[name].removeprefix(before))
                assert (root / path).is_file(), path
                assert not is_ignored(root, path), f"{path} is never committed"
                assert Path(path).with_suffix("").as_posix() == page


def is_ignored(root, path):
    return subprocess.run(["git", "check-ignore", "--quiet", path], cwd=root).returncode == 0


def test_an_address_that_is_none_is_refused():
    from _sphinx import buttons as extension

    for wrong in ("github.com/a/b", "https://github.com/a", "https://example.org/a/b", "https://github.com/a/b/c"):
        with pytest.raises(extension.ConfigError, match="owner/name or empty"):
            extension.repository_links(wrong, "main", "book/index.md")


def test_binder_installs_what_the_book_pins(root):
    """Every file that Binder's configuration names is there, and the Python is one that the library takes."""
    lines = (root / ".binder/requirements.txt").read_text(encoding="utf-8").splitlines()
    files = [line.split()[1] for line in lines if line.startswith(("-r", "-c"))]
    assert [(root / ".binder" / name).resolve() for name in files] == [(root / "requirements.txt").resolve()]
    pins = (root / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"^-e \.", pins, flags=re.MULTILINE) and re.search(r"^jupyterlab-myst==", pins, flags=re.MULTILINE)
    assert all(urlsplit(line.split()[1]).scheme == "https" for line in lines if line.startswith("--extra-index-url"))
    assert (root / ".binder/runtime.txt").read_text(encoding="utf-8").strip() == "python-3.11"


# ---- The first cell


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_first_cell_is_what_the_tool_writes(path):
    """Before all other code, and after the page's title."""
    cells = nbformat.read(path, as_version=4).cells
    cell = next(cell for cell in cells if cell.cell_type == "code")
    assert cells[0].cell_type == "markdown"
    expected = first_cell.first_cell(first_cell.repository())
    assert first_cell.is_first_cell(cell) and cell.source == expected, "run make notebooks"


def test_the_page_does_not_show_it(site, pages):
    for page in filter(is_chapter, pages):
        assert "find_spec" not in (site / f"{page}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("url", ["", ADDRESS])
def test_it_is_silent_where_the_library_is(url):
    result = subprocess.run([sys.executable, "-c", first_cell.first_cell(url)], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_without_an_address_it_says_what_to_do(tmp_path):
    result = run_in(empty_environment(tmp_path), first_cell.first_cell(""))
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("handgrad is missing; open the chapters with make lab")


def test_it_installs_the_library_into_an_empty_environment(root, tmp_path):
    """The cell asks for a repository by its address, and git takes one made of this working tree in its place. What the
    library needs besides is left out."""
    repository = tmp_path / "repository"
    shutil.copytree(root / "lib", repository / "lib", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, repository)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-C", repository]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "the working tree"]):
        subprocess.run([*git, *command], check=True)

    environment = empty_environment(tmp_path)
    before = "import importlib.util as u; assert u.find_spec('handgrad') is None\n"
    after = "\nimport handgrad; print(handgrad.__file__); print(handgrad.Multiply().forward(3.0, 2.0))"
    in_its_place = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }
    code = before + first_cell.first_cell(ADDRESS) + after
    result = run_in(environment, code, PIP_NO_DEPS="1", **in_its_place)
    assert result.returncode == 0, result.stderr
    where, product = result.stdout.splitlines()
    assert Path(where).is_relative_to(environment) and product == "6.0"


def empty_environment(tmp_path):
    venv.create(tmp_path / "empty", with_pip=True)
    return tmp_path / "empty"


def run_in(environment, code, **variables):
    """Run code with the environment's Python. To need no network, it borrows NumPy and what builds a package."""
    borrowed = environment / "borrowed"
    borrowed.mkdir()
    for name in ("numpy", "setuptools"):
        for top in {Path(file).parts[0] for file in distribution(name).files}:
            source = Path(distribution(name).locate_file(top))
            if top not in ("..", "__pycache__") and source.exists():
                (borrowed / top).symlink_to(source)
    return subprocess.run(
        [environment / "bin/python", "-c", code],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(environment),
            "PYTHONPATH": str(borrowed),
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads a false value of a "no" option as: no isolation
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **variables,
        },
    )
