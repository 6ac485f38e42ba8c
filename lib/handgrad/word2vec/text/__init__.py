"""From text to what is learned from.

In this order: ``vocabulary``, ``encoding``, ``data``, ``subsampling`` and ``windows``.
"""
