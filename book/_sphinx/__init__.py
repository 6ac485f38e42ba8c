"""What this book adds to Sphinx: `_config.yml` loads the package, the package loads its modules."""

from . import chapter_numbers, gradient_list, offline, solutions


def setup(app):
    for module in (chapter_numbers, gradient_list, offline, solutions):
        module.setup(app)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
