"""What is written in a drawing: the words of a node and the numbers of a wire, and how much room they take."""

import re
from typing import Any

import numpy as np

from handgrad.nodes import Constant, Node

# Where a word begins: at a capital and two small letters, or after three small ones. ReLU, ReLu and Conv2D are one.
BEGINNING = re.compile(r"(?<!^)(?=[A-Z][a-z]{2})|(?<=[a-z]{3})(?=[A-Z][A-Za-z])")
SYMBOLS = {"Add": "+", "Subtract": "−", "Multiply": "×", "Sigmoid": "σ", "Sum": "Σ", "EmbeddingLookup": "lookup"}
LETTER, LINE = 8, 16  # in pixels: the width of a letter, the height of a line
SHORTEST = "-1"  # of numbers


def label_of(node: Node) -> str:
    """A leaf's name, a constant's value; a gate's symbol, or its class in words: sigmoid cross entropy, leaky ReLU."""
    if isinstance(node, Constant):
        return node.name or short_number(node.value)
    if node.gate is None:
        return node.name or ""
    name = type(node.gate).__name__
    words = re.split(BEGINNING, name)
    return SYMBOLS.get(name, " ".join(word if word[1:] != word[1:].lower() else word.lower() for word in words))


def lines_in(node: Node) -> list[str]:
    """The words in a node's drawing, one below the other; of "embed/V" only V, since its box says embed."""
    if isinstance(node, Constant):
        return [label_of(node)]
    return (label_of(node) if node.gate is not None else _without_scope(node)).split()


def name_above(node: Node) -> str:
    """What stands above a gate: its own name, if it has one."""
    return _without_scope(node) if node.gate is not None else ""


def scope_of(node: Node) -> str:
    """ "embed" for the node "embed/V", and nothing for a node without a scope."""
    return (node.name or "").rpartition("/")[0]


def _without_scope(node: Node) -> str:
    name = node.name or ""
    return name.rpartition("/")[2] or name


def short_number(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "coalesce"):
        return f"{len(value.coalesce()[0])} rows"
    return f"{float(value):.4g}" if np.ndim(value) == 0 else f"{np.shape(value)}"


def half_width_of(node: Node) -> float:
    """Half of the width of a node, as far as wires keep away from its middle."""
    letters = max(map(len, lines_in(node)), default=0)
    return LETTER * letters / 2 + 6 if node.gate is None else max(21, LETTER * letters / 2 + 10)


def half_height_of(node: Node) -> float:
    return max(21, LINE * len(lines_in(node)) / 2 + 6)


def width_of(number: str) -> int:
    """Of a number, in the bold letters that a stepper has; as wide as the shortest if there is none yet."""
    return sum(6 if letter in "(), .-" else 10 for letter in number or SHORTEST)
