import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handgrad.errors import InputError
from handgrad.word2vec import CS20, TrainingConfig, keep_probabilities
from handgrad.word2vec.peers import NAMES_OF_PEERS


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"dimension": 2.5}, "dimension to be a whole number, but got 2.5"),
        ({"epochs": True}, "epochs to be a whole number"),
        ({"learning_rate": "fast"}, "learning_rate to be a number"),
        ({"learning_rate": float("inf")}, "learning_rate of at least 0, but got inf"),
        ({"noise_power": float("nan")}, "noise_power of at least 0, but got nan"),
        ({"learning_rate": 0}, "min_learning_rate to be at most learning_rate"),
        ({"model": "glove"}, "model to be one of skipgram, cbow, but got 'glove'"),
        ({"objective": "nse"}, "objective to be one of negative-sampling, .*, but got 'nse'"),
        ({"dynamic_window": 1}, "dynamic_window to be true or false, but got 1"),
        ({"checkpoint_scope": None}, "checkpoint_scope to be text, but got None"),
        ({"seeds": {"luck": 1}}, "seeds of init, examples, noise, .* but got 'luck': 1"),
        ({"seeds": {"init": -1}}, "but got 'init': -1"),
        ({"seeds": 3}, "seeds to be a table"),
        ({"num_skips": 4, "window": 1}, "num_skips to be at most twice the window, 1"),
        ({"num_skips": 3, "batch_size": 128}, "to divide batch_size, 128, but got 3"),
        ({"num_skips": 2, "model": "cbow"}, "num_skips of 0 for cbow"),
        ({"num_skips": 2, "held_out": 100, "subsample": 0, "dynamic_window": False}, "held_out of 0 with num_skips"),
        ({"num_skips": 2, "subsample": 0}, "dynamic_window False with num_skips"),
        ({"dimension": 10**30}, "dimension of at most 2,147,483,647"),
        ({"update": "pair", "objective": "nce"}, "update='pair' only with skipgram"),
        ({"negatives": 0, "objective": "nce"}, "negatives of at least 1 for nce"),
        ({"deterministic": True, "engine": "torch"}, "deterministic of False with engine torch"),
    ],
)
def test_what_cannot_be_trained_with_is_refused(fields, sentence):
    with pytest.raises(InputError, match=sentence):
        TrainingConfig(**fields)


@pytest.mark.parametrize("field", ["dimension", "window", "epochs", "min_count", "batch_size", "keep"])
@pytest.mark.parametrize("value", [0, -3])
def test_sizes_below_one_are_refused(field, value):
    with pytest.raises(InputError, match=f"expects {field} of at least 1, but got {value}"):
        TrainingConfig(**{field: value})


@pytest.mark.parametrize("field", ["learning_rate", "subsample", "negatives", "seed", "max_steps", "held_out"])
def test_negative_and_nan_values_are_refused(field):
    with pytest.raises(InputError, match=f"expects {field} of at least 0, but got -1"):
        TrainingConfig(**{field: -1})
    with pytest.raises(InputError, match=f"expects {field} .* but got nan"):
        TrainingConfig(**{field: float("nan")})


def test_a_configuration_stays_what_was_checked():
    config = TrainingConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.window = 0


def test_the_defaults_are_those_of_word2vec_c():
    """Of its skip-gram with negative sampling: word2vec.c's own defaults, and its demo's model."""
    config = TrainingConfig()
    theirs = {
        "dimension": 100, "window": 5, "subsample": 1e-3, "negatives": 5, "epochs": 5, "min_count": 5,
        "learning_rate": 0.025, "noise": "unigram", "noise_power": 0.75, "dynamic_window": True, "unk": "drop",
    }  # fmt: skip
    assert {name: getattr(config, name) for name in theirs} == theirs
    assert (config.model, config.objective, config.max_vocabulary) == ("skipgram", "negative-sampling", 0)


def test_a_seed_may_be_as_large_as_numpy_takes_it():
    assert np.random.default_rng(TrainingConfig(seed=2**128 - 1).seed)
    assert TrainingConfig(seeds={"init": 2**128 - 1}).seeds == {"init": 2**128 - 1}
    for wrong in ({"seed": 2**128}, {"seeds": {"noise": 2**128}}):
        with pytest.raises(InputError, match="seed"):
            TrainingConfig(**wrong)


FIELDS = [field.name for field in dataclasses.fields(TrainingConfig)]
HUGE = [10**400, -(10**400)]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(HUGE)
    | st.floats(width=32).map(np.float32) | st.integers(-9, 9).map(np.int64) | st.fractions() | st.decimals()
    | st.complex_numbers() | st.binary() | st.just(np.eye(2)) | st.just(np.longdouble(10) ** 4000)
    | st.sampled_from(["a\nb", "nce", "cbow", "torch", "auto", "yes", "keep", "\ud800"])
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3))
@settings(max_examples=400, deadline=None)
def test_any_values_are_a_configuration_that_json_holds_or_one_line(fields):
    try:
        config = TrainingConfig(**fields)
    except InputError as error:
        said = str(error)
        assert len(said.splitlines()) == 1 and len(said) < 700 and said[-1] in ".?"
        return
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict(), allow_nan=False))) == config
    keep_probabilities([3, 1], 4, config.subsample)


@given(st.dictionaries(st.text() | st.integers() | st.none(), VALUES, max_size=3) | VALUES)
@settings(max_examples=200, deadline=None)
def test_any_table_is_a_configuration_or_one_line(table):
    try:
        TrainingConfig.from_dict(table)
    except InputError as error:
        assert len(str(error).splitlines()) == 1


def test_a_subsample_of_hundreds_of_digits_is_refused():
    with pytest.raises(InputError, match=r"expects subsample of at least 0 and at most 1\.8e\+308, but got"):
        TrainingConfig(subsample=10**400)


@pytest.mark.parametrize(
    "name, field",
    [
        ("vector_size", "dimension"), ("size", "dimension"), ("negative", "negatives"), ("sample", "subsample"),
        ("workers", "threads"), ("iter", "epochs"), ("sg", "model"), ("hs", "objective"), ("cbow", "model"),
        ("alpha", "learning_rate"), ("min_alpha", "min_learning_rate"), ("ns_exponent", "noise_power"),
        ("minCount", "min_count"), ("max-vocabulary", "max_vocabulary"), ("embedding_dim", "dimension"),
        ("report_every", "report_every_words"), ("checkpoint-every", "checkpoint_every_words"),
        ("save_steps", "checkpoint_every_words"), ("compute_loss", "report_every_words"),
    ],
)  # fmt: skip
def test_names_of_peers_point_to_ours(name, field):
    for make in (lambda: TrainingConfig(**{name: 1}), lambda: TrainingConfig.from_dict({name: 1})):
        with pytest.raises(InputError, match=rf"has no '{name}': (here it is|did you mean) {field}\b") as caught:
            make()
        assert isinstance(caught.value, TypeError)


def test_every_name_of_a_peer_leads_to_a_field_and_is_none_itself():
    for name, said in NAMES_OF_PEERS.items():
        assert said.partition(",")[0] in FIELDS and name not in FIELDS


def test_every_field_is_explained():
    lines = TrainingConfig.explain().splitlines()
    assert [line.split(" = ")[0] for line in lines] == [field.name for field in dataclasses.fields(TrainingConfig)]
    assert all(len(line.split(": ", 1)[1]) > 8 for line in lines)


def test_there_and_back_as_a_dict():
    assert TrainingConfig.from_dict(CS20.to_dict()) == CS20
    with pytest.raises(InputError, match=r"TrainingConfig has no 'dimensions': did you mean dimension\?"):
        TrainingConfig.from_dict({"dimensions": 3})


def test_a_seed_of_its_own_for_each_draw():
    config = TrainingConfig(seed=4, seeds={"noise": 9})
    assert config.seed_of("noise")[0] == 9 and config.seed_of("init")[0] == 4
    assert len({config.seed_of(draw) for draw in ("init", "examples", "noise")}) == 3
