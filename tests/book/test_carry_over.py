"""What a reader did in a copy of a chapter, after an update of the book: nothing of it is lost, whatever changed."""

import copy
import itertools

import nbformat
import pytest
from carry_over import LEFT_OVER, NOTE, carried_over, changed_by_reader, without_readers_cells
from hypothesis import given
from hypothesis import strategies as st

FIRST = [
    ("title", "markdown", "# A chapter"),
    ("code", "code", "rate = 0.1\nprint(rate)"),
    ("prose", "markdown", "The loss falls, since each step goes against the gradient."),
    ("answer-ex-1", "code", ""),
    ("solution-ex-1", "markdown", "#### Solution"),
    ("result", "code", "print(1 + 1)"),
    ("answer-ex-2", "code", ""),
    ("solution-ex-2", "markdown", "#### Solution"),
    ("last", "code", "print(2 + 2)"),
]


def edition(cells, numbered=True):
    """A notebook of the book's: the cells that are not for JupyterLab alone are numbered by their places."""
    numbers = itertools.count()
    notebook = nbformat.v4.new_notebook()
    for name, kind, source in cells:
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        lab_only = name.startswith(("answer-", "solution-"))
        cell = make(source, id=name if lab_only or not numbered else f"cell-{next(numbers):02d}")
        if lab_only:
            cell.metadata["tags"] = ["lab-only", "remove-cell"]
        notebook.cells.append(cell)
    return notebook


def sources(notebook):
    return [cell.source for cell in notebook.cells]


def place(notebook, source):
    return sources(notebook).index(source)


@pytest.fixture
def old():
    return edition(FIRST)


@pytest.fixture
def mine(old):
    return copy.deepcopy(old)


def test_an_untouched_copy_becomes_the_new_edition(old, mine):
    new = edition([*FIRST[:2], ("new", "markdown", "Something new."), *FIRST[3:]])
    assert carried_over(old, mine, new) == new
    assert changed_by_reader(mine, old) == 0


def test_an_answer_goes_into_its_cell_wherever_that_is_now(old, mine):
    mine.cells[3].source, mine.cells[6].source = "answer = 1", "answer = 2"
    mine.cells[6].outputs = [nbformat.v4.new_output("stream", name="stdout", text="two\n")]
    new = edition([FIRST[0], ("more", "markdown", "More."), *FIRST[6:], *FIRST[1:6]])
    merged = carried_over(old, mine, new)
    by_id = {cell.id: cell for cell in merged.cells}
    assert by_id["answer-ex-1"].source == "answer = 1" and by_id["answer-ex-2"].source == "answer = 2"
    assert by_id["answer-ex-2"].outputs == mine.cells[6].outputs
    assert len(merged.cells) == len(new.cells) and changed_by_reader(mine, old) == 2


def test_an_answer_in_words_stays_in_words(old, mine):
    mine.cells[3] = nbformat.v4.new_markdown_cell("Because $x$.", id="answer-ex-1")
    merged = carried_over(old, mine, edition(FIRST[1:]))
    answer = merged.cells[2]
    assert (answer.id, answer.cell_type, answer.source) == ("answer-ex-1", "markdown", "Because $x$.")
    assert answer.metadata.tags == ["lab-only", "remove-cell"]


def test_added_cells_stay_where_they_stood(old, mine):
    mine.cells.insert(4, nbformat.v4.new_code_cell("second = 2"))
    mine.cells.insert(4, nbformat.v4.new_markdown_cell("A note of mine."))
    mine.cells.insert(0, nbformat.v4.new_code_cell("before_all = 0"))
    mine.cells.append(nbformat.v4.new_code_cell("after_all = 9"))
    merged = carried_over(old, mine, edition([FIRST[0], *FIRST[2:8], ("more", "code", "print(3)"), FIRST[8]]))
    assert sources(merged)[0] == "before_all = 0" and sources(merged)[-1] == "after_all = 9"
    there = merged.cells[place(merged, "A note of mine.") - 1 :]
    assert there[0].id == "answer-ex-1" and there[2].source == "second = 2" and there[3].id == "solution-ex-1"


def test_a_cell_that_the_reader_changed_stays_changed(old, mine):
    mine.cells[1].source = "rate = 0.5\nprint(rate)"
    new = edition([("more", "markdown", "More."), *FIRST])
    merged = carried_over(old, mine, new)
    assert sources(merged)[2] == "rate = 0.5\nprint(rate)" and len(merged.cells) == len(new.cells)


def test_where_the_book_changed_it_too_both_are_there(old, mine):
    mine.cells[1].source = "rate = 0.5\nprint(rate)"
    merged = carried_over(old, mine, edition([FIRST[0], ("code", "code", "rate = 0.2\nprint(rate)"), *FIRST[2:]]))
    assert sources(merged)[1:4] == ["rate = 0.2\nprint(rate)", NOTE, "rate = 0.5\nprint(rate)"]


def test_the_same_change_by_both_is_there_once(old, mine):
    mine.cells[1].source = "rate = 0.2\nprint(rate)"
    new = edition([FIRST[0], ("code", "code", "rate = 0.2\nprint(rate)"), *FIRST[2:]])
    assert sources(carried_over(old, mine, new)) == sources(new)


def test_an_answer_to_an_exercise_that_is_gone_is_kept(old, mine):
    mine.cells[6].source = "answer = 2"
    merged = carried_over(old, mine, edition([*FIRST[:6], FIRST[8]]))
    assert sources(merged)[-3:-1] == [LEFT_OVER, "answer = 2"]


def test_deleted_cells_are_there_again(old, mine):
    del mine.cells[1], mine.cells[2]
    new = edition([*FIRST, ("more", "code", "print(3)")])
    assert sources(carried_over(old, mine, new)) == sources(new)


def test_a_second_update_finds_everything_again(old, mine):
    mine.cells[1].source = "rate = 0.5\nprint(rate)"
    mine.cells[3].source = "answer = 1"
    mine.cells.append(nbformat.v4.new_code_cell("after_all = 9"))
    second = edition([FIRST[0], ("code", "code", "rate = 0.2\nprint(rate)"), *FIRST[2:]])
    once = carried_over(old, mine, second)
    third = edition([("more", "markdown", "More."), FIRST[0], ("code", "code", "rate = 0.3\nprint(rate)"), *FIRST[2:]])
    twice = carried_over(second, once, third)
    for source in (NOTE, "rate = 0.5\nprint(rate)", "answer = 1", "after_all = 9"):
        assert sources(twice).count(source) == 1
    assert len(twice.cells) == len(third.cells) + 3


def test_other_ids_do_not_matter(old, mine):
    """As after a visit to an editor that gives cells new ids."""
    for number, cell in enumerate(mine.cells):
        cell["id"] = f"x{number}"
    mine.cells.insert(4, nbformat.v4.new_code_cell("second = 2"))
    new = edition([("more", "markdown", "More."), *FIRST])
    merged = carried_over(old, mine, new)
    assert len(merged.cells) == len(new.cells) + 1 and place(merged, "second = 2") == 5


def test_without_the_old_edition_answers_and_added_cells_are_found(mine):
    mine.cells[3].source = "answer = 1"
    mine.cells.insert(4, nbformat.v4.new_code_cell("second = 2"))
    new = edition([*FIRST[:2], ("prose", "markdown", "Another text."), *FIRST[3:]])
    merged = carried_over(without_readers_cells(mine, new), mine, new)
    assert sources(merged)[2:5] == ["Another text.", "answer = 1", "second = 2"]
    assert len(merged.cells) == len(new.cells) + 1


def test_nothing_that_is_given_changes(old, mine):
    mine.cells[3].source = "answer = 1"
    new = edition(FIRST[1:])
    before = copy.deepcopy((old, mine, new))
    carried_over(old, mine, new)
    assert (old, mine, new) == before


TEXTS = st.sampled_from(["", "a = 1", "a = 2", "b = 1\nprint(b)", "b = 2\nprint(b)", "Some words.", "Other words."])
CELLS = st.lists(st.tuples(st.sampled_from(["code", "markdown"]), TEXTS), max_size=8)


@given(CELLS, CELLS, st.data())
def test_whatever_was_done_and_updated_every_text_is_there(old_cells, new_cells, data):
    """Every text of the reader's that was not the book's is in the result, and no two cells have one id."""
    old, new = (edition([("c", *cell) for cell in cells]) for cells in (old_cells, new_cells))
    mine = copy.deepcopy(old)
    for cell in mine.cells:
        cell.source = data.draw(st.one_of(st.just(cell.source), TEXTS))
    for kind, text in data.draw(CELLS):
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        mine.cells.insert(data.draw(st.integers(0, len(mine.cells))), make(text))
    deleted = data.draw(st.sets(st.integers(0, max(0, len(mine.cells) - 1)), max_size=3))
    mine.cells = [cell for i, cell in enumerate(mine.cells) if i not in deleted]
    merged = carried_over(old, mine, new)
    assert set(sources(mine)) - set(sources(old)) - {""} <= set(sources(merged))
    assert len(merged.cells) >= len(new.cells)
    assert len({cell.id for cell in merged.cells}) == len(merged.cells)
