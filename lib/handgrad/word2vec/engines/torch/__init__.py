"""The torch engine, in this order: ``network``, ``examples``, ``engine``. All of it needs torch."""
