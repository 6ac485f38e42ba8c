"""Drawings of computational graphs: inputs left, outputs right, values above the wires and gradients below.

Read it in this order: ``labels`` (what is written, and how wide it is), ``layout`` (where nodes stand), ``beside`` and
``wires`` (how they are joined, and where the numbers stand), ``plan`` (all of it together), then ``text``, ``svg`` and
``drawing``. Explorers draw by the same plan.
"""

from handgrad.show.drawing.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
