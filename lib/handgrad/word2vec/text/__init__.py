"""From text to what is learned from, in this order: ``vocabulary``, ``encoding``, ``subsampling`` and ``windows``."""
