"""Losses are added up in order, and an entry is their mean."""

import math

import pytest

from handgrad.word2vec import TrainingConfig
from handgrad.word2vec.engines.engine import Step
from handgrad.word2vec.runs.meter import LossEntry, Meter
from handgrad.word2vec.schedule import Place, Schedule


def test_an_entry_is_the_mean_over_all_predictions_since_the_last_one():
    meter = Meter(0.5)
    meter.add(Step(Place(0, 3, 1), 0.4, (6.0, 2.0), 3))
    meter.add(Step(None, None, (1.0,), 0))  # a loss that came in later
    meter.enter(30, math.nan, 1)
    assert meter.entries[0][:2] == (30, 3.0) and meter.entries[0].learning_rate == 0.4
    assert (meter.loss_sum, meter.predictions) == (0.0, 0)
    meter.add(Step(Place(0, 6, 2), 0.3, (5.0,), 2))
    meter.enter(60, 7.0, 2)
    assert meter.entries[1] == LossEntry(60, 2.5, 7.0, 0.3, 2)


def test_losses_are_added_one_by_one():
    """To add them up beforehand would change the last bit."""
    losses = (0.1, 0.2, 0.3)
    meter = Meter(0.5)
    meter.add(Step(None, None, (1e16,), 1))
    meter.add(Step(None, None, losses, 3))
    assert meter.loss_sum == ((1e16 + 0.1) + 0.2) + 0.3 != 1e16 + 1e3 * sum(losses)


@pytest.mark.parametrize(
    "every, due",
    [
        (1, [7, 14, 21, 28, 35, 40, 47, 54]),  # after each step
        (14, [14, 28, 47]),  # 42 and 56 are not: 42 is passed in the second epoch, and the text ends before 56
        (10, [14, 21, 35, 40, 54]),  # at 40 exactly
        (3, [7, 14, 21, 28, 35, 40, 47, 54]),  # two multiples in one step are one entry
        (55, []),
    ],
)
def test_entries_are_due_after_the_first_step_that_reaches_a_multiple(every, due):
    """Words of all epochs count, and those without a vector: of 40 words 20 have one."""
    schedule, meter, found = Schedule(TrainingConfig(report_every_words=every, epochs=9), 20, 40), Meter(0.5), []
    places = [Place(0, position / 2) for position in (7, 14, 21, 28, 35, 40)] + [Place(1, 3.5), Place(1, 7)]
    for place in places:
        meter.add(Step(None, None, (1.0,), 1))
        if meter.entry_is_due(place, schedule):
            meter.enter(schedule.raw_words_behind(place), math.nan, place.step)
            found.append(meter.entries[-1].raw_words)
    assert found == due


def test_a_run_that_goes_on_for_longer_has_a_hundred_entries_of_its_own():
    meter = Meter(0.5)
    meter.restore(0.0, 0, [[1, 2.0, None, 0.1, n] for n in range(100)], 0.25)  # it was the whole run, now a quarter
    assert meter.entries_before == 75 and math.isnan(meter.entries[0].held_out)
    schedule = Schedule(TrainingConfig(epochs=4), 100, 100)
    assert not meter.entry_is_due(Place(1, 0, 100), schedule) and meter.entry_is_due(Place(1, 4, 101), schedule)
