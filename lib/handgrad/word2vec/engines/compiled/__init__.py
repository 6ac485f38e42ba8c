"""The compiled engine: the trainer's steps, taken by functions that numba compiles, by several threads at once.

Its modules, in the order in which to read them: ``simd``, ``draws``, ``products``, ``logistic``, ``kernels`` and
``copies``, which are compiled; ``engine`` and ``pieces``, then ``hogwild`` and ``deterministic``, which have threads
learn pieces of a text; and for NCE and sampled softmax ``sampled_kernels``, which is compiled, and ``batches``. All of
them need numba.
"""
