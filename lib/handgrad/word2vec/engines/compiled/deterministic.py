"""The same vectors, bit for bit, with any number of threads.

A step is two short pieces of the text, each learned as if the other were not there: rows that the other does not use
are changed where they are, the others in copies, which lie in the table itself, behind its rows. When both are
learned, their copies are joined. Meanwhile pieces of later steps are drawn.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import cycle, islice

import numpy as np

from handgrad.word2vec.engines.compiled.draws import draw_text
from handgrad.word2vec.engines.compiled.piece_copies import copy_shared, join_copies, nothing_used, used_by
from handgrad.word2vec.engines.compiled.pieces import KERNELS, PieceEngine
from handgrad.word2vec.engines.compiled.thread_copies import NO_COPIES
from handgrad.word2vec.engines.engine import Step
from handgrad.word2vec.schedule import Place

SHARE_OF_WAY = 0.25  # that a copy goes in one use to where it wants a row
MOST_USES = 200  # that are told apart: it has gone all of the way by then


@dataclass(eq=False)
class Piece:
    """A piece of the text, as it was drawn.

    used : Used, of V and of U
    windows : where the window of each word begins and ends, and how far the farthest reaches
    more : what else ``drawn_outputs`` says of its outputs
    rate : η
    where : for V and U, where each of the rows that are used is learned: in its place, or in a copy
    """

    used: list
    windows: list
    more: list
    rate: np.float32
    where: list = field(default_factory=list)


class DeterministicEngine(PieceEngine):
    """A step is two pieces of the text."""

    PIECE = 5000  # words; a step is two of them
    AHEAD = 2  # steps that are drawn before one is learned
    any_threads = True

    def __init__(self, task, schedule):
        super().__init__(task, schedule)
        self.most_copies = self._most_copies(self.network.objective, self.rows)
        self.way = 1 - (1 - np.float32(SHARE_OF_WAY)) ** np.arange(MOST_USES, dtype=np.float32)
        pieces = [self.draw(used, *self.no_words()) for used in self._nothing_used()]  # compiles, as the rest
        last = [True, False]
        for i in range(2):
            self.learn(i, pieces, last)

    @classmethod
    def rows_of_copies(cls, config, counts, objective):
        rows = len(counts), objective.shapes()["out/U"][0]
        return [2 * most for most in cls._most_copies(objective, rows)]

    @classmethod
    def _most_copies(cls, objective, rows):
        """How many rows of V and of U a piece may use."""
        kernels = KERNELS[type(objective)]
        most = cls.PIECE, kernels.most_outputs(cls.PIECE, kernels.outputs_of(objective))
        return [min(used, n) for used, n in zip(most, rows, strict=True)]

    def _nothing_used(self):
        """Where it is written down what the two pieces of a step use of each table."""
        return [[nothing_used(rows) for rows in self.rows] for _ in range(2)]

    def epoch(self, place, pool):
        """Two pieces at a time. They are yielded when their copies are joined."""
        lists = cycle([self._nothing_used() for _ in range(1 + self.AHEAD)])  # one step is learned, others are drawn
        steps = self._drawn(place, pool, lists)
        ahead = deque(islice(steps, self.AHEAD))
        while ahead:
            self.network.hold()
            place, rate, soon = ahead.popleft()
            pieces = [piece.result() for piece in soon]
            last = [True, False]  # each takes one from its end
            learned = [pool.submit(self.learn, i, pieces, last) for i in range(2)]
            ahead.extend(islice(steps, 1))  # for threads that are ready while the others are not
            losses, predictions = zip(*(piece.result() for piece in learned), strict=True)
            yield Step(place, rate, losses, sum(predictions))

    def _drawn(self, place, pool, lists):
        """Have the pieces of a step drawn; for each step where it ends, its rate, and the pieces that are coming."""
        pieces = self.pieces(place.position, 2, self.PIECE)
        while both := list(islice(pieces, 2)):
            if len(both) == 1:
                both.append(both[0][[-1, -1]])  # no words
            rate, used = self.schedule.learning_rate(place), next(lists)  # by the words before these
            arguments = (self.arguments(place.epoch, starts, rate) for starts in both)
            place = Place(place.epoch, int(both[1][-1]), place.step + 1)
            yield place, rate, [pool.submit(self.draw, used[i], *each) for i, each in enumerate(arguments)]

    def draw(self, used, ids, starts, rate, state, noise_state):
        """All that chance decides of a piece, and which rows it will use.

        used : list of Used, of V and of U, by an earlier piece; becomes what this one uses
        """
        words, *windows = draw_text(ids, starts, self.keep, self.windows, state)
        outputs, more = self.kernels.drawn_outputs(words, self.noise_or_tree, noise_state)
        for k, ids in enumerate((words, outputs)):
            used[k] = used_by(ids, used[k])
        return Piece(list(used), windows, more, rate)

    def learn(self, i, pieces, last):
        """Learn piece i of two, on copies of the rows that the other uses too: loss and predictions.

        The thread that is ready last also joins the copies. A third thread, which does nothing else, would often wait
        until one of the others, by then drawing, has let go of its processor.
        """
        piece, other, ids = pieces[i], pieces[1 - i], []
        for k, table in enumerate(self.tables):
            behind = self.rows[k] + i * self.most_copies[k]
            where, ids_of_text = copy_shared(table, piece.used[k], other.used[k], behind)
            piece.where.append(where)
            ids.append(ids_of_text)
        words, outputs = ids
        text = words, *piece.windows, outputs, *piece.more
        measured = self.kernels.learn(*self.tables, *text, self.model, piece.rate, *NO_COPIES)
        if last.pop():
            self.join(pieces)
        return measured

    def join(self, pieces):
        """Join the copies of two pieces that were learned."""
        one, other = pieces
        for table, *both in zip(self.tables, one.used, other.used, one.where, other.where, strict=True):
            join_copies(table, *both, self.way)
