"""Where a run is written down: in its folder, or nowhere."""


def recorder_for(output, resume):
    """A RunFolder, if a folder is named. Only it needs the packages of the extra."""
    if output is None:
        return Unrecorded()
    from handgrad.word2vec.run_folder import RunFolder

    return RunFolder(output, resume)


class Unrecorded:
    """For a run that nobody wants written down: a RunFolder that does nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin(self, trainer):
        pass

    report = finish = restore = begin

    def checkpoint(self, trainer, status=None):
        pass
