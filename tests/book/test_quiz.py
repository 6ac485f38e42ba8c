"""Quizzes: one choice is right, every verdict has its reason, and unfolding one takes a key and no script."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from _sphinx import quiz as extension
from chapters import CHAPTERS
from docutils import nodes
from docutils.core import publish_doctree
from in_browser import opened
from myst_parser.docutils_ import Parser

CHAPTER = re.compile(r"/\d\d[a-z]?_\w+$")

QUIZ = """\
::::{admonition} Quiz
:class: quiz

What is 1 + 1?

:::{admonition} 11
:class: dropdown
**No.** That puts one digit beside the other, which is no sum.
:::

:::{admonition} 2
:class: dropdown
**Right.** One thing and one more thing are two things.
:::

:::{admonition} 1
:class: dropdown
**No.** That is the product of the two numbers, not their sum.
:::
::::
"""


def read(source):
    settings = {"myst_enable_extensions": ["colon_fence"]}
    return next(publish_doctree(source, parser=Parser(), settings_overrides=settings).findall(nodes.admonition))


def test_a_good_quiz_has_no_fault():
    assert extension.fault(read(QUIZ)) is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("**No.** That is the product of", "**Right.** Nobody can tell apart", "of this one 2 are"),
        ("**Right.** One thing", "**No.** One thing", "of this one 0 are"),
        ("What is 1 + 1?\n", "", "asks something before its choices"),
        ("**No.** That is the", "That is the", "begin with Right. or No."),
        (" That is the product of the two numbers, not their sum.", "", "to say why: “No.”"),
        ("numbers, not their sum.", "numbers.\n\nNot their sum.", "to be one paragraph, and is 2 parts"),
        ("{admonition} 1\n:class: dropdown", "{admonition} 1", "this one has 2"),
    ],
)
def test_a_fault_is_named_in_a_sentence(old, new, expected):
    assert QUIZ.count(old) == 1
    assert expected in extension.fault(read(QUIZ.replace(old, new)))


@pytest.fixture(scope="module", params=[chapter.stem for chapter in CHAPTERS])
def chapter(request):
    return request.param


@pytest.fixture(scope="module")
def opened_once(reader, site, chapter):
    with opened(reader, (site / f"book/{chapter}.html").as_uri()) as page:
        yield page


@pytest.fixture
def with_scripts(opened_once):
    """The chapter, left for the next test as it was found: on the screen, with the folds of its quizzes closed."""
    yield opened_once
    opened_once.emulate_media(media="screen")
    opened_once.evaluate("document.querySelectorAll('div.quiz details').forEach((fold) => { fold.open = false; })")


@pytest.fixture(scope="module")
def reader_without_scripts(browser):
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.fixture
def without_scripts(reader_without_scripts, site, chapter):
    with opened(reader_without_scripts, (site / f"book/{chapter}.html").as_uri()) as page:
        yield page


def test_the_chapters_are_those_of_the_contents(pages):
    assert [Path(page).name for page in pages if CHAPTER.search(f"/{page}")] == [path.stem for path in CHAPTERS]


def test_every_chapter_has_quizzes_and_each_has_one_right_choice(with_scripts, chapter):
    quizzes = with_scripts.locator("div.quiz").all()
    assert 3 <= len(quizzes) <= 5
    for number, quiz in enumerate(quizzes, start=1):
        name = f"Quiz {chapter.split('_')[0].lstrip('0')}.{number}"
        assert quiz.locator("p.admonition-title").inner_text() == name
        assert quiz.locator("details.quiz-right").count() == 1, name
        assert quiz.locator("details").count() == quiz.locator("details.quiz-choice summary").count() >= 3, name
        assert quiz.locator("button").count() == 0, f"{name} has a fold that needs a script"


@pytest.mark.parametrize("kind", ["with_scripts", "without_scripts"])
def test_a_choice_unfolds_by_keyboard_and_shows_its_verdict(request, chapter, kind):
    page = request.getfixturevalue(kind)
    assert page.locator("div.quiz details[open]").count() == 0
    assert page.locator(".quiz-verdict:visible").count() == 0
    first, second = page.locator("div.quiz").first.locator("details").all()[:2]
    for fold, key in ((first, "Enter"), (second, "Space")):
        fold.locator("summary").focus()
        page.keyboard.press(key)
        verdict = fold.locator(".quiz-verdict")
        assert verdict.is_visible()
        right = "quiz-right" in fold.get_attribute("class")
        assert verdict.inner_text().startswith("Right." if right else "No."), "told in words"
    assert page.locator(".quiz-verdict:visible").count() == 2, "no other choice has unfolded"
    assert page.locator(".quiz-answers:visible, .quiz-where:visible").count() == 0, "only on paper"


def test_on_paper_the_verdicts_stand_at_the_end_and_not_beside_the_choices(with_scripts):
    page = with_scripts
    verdicts = page.locator(".quiz-verdict").all_text_contents()
    page.locator("div.quiz summary").first.click()  # a reader may print what is unfolded
    page.emulate_media(media="print")
    assert page.locator(".quiz-verdict:visible").count() == 0
    assert page.locator("div.quiz summary:visible").count() == len(verdicts)
    answers = page.locator(".quiz-answer:visible").all_text_contents()
    assert len(answers) == len(verdicts) >= 9
    for answer, verdict in zip(answers, verdicts, strict=True):
        assert answer.endswith(verdict.strip())
    lead_to = page.locator(".quiz-where a, .quiz-name a").evaluate_all(
        "(links) => links.map((link) => document.querySelectorAll(link.getAttribute('href')).length)"
    )
    assert set(lead_to) == {1}
    last = page.locator("article section > *").last
    assert last.evaluate("(part) => part.closest('.quiz-answers') !== null"), "the answers end the chapter"


CONF = """\
project, version, extensions = "Quizzes", "1", ["myst_parser", "_sphinx.quiz"]
myst_enable_extensions = ["colon_fence"]
epub_copyright = epub_identifier = "nobody"
"""


def sphinx(folder, source, builder, root):
    """Build a page with Sphinx alone, every warning an error."""
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    (folder / "index.md").write_text(f"# A page\n\n{source}", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-Wqb", builder, "-d", folder / "doctrees", folder, folder / "out"]
    environment = {**os.environ, "PYTHONPATH": str(root / "book"), "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_in_the_epub_the_verdicts_stand_at_the_end_too(root, tmp_path):
    built = sphinx(tmp_path, QUIZ, "epub", root)
    assert built.returncode == 0, built.stderr
    quiz, answers = (tmp_path / "out/index.xhtml").read_text(encoding="utf-8").split('class="quiz-answers')
    assert quiz.count('class="quiz-choice') == answers.count('class="quiz-answer"') == 3
    assert "<details" not in quiz and "Right." not in quiz and "Right." in answers


def test_a_faulty_quiz_stops_the_build(root, tmp_path):
    built = sphinx(tmp_path, QUIZ.replace("**Right.**", "**No.**"), "html", root)
    assert built.returncode != 0
    assert "index.md:3:One choice of a quiz is right, and of this one 0 are." in built.stderr
