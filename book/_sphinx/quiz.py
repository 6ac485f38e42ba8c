"""Quizzes: a question amid the text, and choices that unfold, each to its verdict.

In a notebook a quiz is plain MyST, which JupyterLab folds as well: an admonition of class `quiz`, and in it the
question and a dropdown for each choice. CONTRIBUTING.md shows one.

On a page a choice becomes `<details>`, which a browser unfolds without any script. Paper and reading devices unfold
nothing: there a quiz shows its choices alone, and the verdicts stand at the end of the chapter.
"""

from docutils import nodes
from sphinx.util import logging

from .chapter_numbers import chapter_number

RIGHT, WRONG = "Right.", "No."  # how a verdict begins
LETTERS = "abcd"
FEWEST_WORDS = 8  # of a verdict: a word of praise or blame is no reason


class Choice(nodes.General, nodes.Element):
    """A claim, then its verdict."""


class Claim(nodes.General, nodes.TextElement):
    """What a reader can choose."""


class Verdict(nodes.General, nodes.Element):
    """Whether the claim is right, and why."""


def dropdowns(quiz):
    return [part for part in quiz.children if isinstance(part, nodes.admonition) and "dropdown" in part["classes"]]


def fault(quiz):
    """What keeps an admonition from being a quiz, in one sentence; None if nothing does."""
    choices = dropdowns(quiz)
    if not 3 <= len(choices) <= len(LETTERS):
        return f"A quiz has three or four choices, dropdowns inside it, and this one has {len(choices)}."
    if len(quiz.children) - len(choices) < 2:  # its title, then the question
        return "A quiz asks something before its choices, and this one does not."
    right = 0
    for choice in choices:
        claim, *verdict = choice.children
        if len(verdict) != 1 or not isinstance(verdict[0], nodes.paragraph):
            return f"The verdict on “{claim.astext()}” is to be one paragraph, and is {len(verdict)} parts."
        said = verdict[0].astext()
        if not said.startswith((RIGHT, WRONG)) or len(said.split()) < FEWEST_WORDS:
            return f"The verdict on “{claim.astext()}” is to begin with {RIGHT} or {WRONG} and to say why: “{said}”"
        right += said.startswith(RIGHT)
    return None if right == 1 else f"One choice of a quiz is right, and of this one {right} are."


def fold(quiz, name):
    """Number a quiz and turn its dropdowns into choices. Returns its answers, which print the verdicts."""
    anchor = nodes.make_id(name)
    quiz["ids"].append(anchor)
    quiz.children[0].children = [nodes.Text(name)]
    back = nodes.reference("", name, refid=anchor, internal=True)
    answers = [nodes.paragraph("", "", back, classes=["quiz-name"], ids=[f"{anchor}-answers"])]
    for letter, choice in zip(LETTERS, dropdowns(quiz), strict=False):
        title, verdict = choice.children
        kind = "quiz-right" if verdict.astext().startswith(RIGHT) else "quiz-wrong"
        mark = nodes.inline("", letter, classes=["quiz-letter"])
        claim = nodes.inline("", "", *title.children)
        answer = [mark, nodes.Text(" "), nodes.emphasis("", "", claim), nodes.Text(": "), *verdict.children]
        answers.append(nodes.paragraph("", "", *(part.deepcopy() for part in answer), classes=["quiz-answer"]))
        folded = [Claim("", "", mark, nodes.Text(" "), claim), Verdict("", verdict, classes=["quiz-verdict"])]
        choice.replace_self(Choice("", *folded, classes=["quiz-choice", kind]))
    link = nodes.reference("", "at the end of the chapter", refid=f"{anchor}-answers", internal=True)
    quiz += nodes.paragraph("", "The answers stand ", link, nodes.Text("."), classes=["quiz-where"])
    return answers


def fold_quizzes(app, doctree):
    quizzes = [box for box in doctree.findall(nodes.admonition) if "quiz" in box["classes"]]
    chapter = chapter_number(app.env.docname)
    answers = [nodes.rubric("", "", nodes.strong("", "Answers to the quizzes"))]
    for number, quiz in enumerate(quizzes, start=1):
        if wrong := fault(quiz):
            logging.getLogger(__name__).warning(wrong, location=quiz)
        else:
            answers += fold(quiz, f"Quiz {number}" if chapter is None else f"Quiz {chapter}.{number}")
    if len(answers) > 1:
        next(doctree.findall(nodes.section)).append(nodes.container("", *answers, classes=["quiz-answers"]))


def element(tag, in_epub):
    """How a node becomes `tag` on a page, and `in_epub` in the EPUB; with None it stays out of it."""

    def visit(self, node):
        written = in_epub if self.builder.name == "epub" else tag
        if written is None:
            raise nodes.SkipNode
        self.body.append(self.starttag(node, written, ""))
        self.context.append(f"</{written}>\n")

    def depart(self, node):
        self.body.append(self.context.pop())

    return visit, depart


def setup(app):
    app.add_node(Choice, html=element("details", "div"))
    app.add_node(Claim, html=element("summary", "p"))
    app.add_node(Verdict, html=element("div", None))
    app.connect("doctree-read", fold_quizzes)
