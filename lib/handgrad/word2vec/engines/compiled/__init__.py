"""The compiled engine: the trainer's steps, taken by functions that numba compiles, by several threads at once.

It is fast by six ideas. They are in the order in which to read them, each with its modules; ``bench/kernels.py``
measures what each of them brings. All of it needs numba.

1. Plain: a word of a window predicts the center and none of K negatives, pair after pair, as in word2vec.c. It is the
   reference for all that follows: ``compiling`` and ``draws``, then ``plain``.
2. Blocks: the scores of R words with Q outputs are one matrix product, and so are both updates. A row that is brought
   to the cache is used many times before the next one takes its place: ``steps``.
3. Shared negatives: only pairs that meet the same outputs make such a product, so neighboring targets share their
   negatives: ``negative_sampling``. In a tree the words of a window share a path: ``hierarchical_softmax``.
4. Registers: a product keeps its sums, or the rows that it adds, in registers while it goes along other rows. This
   takes a type for vectors, and rows that are whole vectors: ``simd``, ``aligned``, ``products``, ``logistic``.
5. Copies of frequent rows: threads change the same tables without a lock. Each has its own copy of the rows that all
   of them use, and so does not wait for the others' caches: ``engine``, ``tables``, ``pieces``, ``thread_copies``,
   ``hogwild``.
6. Deterministic pieces: two pieces of the text are learned as if the other were not there, and what both have changed
   is joined. This costs time, and gives the same bits with any number of threads: ``piece_copies``, ``deterministic``.

NCE and sampled softmax share their noise in a whole batch, so BLAS takes their products: ``sampled_kernels`` and
``batches``.
"""

# Settings that mean nothing to engines of pieces, with the reason. They are here, where they can be read without numba.
IGNORED_BY_PIECES = {"batch_size": "it learns pieces of the text, where batches are for engine numpy or torch"}
