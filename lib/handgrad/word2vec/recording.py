"""Where a run is written down: in its folder, or nowhere."""


def folder_for(output, resume):
    """The folder of a run, if one is named. Only it needs the packages of the extra."""
    if output is None:
        return NoFolder()
    from handgrad.word2vec.run_folder import RunFolder

    return RunFolder(output, resume)


class NoFolder:
    """For a run that nobody wants written down: it does nothing of what a RunFolder does."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin(self, trainer):
        pass

    report = finish = restore = begin

    def checkpoint(self, trainer, status=None):
        pass
