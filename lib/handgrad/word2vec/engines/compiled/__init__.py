"""The compiled engine: the trainer's steps, taken by functions that numba compiles, by several threads at once.

Its modules, in the order in which to read them. Compiled are ``simd``, ``draws``, ``products``, ``logistic`` and
``steps``, then ``negative_sampling`` and ``hierarchical_softmax``, with ``thread_copies`` and ``piece_copies`` for
several threads. ``engine`` and ``pieces``, then ``hogwild`` and ``deterministic`` have threads learn pieces of a text
with them. NCE and sampled softmax have ``sampled_kernels``, which is compiled, and ``batches``. All of them need numba.
"""
