"""``handgrad evaluate``: how good the vectors of a file are."""

import json
import math
from collections.abc import Sequence
from typing import Any, Literal

import click

from handgrad.cli.vectors import loaded, reads_vectors
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.vectors.vector_files import Mending

PROTOCOLS = (30_000, None)  # the two that papers report: among the 30,000 most frequent words, among all


@click.command()
@reads_vectors
@click.option("--similarity", multiple=True, metavar="FILE", help="Word pairs with human scores, such as WordSim-353.")
@click.option("--analogies", multiple=True, metavar="FILE", help="Analogies, in the format of Google's.")
@click.option("--restrict-vocab", type=int, metavar="N", help="Ask and answer only with the N most frequent words.")
@click.option(
    "--method", type=click.Choice(["3CosAdd", "3CosMul"]), default="3CosAdd", show_default=True, help="For analogies."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def evaluate(
    vectors: str,
    similarity: Sequence[str],
    analogies: Sequence[str],
    restrict_vocab: int | None,
    method: Literal["3CosAdd", "3CosMul"],
    as_json: bool,
    unicode_errors: Mending | None,
) -> None:
    """Judge word vectors by human scores and analogies.

    Each result says how much of the test could be answered. Without --restrict-vocab, analogies are asked twice: among
    the 30,000 most frequent words, and among all. Without files, VECTORS are asked the book's own questions, which are
    for vectors that were trained on the documentation.

    \b
    Examples:
      handgrad evaluate runs/text/vectors.bin
      handgrad evaluate runs/text/vectors.bin --similarity wordsim353.tsv --analogies questions-words.txt
      handgrad evaluate runs/text/vectors.bin --analogies questions-words.txt --restrict-vocab 30000 --json
    """
    from handgrad.word2vec.vectors import documentation_questions as own
    from handgrad.word2vec.vectors.evaluation import odd_one_out, word_analogies, word_similarity

    asked_vectors = loaded(vectors, unicode_errors)
    asked: list[tuple[Any, str | None]] = [(path, None) for path in analogies]
    pairs = [word_similarity(asked_vectors, path, restrict_vocab=restrict_vocab) for path in similarity]
    odd = None
    if not (similarity or analogies):
        asked = [(own.documentation_analogies(), "the book's analogies")]
        odd = odd_one_out(asked_vectors, own.documentation_odd_ones_out(), "the book's odd ones out")
    answers = [
        word_analogies(asked_vectors, questions, restrict_vocab=limit, method=method, name=name)
        for questions, name in asked
        for limit in (
            [restrict_vocab] if restrict_vocab is not None or len(asked_vectors) <= PROTOCOLS[0] else PROTOCOLS
        )
    ]
    if as_json:
        click.echo(json.dumps(_as_json(vectors, asked_vectors, pairs, answers, odd), indent=2))
        return
    tables = [f"{vectors}: {asked_vectors}"]
    tables += [_similarity_table(pairs)] if pairs else []
    tables += [f"{result}\ncoverage {result.total.coverage:.1%}" for result in answers]
    tables += [str(odd)] if odd else []
    click.echo("\n\n".join(tables))


def _similarity_table(results: Sequence) -> str:
    width = max(len(result.name) for result in results)
    lines = [f"{'':{width}}  Spearman  Pearson  answered  pairs  coverage"]
    for r in results:
        lines.append(
            f"{r.name:{width}}  {r.spearman[0]:8.3f}  {r.pearson[0]:7.3f}  {r.answered:>8}  {r.pairs:>5}  "
            f"{r.coverage:>8.1%}"
        )
    return "\n".join(lines)


def _as_json(path: str, vectors: KeyedVectors, pairs: Sequence, answers: Sequence, odd: Any) -> dict[str, Any]:
    """The same results, in words and numbers that JSON has: what has no number is null."""
    return {
        "vectors": path,
        "words": len(vectors),
        "dimension": vectors.vector_size,
        "similarity": [
            {
                "name": r.name,
                "spearman": r.spearman[0],
                "spearman_p": r.spearman[1],
                "pearson": r.pearson[0],
                "pearson_p": r.pearson[1],
                "pairs": r.pairs,
                "answered": r.answered,
                "coverage": r.coverage,
            }
            for r in pairs
        ],
        "analogies": [
            {
                "name": r.name,
                "among_words": r.vocabulary,
                **{part: _section(getattr(r, part)) for part in ("total", "semantic", "syntactic")},
                "sections": {section.name: _section(section) for section in r.sections},
            }
            for r in answers
        ],
        "odd_one_out": odd
        and {
            "name": odd.name,
            "correct": odd.correct,
            "answered": len(odd.answers),
            "sets": len(odd.answers) + len(odd.unknown),
            "accuracy": _number(odd.accuracy),
        },
    }


def _section(section: Any) -> dict[str, Any]:
    return {
        "accuracy": _number(section.accuracy),
        "correct": len(section.correct),
        "answered": section.answered,
        "questions": section.questions,
        "coverage": _number(section.coverage),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
