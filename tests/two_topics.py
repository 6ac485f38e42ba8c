"""A text in which it is known what a trainer has to find out."""

import numpy as np


def sentences_of_two_topics(n=600, seed=0):
    """Words a0…a9 keep company with one another, and so do b0…b9."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        topic = rng.choice(["a", "b"])
        yield [f"{topic}{i}" for i in rng.integers(0, 10, size=8)]
