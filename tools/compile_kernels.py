"""Compile what training by default runs, and keep it: `make train` and the chapters need not wait for that.

python tools/compile_kernels.py
"""

from handgrad.word2vec import Trainer, TrainingConfig

Trainer(TrainingConfig(min_count=1, subsample=0, epochs=1)).fit([["compiled", "once"]] * 10)
