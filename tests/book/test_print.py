"""The book on paper and on a reading device: the PDF, the EPUB, and a page as the browser prints it."""

import io
import re
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import pypdf
import pytest
from in_browser import opened

XHTML, MATHML = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/1998/Math/MathML}"


def make(root, tool, *arguments):
    """Run a tool as the Makefile does."""
    subprocess.run([sys.executable, root / "tools" / tool, *arguments], check=True, capture_output=True)


def h1(site, page):
    html = (site / f"{page}.html").read_text(encoding="utf-8")
    return re.sub(r"<[^>]+>", "", re.search(r"<h1>(.*?)<a ", html)[1]).strip()


@pytest.fixture(scope="module")
def printed(pages):
    """The pages of the PDF: all but the library's reference."""
    return [page for page in pages if not page.startswith("book/reference/")]


@pytest.fixture(scope="module")
def pdf(root, site, tmp_path_factory):
    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    make(root, "pdf.py", site, target)
    return pypdf.PdfReader(target)


@pytest.fixture(scope="module")
def read(pdf):
    """Of each page of the PDF its text, and how high each piece of it stands, as a part of the page: read once."""
    return [text_and_heights(page) for page in pdf.pages]


def text_and_heights(page):
    heights, paper = [], float(page.mediabox.height)

    def note(text, matrix, text_matrix, *_):
        if text.strip():
            heights.append((matrix[1] * text_matrix[4] + matrix[3] * text_matrix[5] + matrix[5]) / paper)

    return page.extract_text(visitor_text=note), heights


@pytest.fixture(scope="module")
def words(read):
    """The whole text, with single spaces."""
    return " ".join(" ".join(text for text, _ in read).split())


def test_the_pdf_has_every_chapter_in_order(pdf, site, printed):
    titles = [entry.title for entry in pdf.outline if not isinstance(entry, list)]
    assert titles == ["Contents", *(h1(site, page) for page in printed)]
    starts = [pdf.get_destination_page_number(e) for e in pdf.outline if not isinstance(e, list)]
    assert starts == sorted(set(starts)), "each begins on a page of its own"
    assert 5 * len(printed) < len(pdf.pages) < 40 * len(printed)


def test_the_contents_tell_the_page_on_which_each_chapter_begins(pdf):
    """As they stand on paper, and where their links lead."""
    first, *chapters = [entry for entry in pdf.outline if not isinstance(entry, list)]
    page = pdf.pages[pdf.get_destination_page_number(first)]
    begin = [pdf.get_destination_page_number(chapter) + 1 for chapter in chapters]
    numbers = [int(n) for n in re.findall(r"(?<=\D)(\d+)$", page.extract_text(), re.MULTILINE)]
    assert numbers[: len(begin)] == begin
    links = [annotation.get_object() for annotation in page["/Annots"]]
    leads_to = [pdf.get_destination_page_number(pdf.named_destinations[link["/Dest"]]) + 1 for link in links]
    assert leads_to == begin


def test_the_pdf_is_text_and_its_pages_are_numbered(read, words):
    for number, (text, _) in enumerate(read, start=1):
        lines = text.split("\n")
        assert str(number) in (lines[0].strip(), lines[-1].strip()), lines
    for phrase in ("A single 1 in a row of zeros", "def negative_sampling_step(", "one-hot vector", "Solution", "Hint"):
        assert phrase in words, phrase
    assert not re.search(r"\\\(|\\\[|\\mathbf|Show the source|Send them through", words)


def test_solutions_are_open_on_paper(words, root, pages):
    solutions = sum(
        (root / f"{page}.ipynb").read_text(encoding="utf-8").count("{solution-start}")
        for page in pages
        if (root / f"{page}.ipynb").exists()
    )
    assert solutions > 10
    assert words.count("You will be able to") == sum((root / f"{page}.ipynb").exists() for page in pages)
    assert len(re.findall(r"\bSolution\b", words)) >= solutions
    assert "The errors are" in words  # how a solution begins
    assert "divided by 4, the size of axis 0 of the output" in words  # what a cell says that the page folds


def test_links_of_the_pdf_stay_inside(pdf):
    inside = outside = 0
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            link = annotation.get_object()
            address = link.get("/A", {}).get("/URI", "")
            assert not str(address).startswith("file:"), address
            inside, outside = inside + (not address), outside + bool(address)
    assert inside > 50 and outside > 0


def test_pages_are_filled(pdf, read):
    """Below its last line of text, no page is empty for more than two fifths, unless a chapter ends on it."""
    begins = {pdf.get_destination_page_number(e) for e in pdf.outline if not isinstance(e, list)}
    ends = {0, len(pdf.pages) - 1, *(number - 1 for number in begins)}
    gaps = {number + 1: lowest(heights) for number, (_, heights) in enumerate(read) if number not in ends}
    assert len(gaps) > 30
    assert {number: round(gap, 2) for number, gap in gaps.items() if gap > 0.4} == {}


def lowest(heights):
    """Of the lowest text above the page's number."""
    return min(height for height in heights if height > 0.062)  # its number stands below


# What reaches beyond the paper, and what is wider than its own box.
CUT_OFF = """
() => [...document.querySelectorAll("article :is(p, pre, svg, table, img, mjx-container, figure)")]
  .filter((part) => part.checkVisibility() && part.getBoundingClientRect().right > innerWidth + 1
    || part.matches("pre, mjx-container[display]") && part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.getBoundingClientRect().right} ${part.outerHTML.slice(0, 120)}`)
"""


def test_nothing_is_cut_off_on_paper(reader, site, page):
    """The page laid out for paper, as wide as the print of an A4 sheet: 174 mm."""
    address = (site / f"{page}.html").as_uri()
    with opened(reader, address, width=round(174 / 25.4 * 96), height=1000, media="print") as sheet:
        assert sheet.evaluate(CUT_OFF) == []
        if page != "search":  # which is nothing but a form
            assert not sheet.locator("button:visible, form:visible, .bd-sidebar:visible").count()


@pytest.fixture(scope="module")
def epub(root, site, tmp_path_factory, build_book):
    folder = tmp_path_factory.mktemp("epub")
    built = build_book(root, folder, "--builder", "custom", "--custom-builder", "epub")
    target = folder / "book.epub"
    make(root, "epub.py", built / "epub", site, target)
    return target


def test_the_epub_opens(epub, pages):
    with zipfile.ZipFile(epub) as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"application/epub+zip"
        names = set(archive.namelist())
        assert {f"{page}.xhtml" for page in pages} <= names
        package = archive.read("content.opf").decode()
        for page in pages:
            assert f'href="{page}.xhtml"' in package


def test_formulas_and_figures_of_the_epub_are_there(epub, site, pages):
    with zipfile.ZipFile(epub) as archive:
        for page in pages:
            text = archive.read(f"{page}.xhtml").decode()
            tree = ElementTree.parse(io.StringIO(text)).getroot()  # it is well-formed
            html = (site / f"{page}.html").read_text(encoding="utf-8").split("<article")[1].split("</article>")[0]
            html = re.sub(r'<div class="quiz-verdict">.*?</div>', "", html, flags=re.DOTALL)  # printed in the answers
            assert len(list(tree.iter(f"{MATHML}math"))) == len(re.findall(r'class="math ', html)), page
            assert text.count("<svg") >= html.count('<svg class="hg-graph"') + html.count('<svg role="img"')
            assert not list(tree.iter(f"{XHTML}script")) and not list(tree.iter(f"{XHTML}button"))
            assert "var(--" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
            for image in tree.iter(f"{XHTML}img"):
                assert image.get("src").removeprefix("../") in archive.namelist()
