"""What the text says in numbers, a cell of the same page prints or asserts; and solutions change nothing for others."""

import ast
import contextlib
import io
import json
import re
import warnings
from symtable import symtable

import numpy as np
import pytest
from chapters import CHAPTERS, cells_of, every_chapter

from handgrad import ComputationalGraph, Parameter
from handgrad.word2vec import Trainer

NUMBER = re.compile(r"(?<![\w.,])(\d+(?:(?:\{,\}|,)\d{3})*(?:\.\d+)?)(?![\w-])(?:\s*\\?(%))?")
NOT_PROSE = re.compile(
    r"^:+.*$|^:\w+:.*$|\{(?:cite|eq|doc|ref|numref|term)[^}]*\}`[^`]*`|\(\w[\w-]*\)=|`[^`]*`|\*\*Time:\*\*.*$"
    r"|[Cc]hapters? \d+",
    re.MULTILINE,
)
TEXT = 10_000  # parts of a list from which on it is a text, which nothing changes
SMALL = 10  # whole numbers up to this count things: two vectors, three gates
ONES = "one two three four five six seven eight nine".split()
TEENS = "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
IN_WORDS = {word: n for n, word in enumerate(TEENS, start=11)} | {word: 10 * n for n, word in enumerate(TENS, start=2)}
IN_WORDS |= {f"{ten}-{one}": IN_WORDS[ten] + n for ten in TENS for n, one in enumerate(ONES, start=1)}
WORD = re.compile(rf"\b({'|'.join(sorted(IN_WORDS, key=len, reverse=True))})(?![\w-])", re.IGNORECASE)

# What is quoted, supposed, or a wrong answer's arithmetic. A number of the page's own is not allowed here.
ALLOWED = {
    "01_one_hot": {"10,000", "520", "521", "9,000", "8,480", "20,000"},  # the quiz about ids; an exercise's question
    "02_embeddings": {"0.003"},  # a wrong answer of a quiz
    "08_graphs": {"12", "16", "13"},  # wrong answers of quizzes
    "10b_matrix_gates": {"0.001"},  # "raise one score by 0.001"
    "11_checking": {"20"},  # exponents: steps that are too small, in a quiz and a question
    "13_autodiff": {"800"},  # a score of chapter 10
    "15_negative_sampling": {"12,798", "64"},  # the vocabulary of 16; "the mean of 64"
    "16_sampling_words": {"7,500", "10,000", "100", "2.65"},  # two quizzes
}
# What takes seconds or a minute to compute and no solution reads, so that no solution needs its cells to have run.
TAKE_LONG = {
    "04_separating": ["ends"],
    "12_sick_gradients": ["one_network"],
    "16_sampling_words": ["snapshots", "follow_the_moment"],
}


def value(number):
    return float(number.replace("{,}", "").replace(",", ""))


def numbers_said(text):
    """The numbers in a text, as they are written: 0.38, 74%, 1,795,209, 10{,}000 in TeX; and 11 for eleven."""
    text = NOT_PROSE.sub("", text)
    said = [number + percent for number, percent in NUMBER.findall(text) if value(number) > SMALL or "." in number]
    return said + [str(IN_WORDS[word.lower()]) for word in WORD.findall(text)]


def captions_of(cell):
    """What a cell says by way of `show`, below and in place of a figure or an explorer: prose too."""
    calls = [node for node in ast.walk(tree_of(cell)) if isinstance(node, ast.Call) and is_of_show(node.func)]
    given = [value for call in calls for value in (*call.args, *(each.value for each in call.keywords))]
    return [value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)]


def is_drawing(cell):
    """Whether its numbers are places and sizes in a figure."""
    return "hide-input" in cell["metadata"].get("tags", []) and "show.figure(" in "".join(cell["source"])


def is_of_show(function):
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "show"


def tree_of(cell):
    return ast.parse(re.sub(r"^%.*$", "", "".join(cell["source"]), flags=re.MULTILINE))


def numbers_held(path):
    """The numbers that a page's code gives, works out, asserts or prints. A comment and a caption hold none."""
    numbers, texts = [], []
    for cell in cells_of(path, "code"):
        captions = captions_of(cell)
        for node in [] if is_drawing(cell) else ast.walk(tree_of(cell)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts += [node.value] if node.value not in captions else []
            elif isinstance(node, ast.Constant | ast.BinOp):
                numbers += number_of(node)
        for output in cell["outputs"]:
            shown = "".join(output.get("data", {}).get("text/plain", ""))
            for caption in captions:
                shown = shown.replace(caption, "")
            texts += ["".join(output.get("text", "")), shown]
    found = re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", "\n".join(texts).replace(",", ""))
    return numbers + [float(number) for number in found]


def number_of(node):
    """The value of 1_000, or of arithmetic with nothing but numbers in it: 6 * 2."""
    with contextlib.suppress(ValueError, TypeError, ArithmeticError):
        if all(
            isinstance(part, ast.Constant | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop)
            for part in ast.walk(node)
        ):
            return [abs(float(eval(compile(ast.Expression(node), "constant", "eval"))))]
    return []


def is_held(number, held):
    """Whether one of the numbers, or for a percentage its hundredfold, is this one when it is rounded as it is."""
    number, scales = (number[:-1], (1, 100)) if number.endswith("%") else (number, (1,))
    places = len(number.partition(".")[2])
    half = 0.5 * 10.0**-places + 1e-9
    return any(abs(scale * n - value(number)) <= half for n in held for scale in scales)


def said_by(path):
    """Every number that a page says, in its text and in its captions."""
    texts = ["".join(cell["source"]) for cell in cells_of(path, "markdown")]
    texts += [caption for cell in cells_of(path, "code") for caption in captions_of(cell)]
    return {number for text in texts for number in numbers_said(text)}


@every_chapter
def test_every_number_in_the_text_is_printed_or_asserted_by_a_cell(path):
    held, allowed = numbers_held(path), ALLOWED.get(path.stem, set())
    written = {number: number.replace("{,}", ",").rstrip("%") for number in said_by(path)}
    assert [n for n in sorted(written) if written[n] not in allowed and not is_held(n, held)] == []


def test_a_number_that_no_cell_holds_is_found(tmp_path):
    stored = json.loads(CHAPTERS[0].read_text(encoding="utf-8"))
    prose = next(cell for cell in stored["cells"] if cell["cell_type"] == "markdown")
    prose["source"] = ["The loss fell to 3.14159, in 123,457 steps, and `0.777` is code."]
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps(stored), encoding="utf-8")
    held = numbers_held(path)
    assert numbers_said("".join(prose["source"])) == ["3.14159", "123,457"]
    assert not any(is_held(n, held) for n in ("3.14159", "123,457"))
    assert is_held("0.69", [0.6931]) and is_held("64%", [0.6412]) and not is_held("0.69", [0.7])
    assert not is_held("64", [0.6412])


def test_numbers_in_words_captions_and_comments_hold_nothing_and_are_checked(tmp_path):
    source = """# Back in 47 steps.
show.figure(fig, "A line that ends at 3.77.", title="after 29 rounds")
assert 0.5 < 6 * 7 < 1e3"""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["Twenty-three of the forty, and 55\\% of one in nine."]},
        {
            "cell_type": "code",
            "metadata": {},
            "source": [source],
            "outputs": [{"data": {"text/plain": ["figure: A line that ends at 3.77."]}}],
        },
    ]
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert said_by(path) == {"23", "40", "55%", "3.77", "29"}
    held = numbers_held(path)
    assert [n for n in ("23", "40", "55%", "3.77", "29", "47") if is_held(n, held)] == [] and is_held("42", held)


@pytest.fixture(scope="module")
def trained_once():
    """A run of the same settings on the same text has the same bits, and so it is trained once."""
    fit, runs = Trainer.fit, []

    def fit_once(trainer, sentences):
        for config, text, before in runs:
            if not trainer.callbacks and (config, text) == (trainer.config, sentences):
                vars(trainer).update(vars(before))
                return trainer.vectors
        runs.append((trainer.config, sentences, trainer))
        return fit(trainer, sentences)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", fit_once)
        yield


@every_chapter
def test_a_solution_gives_no_name_of_the_page_another_meaning(path, trained_once):
    """All cells from top to bottom, then each solution twice: it runs again, and what the cells use stays."""
    page, solutions = split(path)
    long = cells_that_take_long(path, page)
    seen = {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for source in page:
            if source in long:
                seen |= {name: object() for name in names(source, ast.Store)}
            else:
                exec(compile(source, "cell", "exec"), seen)
        meant = {name: id(thing) for name, thing in seen.items() if not name.startswith("_")}
        contents = {name: contents_of(seen[name]) for name in meant}
        for source in solutions * 2:
            exec(compile(source, "cell", "exec"), seen)
    changed = [name for name, address in meant.items() if id(seen[name]) != address]
    changed += [name for name in meant if contents_of(seen[name]) != contents[name]]
    assert sorted(set(changed) - counters(page)) == []


def contents_of(thing):
    """What a solution could change in it, where it stays the same thing: of arrays, and of what holds or draws them."""
    if isinstance(thing, np.random.Generator):
        return str(thing.bit_generator.state)
    if isinstance(thing, ComputationalGraph):
        return contents_of([[passed.get(node) for node in thing.nodes] for passed in (thing.values, thing.gradients)])
    if isinstance(thing, Parameter):
        return contents_of(thing.value)
    if isinstance(thing, dict):
        return contents_of([*thing.items()])
    if isinstance(thing, list | tuple):
        return [contents_of(part) for part in thing] if len(thing) < TEXT else len(thing)
    if type(thing) is np.ndarray:
        return thing.shape, hash(thing.tobytes())
    return repr(thing) if isinstance(thing, int | float | complex | str | np.generic) else type(thing)


@pytest.mark.parametrize(
    "solution",
    ["u[0] = 9", "rng.normal()", "graph.forward(x=9.0)", "p.value[0] = 9", "found['a'].append(9)", "words[0] = 2"],
)
def test_a_change_in_place_is_found(solution):
    page = """
import numpy as np
from handgrad import ComputationalGraph, Exp, Node, Parameter

u, rng, p = np.zeros(2), np.random.default_rng(0), Parameter("p", np.zeros(2))
graph, found, words = ComputationalGraph(Exp()(Node("x"))), {"a": [u]}, [1, 2]
graph.forward(x=1.0)"""
    seen = {}
    exec(page, seen)
    names = ("u", "rng", "p", "graph", "found", "words")
    before = {name: contents_of(seen[name]) for name in names}
    assert {name: contents_of(seen[name]) for name in names} == before
    exec(solution, seen)
    assert {name: contents_of(seen[name]) for name in names} != before


def cells_that_take_long(path, page):
    """Those that read a name of TAKE_LONG, or one that such a cell gives. Of these only the names matter here."""
    cells, given = [], set(TAKE_LONG.get(path.stem, ()))
    for source in page:
        if given & names(source, ast.Load):
            cells.append(source)
            given |= names(source, ast.Store)
    return cells


@every_chapter
def test_no_solution_reads_what_takes_long(path):
    page, solutions = split(path)
    long = cells_that_take_long(path, page)
    given = set().union(*(names(source, ast.Store) for source in long))
    read, own = (set().union(*(names(source, kind) for source in solutions)) for kind in (ast.Load, ast.Store))
    assert len(long) >= len(TAKE_LONG.get(path.stem, ())) and given & (read - own) == set()


def names(source, kind):
    """The names that the cell itself gives, or that anything in it reads."""
    if kind is ast.Store:
        return {symbol.get_name() for symbol in symtable(source, "cell", "exec").get_symbols() if symbol.is_assigned()}
    return {
        node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name) and isinstance(node.ctx, kind)
    }


def counters(sources):
    """The names that loops count with: each loop sets them anew."""
    loops = [node.target for node in ast.walk(ast.parse("\n".join(sources))) if isinstance(node, ast.For)]
    return {name.id for target in loops for name in ast.walk(target) if isinstance(name, ast.Name)}


def split(path):
    """The sources of a page's own code cells, and those of its solutions."""
    page, solutions, inside = [], [], False
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        inside = (inside or "{solution-start}" in source) and "{solution-end}" not in source
        if cell["cell_type"] == "code":
            (solutions if inside else page).append(source)
    return page, solutions
