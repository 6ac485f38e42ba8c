"""When training ends early. The entries of the loss are made up, as a trainer would have them."""

import json
import math
from types import SimpleNamespace

import pytest

from handgrad.word2vec import Callback, EarlyStopping


class Reports:
    """What a callback asks of a trainer: its step, its losses, and to be stopped."""

    def __init__(self, step=0):
        self.step, self.losses, self.reason = step, [], None

    def stop(self, reason):
        self.reason = reason


def entries_until_it_stops(callback, losses, held_out=None):
    """How many entries it has seen when it stops, or None."""
    trainer = Reports()
    callback.on_train_begin(trainer)
    for i, loss in enumerate(losses):
        trainer.losses.append(SimpleNamespace(loss=loss, held_out=held_out[i] if held_out else math.nan))
        callback.on_report(trainer)
        if trainer.reason:
            return i + 1
    return None


@pytest.mark.parametrize(
    "losses, at",
    [
        ([5, 4, 3, 2, 1], None),
        ([5, 4, 4, 4], None),
        ([5, 4, 4, 4, 4], 5),  # three entries without a new minimum
        ([5, 6, 7, 8], 4),
        ([5, 6, 6, 4, 5, 5, 3], None),  # each minimum begins the count anew
        ([5, math.nan, math.nan, math.nan], 4),
    ],
)
def test_it_stops_after_three_entries_without_a_new_minimum(losses, at):
    assert entries_until_it_stops(EarlyStopping(), losses) == at


def test_patience_and_how_far_below_a_minimum_counts():
    losses = [5, 4.95, 4.9, 4.85, 4.8, 4.75, 4.7]
    assert entries_until_it_stops(EarlyStopping(), losses) is None
    assert entries_until_it_stops(EarlyStopping(min_delta=0.1), losses) is None  # 4.85 lies below 5 - 0.1
    assert entries_until_it_stops(EarlyStopping(patience=2, min_delta=0.1), losses) == 3
    assert entries_until_it_stops(EarlyStopping(min_delta=1), losses) == 4


def test_the_loss_on_text_unseen_counts_where_there_is_one():
    falling, rising = [5, 4, 3, 2, 1], [1, 2, 3, 4, 5]
    assert entries_until_it_stops(EarlyStopping(), falling, held_out=rising) == 4
    assert entries_until_it_stops(EarlyStopping(), rising, held_out=falling) is None


def test_a_new_training_begins_with_no_minimum_and_one_that_is_resumed_goes_on():
    stopping = EarlyStopping()
    assert entries_until_it_stops(stopping, [1, 2, 3]) is None
    assert entries_until_it_stops(stopping, [9, 8, 7, 6, 6]) is None  # 1 is forgotten
    resumed = EarlyStopping()
    resumed.restore(json.loads(json.dumps(stopping.state(), allow_nan=False)))
    trainer = Reports(step=40)
    resumed.on_train_begin(trainer)
    for loss in (7, 8):  # the second and the third without a new minimum
        assert trainer.reason is None
        trainer.losses.append(SimpleNamespace(loss=loss, held_out=math.nan))
        resumed.on_report(trainer)
    assert trainer.reason == "the loss has not fallen below 6.0000 in 3 entries"


def test_what_is_remembered_before_the_first_entry_is_json_too():
    state = json.loads(json.dumps(EarlyStopping().state(), allow_nan=False))
    resumed = EarlyStopping()
    resumed.restore(state)
    assert (resumed.best, resumed.waited) == (math.inf, 0)


def test_a_callback_does_nothing_until_it_is_told_what():
    nothing, trainer = Callback(), Reports()
    for moment in (nothing.on_train_begin, nothing.on_epoch_begin, nothing.on_epoch_end, nothing.on_report):
        moment(trainer)
    nothing.on_checkpoint(trainer, "step-000000001")
    nothing.on_train_end(trainer)
    nothing.restore(nothing.state())
    assert nothing.state() is None and trainer.reason is None
