import dataclasses

import pytest

from handgrad.errors import InputError
from handgrad.word2vec import CS20, TrainingConfig


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
