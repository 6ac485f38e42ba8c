"""Imports run one way, and CONTRIBUTING tells the order: each file needs only those that are named before it."""

import ast
import re
from pathlib import Path

import pytest

import handgrad

PACKAGE = Path(handgrad.__file__).parent
CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"


def told():
    """The names in the numbered list, in its order; of word2vec's own parts only the folder."""
    section = CONTRIBUTING.read_text(encoding="utf-8").split("## How the library is built")[1].split("\n## ")[0]
    lines = re.findall(r"^\d\. ((?:`\w+/?`(?:, )?)+)", section, flags=re.MULTILINE)
    return [name for line in lines for name in re.findall(r"`(\w+)/?`", line)]


def parts():
    """Files and folders of the package, as they are imported."""
    found = {path.stem: [path] for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    return found | {path.parent.name: sorted(path.parent.rglob("*.py")) for path in PACKAGE.glob("*/__init__.py")}


def needed_at_import(tree):
    """Parts that are imported when the file is: not in a function, and not for types alone."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("handgrad."):
            yield node.module.split(".")[1]


def test_every_part_is_named_once():
    assert sorted(told()) == sorted(parts())


@pytest.mark.parametrize("part", sorted(parts()))
def test_a_part_needs_only_those_before_it(part):
    before = told()[: told().index(part) + 1]
    for path in parts()[part]:
        needed = set(needed_at_import(ast.parse(path.read_text(encoding="utf-8"))))
        assert needed - set(before) == set(), path.name


def test_an_import_is_seen_where_it_counts():
    for_types = "if TYPE_CHECKING:\n    from handgrad.graph import x\n"
    source = "from handgrad.nodes import Gate\n" + for_types + "def f():\n    from handgrad.a import b"
    assert list(needed_at_import(ast.parse(source))) == ["nodes"]
