"""What a run shows and leaves: what is due beside learning itself.

``callbacks`` and ``snapshots`` look on; ``checkpoint``, ``summaries``, ``run_folder`` and ``recording`` write it down;
``beginning`` takes over the vectors of an earlier run; ``progress`` and ``processes`` are for whoever waits.
"""
