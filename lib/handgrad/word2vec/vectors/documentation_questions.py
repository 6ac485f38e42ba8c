"""The book's own questions to vectors that were trained on the documentation corpus (``corpora.documentation``).

They were written by what the words mean in that text, not by what one model can answer. Google's questions about
capitals and currencies have no use there, and the words have no human scores, so these are analogies and odd ones out.
"""

from itertools import permutations

# Pairs with one relation to a line: each pair is asked with each other one, in both orders.
PAIRS = {
    "opposite": "left right, upper lower, minimum maximum, first last, increasing decreasing, forward backward",
    "inverse": "encode decode, read write, add subtract, multiply divide, load save, push pop",
    "hyperbolic": "sin sinh, cos cosh, tan tanh, asin asinh, acos acosh",
    "inverse function": "sin asin, cos acos, tan atan, sinh asinh, cosh acosh",
    "twice the bits": "float32 float64, int32 int64, int8 int16, complex64 complex128, uint32 uint64",
    "abbreviation": "max maximum, min minimum, dim dimension, params parameters, args arguments, func function",
    "gram plural": "row rows, column columns, tuple tuples, matrix matrices, vertex vertices, index indices, axis axes",
    "gram participle": "compute computed, return returned, sort sorted, define defined, raise raised, give given",
    "gram third person": "compute computes, return returns, take takes, create creates, contain contains",
    "gram adverb": "exact exactly, random randomly, automatic automatically, explicit explicitly, direct directly",
}

# In each line the first word is of another kind than the others.
ODD_ONES_OUT = """
    sum sin cos tan exp
    bool int8 int16 int32 int64
    row node edge vertex graph
    node row column diagonal matrix
    line red green blue black
    mean zeros ones empty full
    adam relu sigmoid tanh softmax
    relu adam adagrad sgd adamw
    import integer float string boolean
    tuple one two three four
    float64 tuple list dict set
    radius circle ellipse polygon triangle
    variance poisson binomial bernoulli gaussian
    file read write open close
    theorem euler gauss newton bessel
    inside left right top bottom
    optimizer cpu cuda gpu device
    sqrt and or not xor
    largest mean median variance std
    gradient tensor array matrix vector
"""


def documentation_analogies() -> dict[str, list[tuple[str, ...]]]:
    """All questions (a, b, c, d), by relation: a dict for ``word_analogies``.

    Returns
    -------
    dict
        Relation to list of (a, b, c, d).

    Examples
    --------
    >>> from handgrad.word2vec import documentation_analogies
    >>> documentation_analogies()["hyperbolic"][0]
    ('sin', 'sinh', 'cos', 'cosh')
    """
    return {relation: _questions(pairs) for relation, pairs in PAIRS.items()}


def documentation_odd_ones_out() -> list[tuple[str, ...]]:
    """Sets of words of which the first is the odd one: a list for ``odd_one_out``.

    Returns
    -------
    list of tuples of str

    Examples
    --------
    >>> from handgrad.word2vec import documentation_odd_ones_out
    >>> documentation_odd_ones_out()[0]
    ('sum', 'sin', 'cos', 'tan', 'exp')
    """
    return [tuple(line.split()) for line in ODD_ONES_OUT.strip().splitlines()]


def _questions(pairs):
    return [(*first, *second) for first, second in permutations(map(str.split, pairs.split(",")), 2)]
