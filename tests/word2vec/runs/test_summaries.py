import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from handgrad.word2vec.runs.summaries import SummaryWriter


def read(folder):
    events = EventAccumulator(str(folder), purge_orphaned_data=True)
    events.Reload()
    return events


def test_tensorboard_reads_the_scalars_and_histograms(tmp_path):
    writer = SummaryWriter(tmp_path)
    for step in (10, 20):
        writer.scalars(step, loss=step / 4, learning_rate=0.5)
    writer.histogram(20, "embed/V", np.array([[-1.0, 0.0], [0.0, 3.0]]))
    writer.close()
    events = read(tmp_path)
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(10, 2.5), (20, 5.0)]
    assert set(events.Tags()["scalars"]) == {"loss", "learning_rate"}
    (histogram,) = events.Histograms("embed/V")
    value = histogram.histogram_value
    assert (histogram.step, value.min, value.max, value.num, value.sum, value.sum_squares) == (20, -1, 3, 4, 2, 10)
    assert sum(value.bucket) == 4 and value.bucket_limit[-1] == 3


def test_a_resumed_run_hides_what_was_written_after_its_checkpoint(tmp_path):
    first = SummaryWriter(tmp_path)
    for step in (1, 2, 3):
        first.scalars(step, loss=float(step))
    first.close()
    second = SummaryWriter(tmp_path, first_step=3)
    second.scalars(3, loss=30.0)
    second.close()
    assert [(e.step, e.value) for e in read(tmp_path).Scalars("loss")] == [(1, 1.0), (2, 2.0), (3, 30.0)]
