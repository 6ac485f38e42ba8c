"""Every public function and method says which types it takes and gives, for editors and for type checkers."""

import importlib
import inspect

import pytest
from packages import PACKAGES

import handgrad

# A gate's own rules are printed on pages as they stand; Gate, whose they are, is annotated.
RULES = ("forward", "backward", "jvp")


def public_functions():
    """Each public function, and each method of a public class that this library defines, with its full name."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if not getattr(value, "__module__", "").startswith("handgrad"):
                continue
            if inspect.isfunction(value):
                yield value.__module__, name, value
            elif inspect.isclass(value):
                yield from methods(value)


def methods(cls):
    for name, member in vars(cls).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        private = name.startswith("_") and name not in (
            "__init__",
            "__call__",
            "__len__",
            "__getitem__",
            "__contains__",
        )
        rule = name in RULES and issubclass(cls, handgrad.Gate) and cls is not handgrad.Gate
        made = getattr(function, "__qualname__", "").startswith("__create_fn__")  # by a dataclass, of its fields
        if inspect.isfunction(function) and not private and not rule and not made:
            yield cls.__module__, f"{cls.__name__}.{name}", function


def missing_annotations(function):
    """The parameters without a type, and "return" where that has none."""
    signature = inspect.signature(function)
    bare = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is parameter.empty and name not in ("self", "cls")
    ]
    returns = signature.return_annotation is not signature.empty or function.__name__ == "__init__"
    return bare if returns else [*bare, "return"]


FOUND = {}
for module, name, function in public_functions():
    FOUND.setdefault(module, {})[name] = missing_annotations(function)


@pytest.mark.parametrize("module", sorted(FOUND))
def test_public_names_are_annotated(module):
    missing = {name: bare for name, bare in FOUND[module].items() if bare}
    assert missing == {}


def test_what_has_no_type_is_found():
    def bare(x, y: int, *z, key=None, **others):
        """All but y are bare."""

    assert missing_annotations(bare) == ["x", "z", "key", "others", "return"]
