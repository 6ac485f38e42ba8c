"""What this book adds to Sphinx: `_config.yml` loads the package, the package loads its modules."""

from importlib import import_module

MODULES = (
    "accessible",
    "buttons",
    "chapter_numbers",
    "course_map",
    "gradient_list",
    "highlight",
    "lean",
    "live_graph",
    "names",
    "offline",
    "quiz",
    "reference",
    "solutions",
    "typography",
)


def setup(app):
    for name in MODULES:
        import_module(f"{__name__}.{name}").setup(app)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
