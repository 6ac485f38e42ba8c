"""A training replayed: words move over one fixed plane, snapshot by snapshot."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import InputError
from handgrad.show.explorers.parts.host import Explorer
from handgrad.show.explorers.parts.packing import LIMIT, fit, pack
from handgrad.show.explorers.parts.plane import nearest, principal_axes

WIDTH, HEIGHT = 360, 300  # of the picture, in the units of its SVG
MARGIN = 30
FOLLOWED = 4  # words with a color of their own
MAX_WORDS = 200


class TrainingReplay(Explorer):
    """Words in the plane of the two principal components that the last snapshot has, at every moment."""

    module = "training_replay"

    def __init__(self, words, frames, moments, losses, followed, title):
        center, axes = principal_axes(frames[-1])
        points = (frames - center) @ axes.T  # (frames, words, 2): one plane for all of them
        self.points = fit(points)
        closest = [_closest(frame) for frame in frames]
        state = {
            "words": words,
            "moments": moments,
            "followed": followed,
            "packed": pack(np.concatenate([self.points.ravel(), np.ravel(closest)])),
            "packedLosses": "" if losses is None else " ".join(f"{loss:.2f}" for loss in losses),
            "moment": len(moments) - 1,
        }
        super().__init__(state, title)

    def __repr__(self):
        words, moments = self.state["words"], self.state["moments"]
        return f"{super().__repr__()}\n{len(words)} words at {len(moments)} moments, {moments[0]} to {moments[-1]}"

    def still(self):
        words, followed = self.state["words"], self.state["followed"]
        span = max((self.points.max(axis=(0, 1)) - self.points.min(axis=(0, 1))) / [WIDTH - 2 * MARGIN, HEIGHT - 44])
        points = (self.points - (LIMIT - 1) / 2) / span * [1, -1] + [WIDTH / 2, HEIGHT / 2]
        trails = "".join(
            f'<path class="hg-trail hg-follow{k}" d="M{"L".join(f"{x:.0f} {y:.0f}" for x, y in points[:, i])}"/>'
            for k, i in enumerate(followed)
        )
        names = "".join(
            f'<text class="{f"hg-follow{followed.index(i)}" if i in followed else ""}" '
            f'x="{points[-1, i, 0]:.0f}" y="{points[-1, i, 1]:.0f}">{escape(word)}</text>'
            for i, word in enumerate(words)
        )
        label = f"Where {len(words)} words stand {self.state['moments'][-1]}, and the ways of some"
        return (
            f'<svg class="hg-plane hg-words" role="img" aria-label="{escape(label, quote=True)}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}">{trails}{names}</svg>'
        )


def replay_training(
    words: Sequence[str],
    snapshots: Sequence[ArrayLike],
    /,
    moments: Sequence[str] | None = None,
    losses: Sequence[float] | None = None,
    follow: Sequence[str] = (),
    title: str = "",
) -> TrainingReplay:
    """Words moving in the plane while their vectors are trained.

    All moments are seen in one plane, that of the two principal components of the last snapshot; so what moves is the
    words, not the view. Who is nearest to a word is said by the cosine in all dimensions.

    Parameters
    ----------
    words : list of str
        3 to 200 words.
    snapshots : sequence of float arrays (len(words), D)
        One for each moment; ``word2vec.Snapshots`` takes them.
    moments : list of str, optional
        What each is called, as "after 20,000 words".
    losses : list of float, optional
        One for each moment; nan where there is none yet.
    follow : list of str
        Up to four words whose paths are drawn at first.
    title : str, optional
        The caption.

    Returns
    -------
    TrainingReplay
        An explorer in a notebook and on a page.

    Raises
    ------
    InputError
        If the snapshots do not fit together, or a word to follow is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad import show
    >>> before = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    >>> after = np.array([[1.0, 0.2], [1.0, 0.4], [-2.0, 0.0]])
    >>> moments = ["before", "after"]
    >>> show.replay_training(["hot", "warm", "cold"], [before, after], moments)
    TrainingReplay: Play the training: words that are used alike come together. Choose words to see their ways.
    3 words at 2 moments, before to after
    """
    words, follow = list(map(str, words)), list(map(str, follow))
    snapshots = list(snapshots)
    shapes = {np.shape(snapshot) for snapshot in snapshots}
    fit_together = len(shapes) == 1 and all(len(shape) == 2 and shape[0] == len(words) for shape in shapes)
    if len(snapshots) < 2 or not fit_together:
        raise InputError(
            f"replay_training expects at least two snapshots, each a row for each of the {len(words)} words, but got "
            f"{len(snapshots)}, of shapes {sorted(shapes)}."
        )
    if not 3 <= len(set(words)) == len(words) <= MAX_WORDS or len(words) * len(snapshots) > 40_000:
        raise InputError(
            f"replay_training shows 3 to {MAX_WORDS} different words, and up to 40,000 points, but got {len(words)} "
            f"words, {len(set(words))} different ones, at {len(snapshots)} moments."
        )
    frames = np.array(snapshots, dtype=np.float64)
    if not np.isfinite(frames).all():
        raise InputError("replay_training expects finite vectors, but a snapshot has others: leave it out.")
    moments = [f"snapshot {k}" for k in range(len(frames))] if moments is None else list(map(str, moments))
    measured = None if losses is None else np.asarray(losses, dtype=np.float64)
    if len(moments) != len(frames) or (measured is not None and measured.shape != (len(frames),)):
        raise InputError(
            f"replay_training expects a name, and if any a loss, for each of the {len(frames)} snapshots, but got "
            f"{len(moments)} and {'none' if measured is None else measured.size}."
        )
    if len(follow) > FOLLOWED or not set(follow) <= set(words):
        raise InputError(
            f"replay_training follows up to {FOLLOWED} of its own words, but got {', '.join(follow)}: choose among "
            f"{', '.join(words)}."
        )
    title = title or "Play the training: words that are used alike come together. Choose words to see their ways."
    return TrainingReplay(words, frames, moments, measured, [words.index(word) for word in follow], title)


def _closest(frame):
    """For each word the id of the nearest other one, and its cosine as 0 (opposite) to 200 (same): (words, 2)."""
    lengths = np.linalg.norm(frame, axis=1, keepdims=True)
    ids, cosines = nearest(frame / np.where(lengths > 0, lengths, 1.0), 1)
    return np.concatenate([ids, np.rint(100 * cosines).astype(int) + 100], axis=1)
