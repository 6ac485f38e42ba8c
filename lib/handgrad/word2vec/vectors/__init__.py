"""Word vectors, when they are learned: files, neighbors, evaluation.

In this order: ``cosines``; files by ``text_or_binary``, ``other_files``, ``vector_files``, ``vector_writing`` and
``saved_vectors``; ``question_files`` and ``evaluation``; ``stored_vectors`` and ``keyed_vectors``; then ``projector``,
``ppmi`` and ``documentation_questions``.
"""
