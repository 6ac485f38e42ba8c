"""Threads that write to the same vectors without asking each other (Niu et al. 2011, Hogwild!).

With one thread, a seed gives the same vectors, bit for bit. Two threads that meet at a word lose a little of an
update, which does no harm where words are many, and no two runs are alike to the bit. Each takes the next piece of the
text as soon as it is ready. At words that are in every other sentence, and at the root of a Huffman tree, threads would
wait for each other's cache again and again. So each thread has copies of these rows (``thread_copies``).
"""

from collections import deque

from handgrad.word2vec.engines.compiled.aligned import up_to
from handgrad.word2vec.engines.compiled.negative_sampling import TARGETS
from handgrad.word2vec.engines.compiled.pieces import KERNELS, PieceEngine
from handgrad.word2vec.engines.compiled.thread_copies import words_used_often
from handgrad.word2vec.engines.engine import Step
from handgrad.word2vec.schedule import Place


class HogwildEngine(PieceEngine):
    """A step is a piece of the text. It is so long that a report does not wait for those that are at work."""

    PIECE = 50_000  # words that a thread works on before it looks up
    # A thread takes to the rows what its copies have learned after so many words, divided by the number of threads. So
    # all of them together learn of a row that they use often what one would; their mean would learn it more slowly.
    BEHIND = 2500
    OFTEN = 4  # times that a row is used in these words, from which on it has copies; twice for each time of a word
    AHEAD = 2  # pieces for each thread that are begun while the first of them is not ready

    def __init__(self, task, schedule):
        super().__init__(task, schedule)
        threads = self.config.threads
        if threads > 1:
            self.other_bits = f"its {threads} threads do not wait for each other, as they do if it is deterministic"
        self.at_work, self.free, self.apart = deque(), list(range(threads)), self._apart(threads)
        self.often = self._used_often(self.config, task.vocabulary.counts * task.keep, self.network.objective)
        self.learn_piece(*self.no_words())  # compiles

    @classmethod
    def rows_of_copies(cls, config, counts, objective):
        return [2 * config.threads * (end - begin) for begin, end in cls._used_often(config, counts, objective)]

    @classmethod
    def _apart(cls, threads):
        """After how many words a thread joins its copies: whole blocks."""
        return up_to(TARGETS, cls.BEHIND // threads)

    @classmethod
    def _used_often(cls, config, counts, objective):
        """For each table, from which row to which are those with copies: none, where a thread is alone."""
        if config.threads == 1:
            return [(0, 0), (0, 0)]
        often = cls.OFTEN * counts.sum() / cls._apart(config.threads)
        kernels = KERNELS[type(objective)]
        return [words_used_often(counts, often), kernels.often_used(counts, often, kernels.outputs_of(objective))]

    def epoch(self, place, pool):
        """Piece after piece, each for whichever thread is free. They are yielded in the order of the text."""
        threads = self.config.threads
        ahead = self.AHEAD * threads if threads > 1 else 0
        for starts in self.pieces(place.position, 1, self.PIECE):
            self.network.hold()
            rate = self.schedule.learning_rate(place)
            begun = pool.submit(self.learn_piece, *self.arguments(place.epoch, starts, rate))
            place = Place(place.epoch, int(starts[-1]), place.step + 1)
            self.at_work.append((place, rate, begun))
            if len(self.at_work) > ahead:
                yield self._first()
        while self.at_work:
            yield self._first()

    def collect(self):
        """Wait for all that is at work."""
        steps = []
        while self.at_work:
            steps.append(self._first())
        return steps

    def _first(self):
        """Wait for the first piece that is at work."""
        place, rate, piece = self.at_work[0]
        loss, predictions = piece.result()  # one that failed stays the first: those behind it must not count
        self.at_work.popleft()
        return Step(place, rate, (loss,), predictions)

    def learn_piece(self, ids, starts, rate, state, noise_state):
        """Learn some sentences: loss and number of predictions."""
        i = self.free.pop()
        try:
            text = (*self.tables, ids, starts, self.keep, self.windows, *self._copies(i), self.model)
            return self.kernels.train(*text, self.noise_or_tree, rate, state, noise_state)
        finally:
            self.free.append(i)

    def _copies(self, i):
        """For each table its copies, see ``row_of``; and after how many words they are joined."""
        copies = tuple(
            (begin, end, rows + 2 * i * (end - begin) - begin)
            for rows, (begin, end) in zip(self.rows, self.often, strict=True)
        )
        return copies, self.apart
