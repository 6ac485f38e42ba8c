"""Where the nodes of a graph stand: a column for each step from the inputs, a row for each node and passing wire."""

import itertools
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from handgrad.graph import ComputationalGraph
from handgrad.nodes import Node
from handgrad.show.drawing.labels import LETTER, half_width_of, name_above, scope_of

GAP, ROW = 84, 106  # in pixels: between columns, for wires and their numbers; from row to row
NAME = 18  # above a gate that has a name, for it


class Layout(NamedTuple):
    """Where things stand in a drawing.

    places : node to (x, y), its middle
    bends : source to the (left, right, y) between which its longer wires run straight, from column to column
    """

    places: dict[Node, tuple[float, float]]
    bends: dict[Node, list[tuple[float, float, float]]]


class Bend(Node):
    """Where a wire that skips a column passes between that column's nodes: it has a row there, as a node has."""

    def __init__(self, scope: str, before: Node) -> None:
        self.name, self.gate, self.inputs = f"{scope}/" if scope else "", None, (before,)


def layout(graph: ComputationalGraph) -> Layout:
    """A column for each step from the inputs, and in it a row for each node and for each wire that passes by."""
    users = defaultdict(list)
    for node in graph.nodes:
        for i in node.inputs:
            users[i].append(node)
    depth = _depths(graph.nodes, users)
    columns = defaultdict(list)  # (scope, depth) -> nodes
    for node in graph.nodes:
        columns[scope_of(node), depth[node]].append(node)
    bends = {node: _bends(node, users, depth, columns) for node in graph.nodes}
    row = _rows_near_neighbors(columns, users)
    _move_scopes_apart(columns, row)
    first = min(depth.values())
    widest = [
        max(_half_room_of(n) for n in graph.nodes if depth[n] == d) for d in range(first, max(depth.values()) + 1)
    ]
    centers = np.cumsum([0, *(a + GAP + b for a, b in itertools.pairwise(widest))])
    middles = {n: (float(centers[d - first]), float(ROW * row[n])) for n, d in depth.items()}
    straight = {}
    for node, passed in bends.items():
        rooms = [(*middles[bend], widest[depth[bend] - first]) for bend in passed]
        straight[node] = [(x - room, x + room, y) for x, y, room in rooms]
    return Layout({n: middles[n] for n in graph.nodes}, straight)


def _depths(nodes, users):
    """By node its column: gates as far right as their inputs push them, a leaf just before its first user."""
    depth = {}
    for node in nodes:
        depth[node] = 1 + max((depth[i] for i in node.inputs), default=-1)
    for node in reversed(nodes):
        if node.gate is None and users[node]:
            depth[node] = min(depth[u] for u in users[node]) - 1
    return depth


def _bends(node, users, depth, columns):
    """For a node one bend in each column between it and its last user, all one below the other's inputs."""
    far = [user for user in users[node] if depth[user] > depth[node] + 1]
    scopes = {scope_of(node), *map(scope_of, far)}
    bends, before = [], node
    for d in range(depth[node] + 1, max((depth[user] for user in far), default=0)):
        bend = Bend(next(iter(scopes)) if len(scopes) == 1 else "", before)
        users[before].append(bend)
        depth[bend], before = d, bend
        columns[scope_of(bend), d].append(bend)
        bends.append(bend)
    return bends


def _rows_near_neighbors(columns, users):
    """A row for each node: as near as its column lets it to the middle of its neighbors in its scope."""
    row = {n: r - (len(c) - 1) / 2 for c in columns.values() for r, n in enumerate(c)}
    for _ in range(4):
        for (scope, _), column in columns.items():
            neighbors = {n: [m for m in _pulling(n, users) if scope_of(m) == scope] or [n] for n in column}
            wish = {n: np.mean([row[m] for m in neighbors[n]]) for n in column}
            column.sort(key=wish.get)
            middle = np.mean([wish[n] for n in column])
            for r, n in enumerate(column):
                row[n] = middle + r - (len(column) - 1) / 2
    return row


def _pulling(node, users):
    """What a node wants to be level with: its inputs and users; a bend with other bends, for a straight wire."""
    around = (*node.inputs, *users[node])
    bends = [n for n in around if isinstance(n, Bend)]
    return bends if bends and isinstance(node, Bend) else around


def _move_scopes_apart(columns, row):
    """Moves each scope down, in ``row``, until it is below those that it would overlap."""
    free = defaultdict(float)  # the first row of each column that is free; a box leaves room for its edges
    for scope in dict.fromkeys(scope for scope, _ in columns):
        own = {d: column for (s, d), column in columns.items() if s == scope}
        widest = max(half_width_of(n) for column in own.values() for n in column)
        more = bool(scope) and LETTER * len(scope) + 24 > 2 * widest + GAP  # its name needs the columns beside it
        across = range(min(own) - more, max(own) + 1 + more)
        top = max(free[d] for d in across) - min(row[n] for column in own.values() for n in column)
        for n in itertools.chain(*own.values()):
            row[n] += top
        lowest = {d: max(row[n] for n in column) for d, column in own.items()}
        for d in across if scope else own:
            free[d] = (max(lowest.values()) if scope else lowest[d]) + 1.2


def _half_room_of(node: Node) -> float:
    """Half of the width that a column needs: of a long name, as much as does not fit above the wires on both sides."""
    return max(half_width_of(node), (LETTER * len(name_above(node)) - GAP) / 2 + 6)


def box_around(scope: str, places: dict[Node, tuple[float, float]]) -> tuple[float, float, float, float]:
    """Left, top, width and height of the box around a scope's nodes: wide enough for its name, too."""
    members = [(x, y, half_width_of(n)) for n, (x, y) in places.items() if scope_of(n) == scope]
    left, right = min(x - w for x, _, w in members) - 12, max(x + w for x, _, w in members) + 12
    missing = max(0, LETTER * len(scope) + 24 - (right - left))
    named = any(name_above(n) for n in places if scope_of(n) == scope)  # names stand below that of the scope
    top, bottom = min(y for _, y, _ in members) - 40 - NAME * named, max(y for _, y, _ in members) + 40
    return left - missing / 2, top, right - left + missing, bottom - top
