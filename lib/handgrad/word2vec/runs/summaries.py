"""Scalars and histograms for TensorBoard, written as a run goes along."""

import os
import time
from pathlib import Path

import numpy as np

BINS = 50


class SummaryWriter:
    """Writes TensorBoard's event files into a folder; ``tensorboard --logdir`` shows them.

    Parameters
    ----------
    folder : path, made if it is not there
    first_step : int; what an earlier, interrupted run wrote from this step on is hidden by TensorBoard
    """

    def __init__(self, folder, first_step=0):
        # imported here, since it takes a while and not every run wants it
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = event_pb2, summary_pb2
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns()}.{os.getpid()}"  # later files have later names
        self._file = RecordWriter(open(folder / name, "wb"))
        self._add(0, file_version="brain.Event:2")
        if first_step:
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._add(first_step, session_log=start)

    def scalars(self, step, **values):
        """One point on each named curve."""
        entries = [self._summary.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._add(step, summary=self._summary.Summary(value=entries))

    def histogram(self, step, tag, values):
        """How the entries of an array are distributed."""
        values = np.asarray(values, dtype=np.float64).ravel()
        counts, edges = np.histogram(values, bins=BINS)
        histogram = self._summary.HistogramProto(
            min=values.min(),
            max=values.max(),
            num=values.size,
            sum=values.sum(),
            sum_squares=values @ values,
            bucket_limit=edges[1:].tolist(),  # the upper edge of each bin
            bucket=counts.tolist(),
        )
        self._add(step, summary=self._summary.Summary(value=[self._summary.Summary.Value(tag=tag, histo=histogram)]))

    def close(self):
        self._file.close()

    def _add(self, step, **content):
        event = self._event.Event(wall_time=time.time(), step=step, **content)
        self._file.write(event.SerializeToString())
        self._file.flush()
