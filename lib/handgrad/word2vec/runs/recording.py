"""Where a run is written down: in its folder, or nowhere."""

import os
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from handgrad.word2vec.config import TrainingConfig
    from handgrad.word2vec.runs.run_folder import RunFolder
    from handgrad.word2vec.trainer import Trainer


def folder_for(
    output: str | os.PathLike | None, resume: bool, config: "TrainingConfig | None" = None
) -> "RunFolder | NoFolder":
    """The folder of a run, if one is named. Only it needs the packages of the extra."""
    if output is None:
        return NoFolder()
    from handgrad.word2vec.runs.run_folder import RunFolder

    return RunFolder(output, resume, config)


class NoFolder:
    """For a run that nobody wants written down: it does nothing of what a RunFolder does."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def begin(self, trainer: "Trainer") -> None:
        pass

    report = finish = resume_run = begin

    def checkpoint_is_due(self, trainer: "Trainer") -> bool:
        return False

    def checkpoint(self, trainer: "Trainer", status: str | None = None) -> None:
        pass
