"""The same vectors, bit for bit, with any number of threads.

A step is two short pieces of the text, each learned as if the other were not there: rows that the other does not use
are changed where they are, the others in copies, which lie in the table itself, behind its rows. When both are
learned, their copies are joined. Meanwhile the next two are drawn.
"""

from collections import deque, namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice

import numpy as np
from numba import njit

from handgrad.word2vec.engines.compiled import kernels
from handgrad.word2vec.engines.compiled.draws import copied_paths, draw_outputs, draw_text
from handgrad.word2vec.engines.compiled.pieces import PieceEngine
from handgrad.word2vec.engines.compiled.simd import FAST, LANES, load, store

PIECE = 5000  # words; a step is two of them
AHEAD = 2  # steps that are drawn before one is learned
SHARE_OF_WAY = 0.25  # that a copy goes in one use to where it wants a row
MOST_USES = 200  # after which it has gone all of the way

# Which rows of a table a piece uses: the different rows as they come (n,), how often each of them (n,), which of them
# each place of the text has, and for each row of the table which of them it is, or -1.
Used = namedtuple("Used", "rows uses which place")


def nothing_used(rows):
    """Of a table with so many rows."""
    none = np.empty(0, np.int32)
    return Used(none, none, none, np.full(rows, -1, np.int32))


@njit(**FAST)
def used_by(ids, before):
    """What a piece with these ids uses. What another one used before is forgotten, and its ``place`` is used."""
    rows, uses, which, n = np.empty(len(ids), np.int32), np.zeros(len(ids), np.int32), np.empty(len(ids), np.int32), 0
    for row in before.rows:
        before.place[row] = -1
    for i in range(len(ids)):
        x = before.place[ids[i]]
        if x < 0:
            x = before.place[ids[i]] = n
            rows[n] = ids[i]
            n += 1
        which[i] = x
        uses[x] += 1
    return Used(rows[:n], uses[:n], which, before.place)


@njit(**FAST)
def copy_shared(table, used, others, behind):
    """Copy those rows that the other piece uses too, to ``behind`` and after it.

    Returns for each of the rows where it is learned, and the same for each place of the text.
    """
    where, ids = used.rows.copy(), np.empty(len(used.which), np.int32)
    for x in range(len(where)):
        if others.place[where[x]] >= 0:
            for d in range(0, table.shape[1], LANES):
                store(table, behind, d, load(table, where[x], d, LANES))
            where[x] = behind
            behind += 1
    for i in range(len(ids)):
        ids[i] = where[used.which[i]]
    return where, ids


@njit(**FAST)
def join_copies(table, one, other, where, where_of_other, way):
    """Change the rows that have copies, as far as steps one after another would have gone.

    A copy that is used n times goes a part of the way to where it wants the row, way[n]. What both copies want is
    much the same for a row that both use often, and their sum would go far beyond it. So the row becomes
    (1 - 2p) row + p (copy + copy), with p = way[uses by both] / (way[uses by one] + way[uses by the other]).
    """
    most = len(way) - 1
    for x in range(len(one.rows)):
        row, copy = one.rows[x], where[x]
        if copy != row:
            y = other.place[row]
            m, n, second = one.uses[x], other.uses[y], where_of_other[y]
            part = way[min(m + n, most)] / (way[min(m, most)] + way[min(n, most)])
            rest = 1 - 2 * part
            for d in range(0, table.shape[1], LANES):
                copies = load(table, copy, d, LANES) + load(table, second, d, LANES)
                store(table, row, d, rest * load(table, row, d, LANES) + part * copies)


@dataclass(eq=False)
class Piece:
    """A piece of the text, as it was drawn.

    used : Used, of V and of U
    where : for V and U, where each of these rows is learned: in its place, or in a copy
    """

    used: list
    windows: list
    more: list
    rate: np.float32
    where: list = field(default_factory=list)


class DeterministicEngine(PieceEngine):
    any_threads = True

    def __init__(self, trainer):
        super().__init__(trainer)
        outputs = PIECE * (int(np.diff(self.tree[0]).max()) if self.tree else 1 + self.K)
        self.most_copies = [min(PIECE, self.rows[0]), min(outputs, self.rows[1])]  # for a piece: of rows of V, of U
        self.way = 1 - (1 - np.float32(SHARE_OF_WAY)) ** np.arange(MOST_USES, dtype=np.float32)
        # What the pieces use of as many steps as there are at a time: one that is learned, the others drawn before.
        self.used = cycle([[nothing_used(rows) for rows in self.rows] for _ in range(2)] for _ in range(1 + AHEAD))
        self.move_parameters([2 * most for most in self.most_copies])
        pieces = [self.draw(used, *self.no_words(trainer)) for used in next(self.used)]  # this and the rest compiles
        is_last = [True, False]
        for i in range(2):
            self.learn(i, pieces, is_last)

    def steps(self, trainer):
        """Two pieces at a time. The trainer hears of them when their copies are joined."""
        with ThreadPoolExecutor(self.config.threads) as pool:
            for _ in trainer.epochs_left():
                for _ in self._epoch(trainer, pool):
                    yield
                    if trainer.is_over():
                        return

    def _epoch(self, trainer, pool):
        steps = self._drawn(trainer, pool)
        ahead = deque(islice(steps, AHEAD))
        while ahead:
            self.hold()
            end, rate, soon = ahead.popleft()
            pieces = [piece.result() for piece in soon]
            is_last = [True, False]  # to be popped
            learned = [pool.submit(self.learn, i, pieces, is_last) for i in range(2)]
            ahead.extend(islice(steps, 1))  # for threads that are ready while the others are not
            for loss_and_predictions in [piece.result() for piece in learned]:
                trainer.count(*loss_and_predictions)
            trainer.position, trainer.step, self.optimizer.learning_rate = end, trainer.step + 1, rate
            yield

    def _drawn(self, trainer, pool):
        """Have the pieces of a step drawn; for each step where it ends, its rate, and the pieces that are coming."""
        pieces = self.pieces(trainer, 2, PIECE)
        while both := list(islice(pieces, 2)):
            if len(both) == 1:
                both.append(both[0][[-1, -1]])  # no words
            rate, used = trainer.learning_rate_at(both[0][0]), next(self.used)  # by the words before these
            arguments = (self.arguments(trainer, starts, rate) for starts in both)
            yield int(both[1][-1]), rate, [pool.submit(self.draw, used[i], *each) for i, each in enumerate(arguments)]

    def draw(self, used, ids, starts, rate, state, noise_state):
        """All that chance decides of a piece, and which rows it will use. used : what another one used, by table."""
        words, *windows = draw_text(ids, starts, self.keep, self.windows, state)
        if self.tree:
            outputs, *more = copied_paths(words, self.tree)
        else:
            noise = kernels.TARGETS, self.noise, self.K, noise_state
            outputs, more = draw_outputs(words, *noise), [self.K, self.weight]
        used[:] = [used_by(ids, before) for ids, before in zip((words, outputs), used, strict=True)]
        return Piece(list(used), windows, more, rate)

    def learn(self, i, pieces, is_last):
        """Learn piece i of two, on copies of the rows that the other uses too: loss and predictions.

        Whoever is ready last joins the copies: a thread that would do nothing else had to wait for a processor.
        """
        piece, other, ids = pieces[i], pieces[1 - i], []
        for table, used, others, most in zip(self.tables, piece.used, other.used, self.most_copies, strict=True):
            behind = len(table) - (2 - i) * most
            where, ids_of_text = copy_shared(table, used, others, behind)
            piece.where.append(where)
            ids.append(ids_of_text)
        words, outputs = ids
        learn = kernels.learn_hierarchical_softmax if self.tree else kernels.learn_negative_sampling
        text = words, *piece.windows, outputs, *piece.more
        measured = learn(*self.tables, *text, self.mean, piece.rate, *kernels.NO_COPIES)
        if is_last.pop():
            self.join(pieces)
        return measured

    def join(self, pieces):
        """Join the copies of two pieces that were learned."""
        one, other = pieces
        for table, *both in zip(self.tables, one.used, other.used, one.where, other.where, strict=True):
            join_copies(table, *both, self.way)
