"""What a run shows and leaves, beside what it learns.

``meter`` adds up what it costs; ``callbacks`` and ``snapshots`` look on. ``state`` is what it has become, which
``checkpoint`` and ``summaries`` write down, ``run_folder`` and ``recording`` say where. ``beginning`` takes over the
vectors of an earlier run; ``progress`` is for those who wait, and ``processes`` for those that learn together.
"""
