"""A rule: when a mistake explains what came back, the sentence that says what is observed, and the question to ask."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from handgrad.gradient_check.evidence import Evidence

Blanks = dict[str, Any]
Explain = Callable[[Evidence], Iterator[Blanks]]


@dataclass(frozen=True)
class Rule:
    """One known mistake, or one way in which a wrong gradient has something in common with the right one.

    code : for programs
    observed, question : the sentence, with blanks; it never says the fix, which is the reader's to find
    explain : yields what fills the blanks of the sentence, once for each way in which it is true of the evidence
    always : the blanks that stay the same where the gate is fed other values, or more of them
    varies : the blank that does not, as a number of entries
    is_clue : whether it says less than a name, so that other inputs have to confirm it
    """

    code: str
    observed: str
    question: str
    explain: Explain
    always: tuple[str, ...]
    varies: str | None
    is_clue: bool

    def blanks(self, evidence: Evidence) -> Blanks | None:
        """What fills the blanks, if the rule explains the evidence, here and wherever else the mistake shows."""
        if not evidence.others and (self.is_clue or self.varies):
            return None
        for blanks in self.explanations(evidence):
            there = [self._like(blanks, evidence, other) for other in evidence.others]
            if all(there) and (not self.varies or any(b[0][self.varies] != blanks[self.varies] for b in there)):
                return blanks
        return None

    def explanations(self, evidence: Evidence) -> list[Blanks]:
        """In which ways the sentence is true of the evidence."""
        with contextlib.suppress(Exception):  # forward may refuse what a rule tries on it
            return list(self.explain(evidence))
        return []

    def _like(self, blanks: Blanks, evidence: Evidence, other: Evidence) -> list[Blanks]:
        """How the rule explains other evidence in the same way."""
        same_size = np.shape(other.x) == np.shape(evidence.x)
        found = self.explanations(other)
        return [b for b in found if all(_alike(blanks[key], b[key], same_size) for key in self.always)]


def _alike(here: Any, there: Any, same_size: bool) -> bool:
    """A number may be another one where there are more entries, as a root of the size is; a word may not."""
    if isinstance(here, float):
        return not same_size or bool(np.isclose(here, there, rtol=1e-5))
    return bool(here == there)


def mistake(
    code: str, observed: str, question: str, always: tuple[str, ...] = (), varies: str | None = None, clue: bool = False
) -> Callable[[Explain], Rule]:
    """Decorate the function that says when the sentence is true: it becomes a rule."""
    return lambda explain: Rule(code, observed, question, explain, always, varies, clue)


clue = partial(mistake, clue=True)
