"""Which mistake is it? Rules are tried, one after the other, and what they find is put into sentences.

The sentence says what is observed and asks the question that leads to the fix. It never says the fix: finding that
is the reader's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from handgrad.gradient_check.evidence import Evidence
from handgrad.gradient_check.rule import Blanks, Rule
from handgrad.gradient_check.rules import CLUES, CONDITIONS, NAMES, READ_BY_IDS, SPECIAL_PLACES
from handgrad.gradient_check.rules.ids import wrong_for_some_rows
from handgrad.gradient_check.rules.places import ARE_RIGHT, part_right
from handgrad.gradient_check.wording import about

RULES = [*NAMES, *CONDITIONS, *CLUES, *READ_BY_IDS, *SPECIAL_PLACES, part_right]


@dataclass(frozen=True)
class Finding:
    """What a rule found about one gradient. ``name`` is the input's, or that of a part of it; ``first`` goes before."""

    rule: Rule
    blanks: Blanks
    name: str
    first: str = ""

    def observed(self, names: list[str]) -> str:
        return self.rule.observed.format(**about(names), **self.blanks)


def diagnose(evidence: Evidence) -> Finding | None:
    """The first rule that explains the evidence; where only a part is wrong, the first that explains that part."""
    name = evidence.name
    finding = _first(chain(NAMES, CONDITIONS), evidence, name)
    if finding:
        return finding
    seen = (Finding(part_right, blanks, name) for blanks in part_right.explain(evidence))
    part = _first([part_right], evidence, name) or next((each for each in seen if each.blanks["chance"] < 0.01), None)
    if part:
        rest = evidence.wrong_part(part.blanks["axis"])
        of_part = f"{name} ({part.blanks['wrong']})"
        found = _first(chain(NAMES, CLUES), rest, of_part) if rest else None
        by_ids = None if found else _first(READ_BY_IDS, evidence, name)
        if by_ids:
            return by_ids
        found = found or (_first(SPECIAL_PLACES, rest, of_part) if rest else None)
        if found:
            are_right = f"{ARE_RIGHT}.".format(**about([name]), **part.blanks)
            return Finding(found.rule, found.blanks, found.name, are_right)
    if evidence.table_of is not None and part and part.blanks["axis"] == 0:
        part = None  # a table's rows have no order: which of them are wrong says nothing
    clue = _first(chain(CLUES, READ_BY_IDS), evidence, name)
    return clue or part or _first(SPECIAL_PLACES, evidence, name) or _seen(wrong_for_some_rows, evidence, name)


def _seen(rule: Rule, evidence: Evidence, name: str) -> Finding | None:
    """What is observed here, whether or not the like is observed at other inputs."""
    return next((Finding(rule, blanks, name) for blanks in rule.explanations(evidence)), None)


def _first(rules: Iterable[Rule], evidence: Evidence, name: str) -> Finding | None:
    for rule in rules:
        blanks = rule.blanks(evidence)
        if blanks is not None:
            return Finding(rule, blanks, name)
    return None


def in_words(findings: dict[str, Finding | None], numbers: dict[str, str]) -> str:
    """By input: its numbers and what was found. What several gradients share is said once, and so is a question."""
    groups: list[list[str]] = []
    for name, finding in findings.items():
        alike = [group for group in groups if finding and _say_the_same(findings[group[0]], finding)]
        alike[0].append(name) if alike else groups.append([name])
    sentences: list[str] = []
    for k, group in enumerate(groups):
        finding, after = findings[group[0]], [findings[other[0]] for other in groups[k + 1 : k + 2]]
        sentences.append(numbers[group[0]])
        if finding:
            question = finding.rule.question
            shared = [f.name for f in map(findings.get, group) if f]
            sentences += [finding.first, finding.observed(shared)]
            sentences += [] if after and after[0] and after[0].rule.question == question else [question]
    return " ".join(filter(None, sentences))


def _say_the_same(a: Finding | None, b: Finding) -> bool:
    return a is not None and (a.rule, a.observed([""]), a.first) == (b.rule, b.observed([""]), b.first)
