"""The chapters in a real JupyterLab, started as `make lab` starts it: what a reader sees, types, opens and saves."""

import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import lab
import nbformat
import notebooks
import pytest
from chapters import CHAPTERS, EXPLORER
from playwright.sync_api import Expect

ANSWER = "print('my answer is', 6 * 7)"
PATIENCE = 120_000  # milliseconds, on a busy machine
FIRST = CHAPTERS[0]
expect = Expect()
expect.set_options(timeout=PATIENCE)
OWN = ("http://127.0.0.1", "http://localhost", "data:", "blob:")
SERVER = "JUPYTER_RUNTIME/jpserver-*.json"  # where a server is, and its token
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
CURRENT = f"{PANEL} .jp-Notebook"
OPENED = f"expected => document.querySelectorAll('{CURRENT} .jp-Cell').length === expected"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def whole(path):
    """What stands in a file of JSON; None while it is being written."""
    with suppress(json.JSONDecodeError):
        return json.loads(path.read_text(encoding="utf-8"))


class Lab:
    """A book of two chapters, a reader's copies of them, and the lab on these.

    Beside the copies is a git repository with every window of the real book.
    """

    def __init__(self, folder):
        self.folder, self.book, self.copies = folder, folder / "book", folder / "my-book"
        self.process = None
        self.book.mkdir()
        shutil.copy(FIRST, self.book)
        shutil.copy(FIRST.with_name("notation.md"), self.book)
        explorer = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(EXPLORER, id="cell-00")])
        notebooks.save(explorer, self.book / "99_explorer.ipynb")
        self.fill_repository(self.copies / "repository")
        tracker = folder / "settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
        tracker.parent.mkdir(parents=True)
        tracker.write_text('{"windowingMode": "none"}', encoding="utf-8")  # every cell is there, in view or not

    def fill_repository(self, repository):
        self.repository = repository
        repository.mkdir(parents=True)
        for path in CHAPTERS:
            notebook = notebooks.read(path)
            notebook.metadata.language_info.version = platform.python_version()  # as if `make notebooks` had run here
            notebooks.save(notebook, repository / path.name)
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git(
            "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", "Chapters"
        )

    def git(self, *arguments):
        done = subprocess.run(["git", "-C", self.repository, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def start(self):
        """Start it as `make lab` does, but on a free port, with folders of its own for all that it writes."""
        names = ("JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTER_RUNTIME", "JUPYTERLAB_WORKSPACES")
        own = {f"{name}_DIR": str(self.folder / name) for name in names}
        own |= {"JUPYTERLAB_SETTINGS_DIR": str(self.folder / "settings"), "IPYTHONDIR": str(self.folder / "ipython")}
        command = [sys.executable, lab.__file__, "--book", self.book, "--copies", self.copies, "--no-browser"]
        command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={free_port()}", "--expose-app-in-browser"]
        log = self.folder / "lab.log"
        with open(log, "a", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                command, env={**os.environ, **own}, stdout=said, stderr=said, start_new_session=True
            )
        end = time.monotonic() + PATIENCE / 1000
        while not (server := next(filter(None, map(whole, self.folder.glob(SERVER))), None)):
            assert self.process.poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        self.address, self.token = server["url"], server["token"]

    def stop(self):
        """End it, with its kernels."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE / 1000)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process = None
            for path in self.folder.glob(SERVER):
                path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A lab. Its log tells what was wrong where a test fails."""
    running = Lab(tmp_path_factory.mktemp("lab"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def window(browser, running):
    """The page of what the lab opens by itself. No other host may be asked for anything."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    window, outside = context.new_page(), []
    window.set_default_timeout(PATIENCE)
    window.on("request", lambda request: request.url.startswith(OWN) or outside.append(request.url))
    window.goto(f"{running.address}?token={running.token}")
    wait_until_open(window, running.copies / FIRST.name)
    yield window
    context.close()
    assert outside == []


def wait_until_open(window, path):
    """Until every cell is on the page, and the kernel has said what it is."""
    window.wait_for_function(OPENED, arg=len(cells(path)))
    window.locator(f"{PANEL} .jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached")
    window.get_by_text("Python 3 (ipykernel) | Idle").wait_for()


def open_notebook(window, running, name):
    window.evaluate("path => { window.jupyterapp.commands.execute('docmanager:open', {path}); }", name)
    window.wait_for_url(f"**/lab/tree/{name}")
    wait_until_open(window, running.copies / name)


def cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def cell(window, path, name):
    """On the page, the first cell of a notebook whose id begins so."""
    place = next(i for i, cell in enumerate(cells(path)) if cell["id"].startswith(name))
    return window.locator(f"{CURRENT} .jp-Cell").nth(place)


def solution(window, path, name):
    """On the page, the first cell of the solution under a heading; the one between them marks its start."""
    place = next(i for i, cell in enumerate(cells(path)) if cell["id"] == name)
    return window.locator(f"{CURRENT} .jp-Cell").nth(place + 2)


def save(window, path):
    """Press Ctrl-S, and wait until the file was written."""
    before = path.stat().st_mtime_ns
    window.keyboard.press("Control+s")
    end = time.monotonic() + PATIENCE / 1000
    while path.stat().st_mtime_ns == before or not whole(path):
        assert time.monotonic() < end, f"{path.name} was not saved"
        time.sleep(0.05)


def test_the_lab_opens_chapter_1_with_its_title_first_and_the_installing_out_of_the_way(window):
    assert f"/lab/tree/{FIRST.name}" in window.url
    title = re.search(r"^# (.+)$", "".join(cells(FIRST)[0]["source"]), re.MULTILINE)[1]
    expect(window.locator(f"{CURRENT} .jp-Cell").first.locator("h1")).to_contain_text(title)
    installing = window.locator(f"{CURRENT} .jp-CodeCell").first
    expect(installing).to_contain_text("Installs handgrad where it is missing")
    expect(installing.locator(".cm-content")).to_be_hidden()


def test_solutions_are_folded_until_the_reader_opens_one(window):
    headings = [c["id"] for c in cells(FIRST) if c["id"].startswith("solution-")]
    assert len(headings) >= 3
    for name in headings:
        expect(cell(window, FIRST, name)).to_be_visible()
        expect(solution(window, FIRST, name)).to_be_hidden()
    for name in ("title-", "answer-"):
        expect(cell(window, FIRST, name)).to_be_visible()
    cell(window, FIRST, headings[1]).locator(".jp-showHiddenCellsButton").click()
    expect(solution(window, FIRST, headings[1])).to_be_visible()
    expect(solution(window, FIRST, headings[0])).to_be_hidden()
    expect(solution(window, FIRST, headings[2])).to_be_hidden()
    expect(cell(window, FIRST, "glossary")).to_be_visible()


def test_a_word_shows_what_it_means_and_a_link_leads_to_another_page(window):
    words = window.locator(f"{CURRENT} a.hover-link")
    assert words.count() > 3
    assert [word.text_content() for word in words.all() if word.get_attribute("href") == "#"] == []
    word = window.locator(f"{CURRENT} a.hover-link[href^='#term-']").first
    word.scroll_into_view_if_needed()
    word.hover()
    meaning = window.locator("[data-radix-popper-content-wrapper]").first
    expect(meaning).to_contain_text(re.compile(r"\w+ \w+ \w+ \w+"))
    window.mouse.move(5, 5)
    window.locator(f"{CURRENT} a.link", has_text="Notation").first.click()
    window.wait_for_url("**/lab/tree/notation.md")


def test_opening_and_saving_a_chapter_leaves_git_clean(running, window):
    """Of one chapter with text and figures, and one with explorers: what is special to others, tests of what is stored
    compare with these."""
    for path in CHAPTERS[:2]:
        open_notebook(window, running, f"repository/{path.name}")
        save(window, running.repository / path.name)
    assert running.git("diff") == ""


def test_an_explorer_works_once_its_cell_has_run_and_from_then_on(running, window):
    open_notebook(window, running, "99_explorer.ipynb")
    window.locator(f"{CURRENT} .jp-CodeCell .cm-content").first.click()
    window.keyboard.press("Shift+Enter")
    move_slider(window)
    window.locator(f"{CURRENT} .jp-CodeCell .cm-content").first.click()  # an explorer keeps keys that are pressed in it
    save(window, running.copies / "99_explorer.ipynb")
    window.goto(f"{running.address}lab/tree/99_explorer.ipynb?reset&token={running.token}")
    wait_until_open(window, running.copies / "99_explorer.ipynb")
    move_slider(window)  # what was stored works too, where no kernel knows the explorer


def move_slider(window):
    slider = window.locator(f"{CURRENT} .jp-OutputArea input[type=range]").first
    slider.focus()
    said = window.locator(f"{CURRENT} .jp-OutputArea .hg-said").first
    before = said.text_content()
    slider.press("ArrowRight")
    expect(said).not_to_have_text(before)
    expect(window.locator(f"{CURRENT} .jp-OutputArea svg").first).to_be_visible()


def test_an_answer_that_is_typed_and_saved_survives_an_update(running, window):
    copy = running.copies / FIRST.name
    open_notebook(window, running, FIRST.name)
    cell(window, FIRST, "answer-").locator(".cm-content").click()
    window.keyboard.type(ANSWER)
    window.keyboard.press("Control+Enter")
    expect(cell(window, FIRST, "answer-").locator(".jp-OutputArea")).to_contain_text("my answer is 42")
    save(window, copy)
    running.stop()

    updated = notebooks.read(FIRST)
    updated.cells.insert(1, nbformat.v4.new_markdown_cell("This sentence is new."))
    notebooks.save(updated, running.book / FIRST.name)
    running.start()
    window.goto(f"{running.address}lab/tree/{FIRST.name}?reset&token={running.token}")
    wait_until_open(window, copy)
    expect(window.locator(f"{CURRENT} .jp-Cell").nth(1)).to_contain_text("This sentence is new.")
    expect(cell(window, copy, "answer-")).to_contain_text(ANSWER)
    expect(cell(window, copy, "answer-").locator(".jp-OutputArea")).to_contain_text("my answer is 42")
    assert ANSWER not in FIRST.read_text(encoding="utf-8")
