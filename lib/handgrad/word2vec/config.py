"""All that a run depends on, checked before it begins."""

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import Field, asdict, dataclass, field, fields
from numbers import Real
from typing import Any, Literal, Self, get_args, get_origin

import numpy as np

from handgrad.errors import InputError, is_whole
from handgrad.word2vec.objectives import OBJECTIVES
from handgrad.word2vec.peers import NAMES_OF_PEERS

MOST = 2**31 - 1  # of anything that is counted
MOST_SEED = 2**128 - 1  # what NumPy's SeedSequence takes in
SHOWN = 80  # characters of a value that is refused

# The single draws that can have a seed of their own.
DRAWS = ("init", "examples", "noise")


class SettingError(InputError):
    """A setting is not what its field expects.

    Attributes
    ----------
    name : str
        Of the field.
    expected : str
        The sentence after "TrainingConfig expects NAME": on the command line the name is an option's.
    """

    def __init__(self, name: str, expected: str):
        super().__init__(f"TrainingConfig expects {name}{expected}")
        self.name, self.expected = name, expected


class UnknownSettingError(InputError, TypeError):
    """There is no such setting. (A TypeError too, as any argument that a function does not have.)

    Attributes
    ----------
    name : str
    hint : str
        What to take instead.
    """

    def __init__(self, name: str, hint: str):
        super().__init__(f"TrainingConfig has no {_shown(name)}: {hint}")
        self.name, self.hint = name, hint


def setting(default: Any, help: str, least: int = 0) -> Any:
    """A field of TrainingConfig: its default, what it does and where it comes from, and the least it may be."""
    return field(default=default, metadata={"help": help, "least": least})


def choices_of(setting: Field) -> tuple[str, ...]:
    """The names that a setting chooses from; none where it is a number, a flag or any text."""
    return get_args(setting.type) if get_origin(setting.type) is Literal else ()


@dataclass(frozen=True)
class TrainingConfig:
    """What a run depends on. The defaults are word2vec.c's for skip-gram with negative sampling (Mikolov et al. 2013),
    but for ``min_learning_rate``, which is gensim's. ``explain()`` says what each field does.

    A field means the same in every engine, or the engine refuses it. What an objective or a model has no use for is
    without effect in all of them: ``cbow_gradient`` for skipgram, ``noise`` for a tree.

    What runs, where engines differ:

    - A *step* is a batch of ``batch_size`` targets. In the compiled engine, for negative-sampling and
      hierarchical-softmax, it is a piece of the text, whole sentences: at most 50,000 words, and fewer where an epoch
      would have less than 200 steps; if deterministic, two pieces of at most 5,000. In several processes it is
      ``sync_every`` batches in each. ``max_steps`` counts batches.
    - ``report_every_words`` and ``checkpoint_every_words`` count words of the text, all epochs together, as
      ``raw_words`` in loss.csv does: an entry or a checkpoint is due after the first step that reaches a multiple. A
      step is never interrupted, so an interval shorter than a step has one after each. Where threads do not wait for
      each other, and a callback or a checkpoint waits for all of them, it is a few steps later.
    - ``negatives`` K: numpy and torch draw K words of noise for each target, and all words of its window share them
      (word2vec.c draws K for each pair; so does update="pair"). The compiled engine draws max(K, 12) for a block of
      up to four neighboring targets, for cbow max(K, 8), and each of them counts K / max(K, 12), or K / max(K, 8). For
      nce and sampled-softmax every engine draws K for a whole batch.

    Raises
    ------
    InputError
        If a setting is out of its range, unknown, or does not go with another one.

    Examples
    --------
    >>> from handgrad.word2vec import TrainingConfig
    >>> config = TrainingConfig(model="cbow", learning_rate=0.05)
    >>> config.dimension, config.negatives
    (100, 5)
    """

    # what is learned
    model: Literal["skipgram", "cbow"] = setting(
        "skipgram",
        "skipgram: each word of a window predicts its middle word; cbow: their mean does. (Mikolov et al. 2013a, 3)",
    )
    objective: Literal["negative-sampling", "hierarchical-softmax", "nce", "sampled-softmax", "full-softmax"] = setting(
        "negative-sampling",
        "How a prediction is judged: negative-sampling (Mikolov et al. 2013b, equation 4), hierarchical-softmax (their "
        "equation 3), nce (Gutmann and Hyvärinen 2010), sampled-softmax (Jean et al. 2015), full-softmax.",
    )
    dimension: int = setting(100, "D, numbers in a vector.", least=1)
    cbow_gradient: Literal["exact", "word2vec.c"] = setting(
        "exact",
        "exact: each word of a window gets its share of the mean's gradient; word2vec.c: all of it.",
    )

    # the words
    min_count: int = setting(5, "Words that are rarer get no vector.", least=1)
    max_vocabulary: int = setting(0, "At most so many words, the most frequent ones; 0: no limit.")
    unk: Literal["drop", "keep"] = setting(
        "drop",
        "Words without a vector: drop them, as word2vec.c does, or keep them as one word UNK, as TensorFlow does.",
    )
    subsample: float = setting(
        1e-3, "t, above which share of the text a word is thinned out; 0 keeps all. (word2vec.c -sample)"
    )

    # the examples
    window: int = setting(5, "Words to each side, at most.", least=1)
    dynamic_window: bool = setting(True, "Each window draws its reach from 1 to window, as word2vec.c does.")
    num_skips: int = setting(
        0,
        "0: windows within sentences. Otherwise TensorFlow's word2vec_basic: one stream across sentences, with so many "
        "pairs for each word of it; wants subsample 0 and no dynamic_window.",
    )
    batch_size: int = setting(
        64,
        "Targets of a batch, or pairs with num_skips. All are worked on with the same old vectors, and what a word "
        "gets from each is added up: with many more, a text that repeats a word hundreds of times throws it far off. "
        "The compiled engine has batches for nce and sampled-softmax alone; for other objectives it refuses another "
        "size, and auto is numpy.",
        least=1,
    )
    epochs: int = setting(5, "Passes over the text.", least=1)
    max_steps: int = setting(
        0,
        "End after so many batches, if the epochs are not over before; with num_skips the text is begun anew. Refused "
        "where a step is not one batch: by the compiled engine as for batch_size, and in several processes.",
    )
    held_out: int = setting(0, "Words at the end of the text that are not learned from, for a loss on text unseen.")

    # the noise
    negatives: int = setting(
        5,
        "K, noise words for each target; for nce and sampled-softmax those that a whole batch shares. In the compiled "
        "engine up to four neighboring targets share theirs: max(K, 12) are drawn, for cbow max(K, 8), and they count "
        "for K.",
    )
    noise: Literal["unigram", "log-uniform", "uniform"] = setting(
        "unigram",
        "unigram: P(w) ∝ count^noise_power (word2vec.c); log-uniform: by rank (TensorFlow); uniform.",
    )
    noise_power: float = setting(0.75, "See noise. (Mikolov et al. 2013b, 2.2)")
    unique_noise: bool = setting(True, "nce and sampled-softmax: the noise words of a batch are all different.")
    remove_accidental_hits: Literal["default", "yes", "no"] = setting(
        "default",
        "nce and sampled-softmax: pass over noise words that are the target. TensorFlow's default is no for the first, "
        "yes for the second. (negative-sampling always does)",
    )

    # the steps
    optimizer: Literal["sgd", "momentum", "adagrad", "adam"] = setting("sgd", "How a gradient moves a parameter.")
    update: Literal["batch", "pair"] = setting(
        "batch",
        "batch: one update for a batch; pair: one for each pair, in order, the true SGD of word2vec.c (skipgram with "
        "negative-sampling only).",
    )
    reduction: Literal["sum", "mean"] = setting(
        "sum",
        "The loss of a batch is the sum over its predictions, which goes with word2vec's learning rates, or their "
        "mean, which goes with TensorFlow's.",
    )
    learning_rate: float = setting(0.025, "η at the start. (word2vec.c -alpha)")
    min_learning_rate: float = setting(1e-4, "η at the end; it falls linearly with the words read. (gensim min_alpha)")
    initialization: Literal["word2vec", "tensorflow", "cs20"] = setting(
        "word2vec",
        "word2vec: V from ±1/(2D), U zero; tensorflow: V from ±1; cs20: V from 0 to 1; with these two U is normal, "
        "of deviation 1/√D, cut off at two of them.",
    )
    begin_from: str = setting(
        "",
        "The folder of a run, or a file of vectors (fastText -pretrainedVectors): words that have vectors there begin "
        "with them. For more text, with a run of its own.",
    )
    engine: Literal["auto", "numpy", "compiled", "torch"] = setting(
        "auto",
        "compiled: loops in machine code (numba), for sgd, with any objective but full-softmax; for negative-sampling "
        "and hierarchical-softmax a step is then a piece of the text; numpy: everything, in batches; "
        "torch: autograd, on a GPU too, and in several processes; auto: compiled where it can be, else numpy.",
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "torch: where it computes; auto: on a GPU if there is one."
    )
    examples_on: Literal["auto", "host", "device"] = setting(
        "auto",
        "torch: who draws windows and noise. host: NumPy, as in the numpy engine; device: torch, where it computes; "
        "auto: device on a GPU and in several processes.",
    )
    max_repeats: int = setting(
        0,
        "torch, for large batches: a word that takes part in more predictions of a batch moves as by so many of their "
        "mean; 0: by the sum of all. (negative-sampling and hierarchical-softmax)",
    )
    sync_every: int = setting(
        64,
        "torch, several processes: batches in each before what they have learned is averaged. One process refuses it.",
        least=1,
    )
    threads: int = setting(
        1,
        "Threads of the compiled engine, or of the matrix products in NumPy. With more than one, a seed gives the same "
        "bits only if deterministic, or with nce and sampled-softmax.",
        least=1,
    )
    deterministic: bool = setting(
        False,
        "The same bits with any number of threads. In the compiled engine two learn at a time (negative-sampling and "
        "hierarchical-softmax alone); takes one and a half times as long as two that do not wait for each other, and "
        "learns something a little different. In numpy its products have one thread. torch refuses it.",
    )
    precision: Literal["float32", "float64"] = setting("float32", "Of the parameters.")
    seed: int = setting(1, "The same seed, text and versions give the same vectors.")
    seeds: dict = field(
        default_factory=dict, metadata={"help": f"Seeds of single draws, instead of seed: {', '.join(DRAWS)}."}
    )

    # the course of the run
    report_every_words: int = setting(
        0,
        "Words of the text, all epochs together, from one entry of the loss to the next, which is made after the first "
        "step that reaches a multiple; 0: a hundred entries in a run, or fewer if it is short.",
    )
    checkpoint_every_words: int = setting(
        0, "Words, as for report_every_words, between checkpoints; 0: by time, and when the run ends or is stopped."
    )
    checkpoint_seconds: float = setting(
        30.0,
        "Seconds between checkpoints, beside those of checkpoint_every_words; more where writing one takes longer "
        "than a two-hundredth of that; 0: none by time.",
    )
    keep: int = setting(3, "Checkpoints that are kept, the newest.", least=1)
    checkpoint_scope: str = setting(
        "", "Only the parameters in this scope, embed for instance, are in a checkpoint; a run cannot go on from it."
    )

    def __new__(cls, *values: Any, **settings: Any) -> Self:
        """Names are looked at before dataclass does, whose error could not say what a setting is called here."""
        _require_known(settings)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _checked(each, getattr(self, each.name)))
        self._require_what_goes_together()

    def _require_what_goes_together(self) -> None:
        if self.min_learning_rate > self.learning_rate:
            raise SettingError(
                "min_learning_rate",
                f" to be at most learning_rate, {self.learning_rate}, but got {self.min_learning_rate}.",
            )
        if self.num_skips > 2 * self.window or (self.num_skips and self.batch_size % self.num_skips):
            raise SettingError(
                "num_skips",
                f" to be at most twice the window, {self.window}, and to divide batch_size, {self.batch_size}, but got "
                f"{self.num_skips}.",
            )
        if self.num_skips and self.model == "cbow":
            raise SettingError("num_skips", " of 0 for cbow: pairs have no mean.")
        if self.num_skips and self.subsample:
            raise SettingError("subsample", f" 0 and dynamic_window False with num_skips, but got {self.subsample}.")
        if self.num_skips and self.dynamic_window:
            raise SettingError("dynamic_window", " False with num_skips, and subsample 0.")
        if self.num_skips and self.held_out:
            raise SettingError("held_out", " of 0 with num_skips: that stream has no sentences.")
        if self.unk == "keep" and self.max_vocabulary == 1:
            raise SettingError("max_vocabulary", " of at least 2 with unk='keep', for UNK and a word, but got 1.")
        objective = OBJECTIVES[self.objective]
        if objective.shares_noise and not self.negatives:
            raise SettingError("negatives", f" of at least 1 for {self.objective}, but got 0.")
        simple = objective.learns_by_pair, self.model, self.optimizer, self.reduction
        if self.update == "pair" and simple != (True, "skipgram", "sgd", "sum"):
            raise SettingError(
                "update", "='pair' only with skipgram, negative-sampling, sgd and sum: that is the update it makes."
            )
        self._require_torch_for_its_settings()

    def _require_torch_for_its_settings(self) -> None:
        for each in fields(self):
            of_torch = each.name in ("device", "examples_on", "max_repeats", "sync_every")
            if of_torch and self.engine != "torch" and getattr(self, each.name) != each.default:
                value = getattr(self, each.name)
                raise SettingError(each.name, f" of {each.default!r} without engine torch, but got {value!r}.")
        if self.deterministic and self.engine == "torch":
            raise SettingError(
                "deterministic",
                " of False with engine torch, which does not promise the same bits: take engine compiled, or leave it "
                "at auto.",
            )
        if self.max_repeats and not OBJECTIVES[self.objective].asks_questions:
            raise SettingError("max_repeats", f" of 0 for {self.objective}, but got {self.max_repeats}.")

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Self:
        """A configuration from names and values, as a TOML or JSON file gives them.

        Parameters
        ----------
        settings : dict

        Returns
        -------
        TrainingConfig

        Raises
        ------
        InputError
            As ``TrainingConfig`` does.
        """
        if not isinstance(settings, dict):
            raise InputError(f"TrainingConfig expects a table of names and values, but got {_shown(settings)}.")
        _require_known(settings)
        return cls(**settings)

    def to_dict(self) -> dict[str, Any]:
        """All settings, by name.

        Returns
        -------
        dict
        """
        return asdict(self)

    @classmethod
    def explain(cls) -> str:
        """What each field does, for reading.

        Returns
        -------
        str
        """
        return "\n".join(
            f"{each.name} = {getattr(cls(), each.name)!r}: {each.metadata['help']}" for each in fields(cls)
        )

    def seed_of(self, draw: str) -> tuple[int, int]:
        """The numbers from which the named draw's generators are made.

        Parameters
        ----------
        draw : str

        Returns
        -------
        (int, int)
        """
        return (self.seeds.get(draw, self.seed), DRAWS.index(draw))


def _require_known(settings: Iterable[Any]) -> None:
    """All names are fields, or a sentence says what the first other one is called here."""
    names = [each.name for each in fields(TrainingConfig)]
    for name in settings:
        if name in names:
            continue
        close = difflib.get_close_matches(_snake_case(str(name)), names, n=1)
        if peers := NAMES_OF_PEERS.get(_snake_case(str(name))):
            raise UnknownSettingError(name, f"here it is {peers}.")
        raise UnknownSettingError(name, f"did you mean {close[0]}?" if close else f"it has {', '.join(names)}.")


def _snake_case(name: str) -> str:
    """minCount, min-count and MIN_COUNT are min_count."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower().strip("_")


def _checked(each: Field, value: Any) -> Any:
    """A value that fits its field, as Python's and JSON's own types have it, or a sentence says what is expected."""
    if isinstance(value, np.generic):  # NumPy's numbers are as good as Python's, but JSON does not know them
        value = value.item()
    if each.name == "seeds":
        return _checked_seeds(value)
    choices, least, of = choices_of(each), each.metadata["least"], each.type
    if choices:
        right, expected = isinstance(value, str) and value in choices, f"one of {', '.join(choices)}"
    elif of is bool:
        right, expected = isinstance(value, bool), "true or false"
    elif of is str:
        right, expected = isinstance(value, str), "text"
    elif of is int:
        right, expected = is_whole(value), "a whole number"
    else:
        right, expected = isinstance(value, Real) and not isinstance(value, bool), "a number"
    if not right:
        raise SettingError(each.name, f" to be {expected}, but got {_shown(value)}.")
    most = MOST_SEED if each.name == "seed" else MOST
    if of is int and value > most:
        raise SettingError(each.name, f" of at most {most:,}, but got {_shown(value)}.")
    if of in (int, float) and not (least <= value < math.inf and _is_a_float(value)):
        raise SettingError(each.name, f" of at least {least}{_and_at_most(value)}, but got {_shown(value)}.")
    return of(value) if of in (int, float) else value


def _is_a_float(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:  # a whole number, or a fraction, of hundreds of digits
        return False


def _and_at_most(value: Any) -> str:
    return "" if not value > 0 or value == math.inf else f" and at most {np.finfo(float).max:.1e}"


def _checked_seeds(seeds: Any) -> dict[str, int]:
    if not isinstance(seeds, dict):
        raise SettingError("seeds", f" to be a table of names and seeds, but got {_shown(seeds)}.")
    for name, seed in seeds.items():
        if name not in DRAWS or not is_whole(seed) or not 0 <= seed <= MOST_SEED:
            raise SettingError(
                "seeds",
                f" of {', '.join(DRAWS)}, each a whole number of at least 0, but got {_shown(name)}: {_shown(seed)}.",
            )
    return {name: int(seed) for name, seed in seeds.items()}


def _shown(value: Any) -> str:
    """A value in one line that is not too long, whatever it is: to be refused it need not have a repr."""
    try:
        line = " ".join(repr(value).split())
    except Exception:  # a whole number of 5,000 digits has none
        line = f"something of type {type(value).__name__} that cannot be shown"
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


# The settings of Stanford's course CS20, with the model and the batches of TensorFlow's word2vec_basic.
CS20 = TrainingConfig(
    objective="nce",
    dimension=128,
    min_count=1,
    max_vocabulary=50_000,
    unk="keep",
    subsample=0,
    window=1,
    dynamic_window=False,
    num_skips=2,
    batch_size=128,
    max_steps=100_000,
    negatives=64,
    noise="log-uniform",
    reduction="mean",
    learning_rate=1.0,
    min_learning_rate=1.0,
    initialization="cs20",
    report_every_words=320_000,  # 5,000 batches
    checkpoint_every_words=320_000,
)
