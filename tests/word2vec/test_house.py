"""How word2vec is built: rooms that stand on one another, engines without a trainer, one table of objectives."""

import ast
import inspect
from pathlib import Path

import pytest

import handgrad.word2vec
from handgrad.word2vec import config
from handgrad.word2vec.engines.engine import Engine
from handgrad.word2vec.objectives import OBJECTIVES

HOUSE = Path(handgrad.word2vec.__file__).parent
NAME = "handgrad.word2vec."
FILES = sorted(HOUSE.rglob("*.py"))
# From the ground up: a room may import those before it. What is lazily imported counts; what types alone need does not.
ROOMS = ["text", "objectives", "peers", "config", "schedule", "vectors", "runs", "engines", "trainer", "__init__"]


def room_of(module):
    return module.removeprefix(NAME).partition(".")[0]


def imports(tree):
    """The modules that are imported when something runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME):
            yield node.module
        yield from imports(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_stands_on_those_below_it(path):
    own = path.relative_to(HOUSE).with_suffix("").parts[0]
    found = {room_of(module) for module in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert {room for room in found if ROOMS.index(room) > ROOMS.index(own)} == set()


def test_what_is_imported_is_found():
    tree = ast.parse(f"if TYPE_CHECKING:\n    from {NAME}a import x\ndef f():\n    from {NAME}b.c import y")
    assert [room_of(module) for module in imports(tree)] == ["b"]


def test_no_engine_is_handed_a_trainer():
    for path in (HOUSE / "engines").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        assert "trainer" not in names | {node.arg for node in nodes if isinstance(node, ast.arg)}, path.name
    assert list(inspect.signature(Engine).parameters) == ["task", "schedule"]


def test_the_name_of_an_objective_is_asked_for_in_one_table():
    (field,) = [each for each in config.fields(config.TrainingConfig) if each.name == "objective"]
    assert tuple(OBJECTIVES) == config.choices_of(field)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare | ast.match_case):
                compared = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)} & set(OBJECTIVES)
                assert not compared, (path.name, node.lineno)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_folder_names_all_that_is_in_it(path):
    """And so says in which order to read it."""
    if path.name != "__init__.py" or path.parent == HOUSE:
        return
    said = path.read_text(encoding="utf-8").split('"""')[1]
    for other in path.parent.glob("*.py"):
        assert other == path or f"``{other.stem}``" in said, other.stem
