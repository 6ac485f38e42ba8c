"""A reader's copy of a chapter, and a newer edition of the chapter: carry what the reader did over into the new one.

Three notebooks are compared: `old`, which the copy was made from; `mine`, what the reader made of it; `new`. What the
reader wrote is never dropped:

- an answer goes into the new edition's cell for it, which has the same id;
- a cell that the reader added goes after the cell after which it stood;
- a cell of the book that the reader changed stays changed where the book has not changed it; where it has, the reader's
  version stands below the new one, under a line that says so;
- a cell of the book that the reader deleted is there again.

Outputs and folds of the book's own cells are those of the new edition.
"""

import copy
import uuid
from difflib import SequenceMatcher

import nbformat
from notebooks import is_lab_only

ALIKE = 0.5  # a cell's share of text that is also in another one's, from which on one is a version of the other
NOTE = "*Your version of the cell above; the book has changed it since:*"
LEFT_OVER = "*Yours, from a place that this edition of the book no longer has:*"


def carried_over(old, mine, new):
    """The new edition with what the reader did. The three notebooks stay as they are."""
    result = copy.deepcopy(new)
    pairs = matched(mine.cells, old.cells)  # a place in mine: its place in old
    places = editions_matched(old.cells, new.cells)  # a place in old: its place in new
    after = {place: [] for place in range(-1, len(new.cells))}  # what comes below each cell of the new edition
    last = -1
    for i, cell in enumerate(mine.cells):
        before = old.cells[pairs[i]] if i in pairs else None
        place = places.get(pairs[i]) if i in pairs else None
        if place is not None:
            last = place
        if before is not None and same(cell, before):
            continue
        if before is None:
            if not is_empty(cell):
                after[last].append(cell)
        elif place is None:
            if not is_empty(cell):
                after[last] += [remark(LEFT_OVER), cell]
        elif same(before, new.cells[place]):
            result.cells[place] = in_place_of(new.cells[place], cell)
        elif not is_empty(cell) and not same(cell, new.cells[place]):
            after[place] += [remark(NOTE), cell]
    result.cells = [
        cell
        for place in range(-1, len(new.cells))
        for cell in ([] if place < 0 else [result.cells[place]]) + copy.deepcopy(after[place])
    ]
    give_unique_ids(result.cells)
    return result


def kind_and_text(cell):
    return cell.cell_type, cell.source


def same(one, other):
    return kind_and_text(one) == kind_and_text(other) and one.get("attachments") == other.get("attachments")


def is_empty(cell):
    return not cell.source.strip() and not cell.get("attachments")


def matched(mine, old):
    """Which cell of the old edition each of the reader's cells was: by its id, or else, in order, by what is in it."""
    by_id = {cell.id: place for place, cell in enumerate(old)}
    pairs = {}
    for i, cell in enumerate(mine):
        if cell.id in by_id:  # an id that occurs twice is its first cell's
            pairs[i] = by_id.pop(cell.id)
    pairs |= equal_texts([(i, c) for i, c in enumerate(mine) if i not in pairs], [(j, old[j]) for j in by_id.values()])
    return pairs


def editions_matched(old, new):
    """Where each cell of the old edition is in the new one. Ids say it of cells for answers, and of no others."""
    places = {cell.id: place for place, cell in enumerate(new) if is_lab_only(cell)}
    pairs = {i: places[cell.id] for i, cell in enumerate(old) if is_lab_only(cell) and cell.id in places}
    rest_of_old = [(i, cell) for i, cell in enumerate(old) if not is_lab_only(cell)]
    rest_of_new = [(j, cell) for j, cell in enumerate(new) if not is_lab_only(cell)]
    return pairs | equal_texts(rest_of_old, rest_of_new, alike_too=True)


def equal_texts(one, other, alike_too=False):
    """Pairs of equal cells, in order; and of those between them that are mostly alike, on demand."""
    matcher = SequenceMatcher(
        None, *([kind_and_text(cell) for _, cell in side] for side in (one, other)), autojunk=False
    )
    pairs = {}
    for operation, from_one, to_one, from_other, to_other in matcher.get_opcodes():
        if operation == "equal":
            places = (place for place, _ in other[from_other:to_other])
            pairs |= dict(zip((place for place, _ in one[from_one:to_one]), places, strict=True))
        elif operation == "replace" and alike_too:
            start = from_other
            for place, cell in one[from_one:to_one]:
                for k in range(start, to_other):
                    if alike(cell, other[k][1]):
                        pairs[place], start = other[k][0], k + 1
                        break
    return pairs


def alike(one, other):
    return (
        one.cell_type == other.cell_type
        and SequenceMatcher(None, one.source, other.source, autojunk=False).ratio() >= ALIKE
    )


def remark(text):
    return nbformat.v4.new_markdown_cell(text)


def in_place_of(book, reader):
    """The reader's version of a cell, with the id and the tags by which the next update finds it."""
    cell = copy.deepcopy(reader)
    cell["id"] = book.id
    if "tags" in book.metadata:
        cell.metadata["tags"] = book.metadata["tags"]
    return cell


def give_unique_ids(cells):
    taken = set()
    for cell in cells:
        if cell.id in taken:
            cell["id"] = uuid.uuid4().hex[:8]
        taken.add(cell.id)


def without_readers_cells(mine, new):
    """What `old` may have been, where it is lost: the book's cells in the reader's copy, with no answer in them."""
    old = copy.deepcopy(mine)
    ids = {cell.id for cell in new.cells}
    old.cells = [cell for cell in old.cells if cell.id in ids or cell.id.startswith("cell-")]
    for cell in old.cells:
        if cell.id.startswith("answer-"):
            cell.source, cell.cell_type = "", "code"
    return old


def changed_by_reader(mine, old):
    """How many cells the reader has written or changed."""
    pairs = matched(mine.cells, old.cells)
    return sum(
        not is_empty(cell) and not (i in pairs and same(cell, old.cells[pairs[i]])) for i, cell in enumerate(mine.cells)
    )
