"""Open the chapters in JupyterLab, as copies that are the reader's own: an update of the book carries answers over.

python tools/lab.py [options of jupyter lab]

The copies are in my-book/, which git ignores. When a chapter of the book has changed since its copy was made, what the
reader did goes over into the new edition (carry_over.py), and the copy from before stays in my-book/earlier/. Each step
leaves whole files behind: what is stopped in the middle is done by the next start.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import filelock
from carry_over import carried_over, changed_by_reader, without_readers_cells
from nbformat.sign import NotebookNotary
from notebooks import NotANotebookError, as_text, read

from handgrad.files import replacing

ROOT = Path(__file__).resolve().parents[1]
MARK = "gradients-by-hand"  # of a copy: the edition that it was made from
EDITIONS = ".editions"  # in the folder of copies: each edition that a copy was made from
EARLIER = "earlier"
LINK = re.compile(r"\]\((\w+\.md)\)")
CONFIGURATION = ROOT / "tools/jupyter"  # explorers outlive their kernels; no other host is asked for news


class Copies:
    """A folder of readers' copies of the chapters in another folder."""

    def __init__(self, book, folder):
        self.book, self.folder = Path(book), Path(folder)
        self.chapters = sorted(self.book.glob("*.ipynb"))
        self.lock = filelock.FileLock(self.folder / EDITIONS / "lock", timeout=0)

    def acquire(self):
        """Hold the lock while a lab is open: what is open there must not change on the disk."""
        (self.folder / EDITIONS).mkdir(parents=True, exist_ok=True)
        self.lock.acquire()

    def update(self):
        """Bring every copy up to date; yields a line for each of which the reader should know."""
        pages = set()
        for chapter in self.chapters:
            yield from self.update_chapter(chapter)
            pages.update(LINK.findall(chapter.read_text(encoding="utf-8")))
        for name in sorted(pages):
            yield from self.update_page(self.book / name)

    def update_chapter(self, chapter):
        mine, copy = None, self.folder / chapter.name
        content = chapter.read_bytes()
        edition = hashlib.sha256(content).hexdigest()[:16]
        new = read(chapter)
        if os.path.lexists(copy):
            try:
                mine = read(copy)
                made_from = mine.metadata.get(MARK, {}).get("edition", "")
                if made_from == edition:
                    return
                known = self.edition(made_from)
                old = known or without_readers_cells(mine, new)
                changed = changed_by_reader(mine, old)
                new = carried_over(old, mine, new)
            except (NotANotebookError, AttributeError, KeyError, TypeError):  # the last three: no notebook's structure
                kept = self.keep(copy)
                yield f"{copy.name} could not be read. It is now {kept}, and in its place is the book's chapter."
            else:
                if changed or known is None:
                    kept = self.keep(copy)
                    cells = "1 cell of yours is" if changed == 1 else f"{changed} cells of yours are"
                    yield f"{copy.name} was updated, and {cells} in it. As it was before, it is {kept}."
                else:
                    yield f"{copy.name} was updated."
        write(content, self.folder / EDITIONS / f"{edition}.ipynb")
        new.metadata[MARK] = {"edition": edition}
        trusted = mine is None or is_trusted(mine)
        write(as_text(new).encode(), copy)
        if trusted:
            trust(copy)

    def edition(self, name):
        """The chapter that a copy was made from, or None where it is not known any more."""
        try:
            return read(self.folder / EDITIONS / f"{Path(str(name)).name}.ipynb")
        except NotANotebookError:
            return None

    def update_page(self, page):
        copy, original = self.folder / page.name, self.folder / EDITIONS / page.name
        content = page.read_bytes()
        if copy.exists() and copy.read_bytes() == content:
            return
        if copy.exists() and not (original.exists() and original.read_bytes() == copy.read_bytes()):
            yield f"{copy.name} was updated. As you had changed it, it is {self.keep(copy)}."
        write(content, original)
        write(content, copy)

    def keep(self, copy):
        """Put a copy aside under a name that is not taken, and say where."""
        folder = self.folder / EARLIER
        folder.mkdir(exist_ok=True)
        stem = f"{copy.stem} {datetime.now():%Y-%m-%d %H.%M.%S}"
        kept = folder / (stem + copy.suffix)
        while os.path.lexists(kept):
            stem += "_"
            kept = folder / (stem + copy.suffix)
        if copy.is_file():
            with replacing(kept) as partial:
                shutil.copyfile(copy, partial)
        else:
            copy.rename(kept)
        return kept.relative_to(self.folder.parent)


def write(content, path):
    with replacing(path) as partial:
        partial.write_bytes(content)


def is_trusted(notebook):
    with suppress(OSError), NotebookNotary() as notary:
        return notary.check_signature(notebook)
    return False


def trust(path):
    """Have JupyterLab show drawings at once: those of a notebook that it does not trust wait until it is run."""
    with suppress(OSError), NotebookNotary() as notary:
        notary.sign(read(path))


def run_lab(folder, chapter, options):
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{chapter}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    paths = filter(None, (str(CONFIGURATION), os.environ.get("JUPYTER_CONFIG_PATH")))
    environment = {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}
    lab = subprocess.Popen([*command, *options], env=environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the lab's, which asks whether to stop
    signal.signal(signal.SIGTERM, lambda *_: lab.terminate())
    return lab.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="Other options go to jupyter lab.")
    parser.add_argument("--book", type=Path, default=ROOT / "book", help="the folder of chapters")
    parser.add_argument("--copies", type=Path, default=ROOT / "my-book", help="the folder of copies of them")
    arguments, options = parser.parse_known_args()
    copies = Copies(arguments.book, arguments.copies.absolute())
    first = copies.chapters[0].name
    try:
        copies.acquire()
        for line in copies.update():
            print(line, flush=True)
    except filelock.Timeout:
        print("The chapters are open in another lab, so they are not updated now.", file=sys.stderr, flush=True)
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}" if error.strerror else str(error)
        print(f"The copies in {copies.folder} could not be updated ({reason}).", file=sys.stderr, flush=True)
        if not (copies.folder / first).exists():
            return 2
    except NotANotebookError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        return run_lab(copies.folder, first, options)
    finally:
        copies.lock.release()


if __name__ == "__main__":
    sys.exit(main())
