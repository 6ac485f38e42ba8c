"""What settings of TrainingConfig are called elsewhere: in gensim, word2vec.c, fastText, GloVe and TensorFlow.

And what was called otherwise here in earlier versions.
"""

# The name elsewhere, without dashes at its start and with underscores, and what takes its place. A field's name comes
# first in its sentence.
NAMES_OF_PEERS: dict[str, str] = {
    **dict.fromkeys(
        ["vector_size", "size", "dim", "dims", "layer1_size", "embedding_size", "embedding_dim"], "dimension"
    ),
    **dict.fromkeys(["alpha", "lr", "eta", "start_alpha"], "learning_rate"),
    **dict.fromkeys(["min_alpha", "end_alpha", "min_lr"], "min_learning_rate"),
    **dict.fromkeys(["sample", "subsampling", "t"], "subsample"),
    **dict.fromkeys(["workers", "thread", "num_threads", "n_threads", "n_jobs"], "threads"),
    **dict.fromkeys(["negative", "neg", "num_sampled", "num_ns", "num_neg_samples", "num_negatives"], "negatives"),
    **dict.fromkeys(["iter", "iters", "iterations", "max_iter", "epoch", "num_epochs", "n_epochs"], "epochs"),
    **dict.fromkeys(["ws", "window_size", "skip_window", "context_size", "window_len"], "window"),
    **dict.fromkeys(["sg", "cbow", "skipgram"], "model, which is skipgram or cbow"),
    "hs": "objective, which is hierarchical-softmax instead of 1",
    "loss": "objective, which is negative-sampling instead of ns and hierarchical-softmax instead of hs",
    "ns_exponent": "noise_power",
    "cbow_mean": "cbow_gradient, which says what each word gets of the mean's gradient",
    "shrink_windows": "dynamic_window",
    **dict.fromkeys(
        ["max_vocab", "max_vocab_size", "max_final_vocab", "vocab_size", "vocabulary_size"], "max_vocabulary"
    ),
    **dict.fromkeys(["min_freq", "min_word_count", "vocab_min_count", "min_count_label"], "min_count"),
    **dict.fromkeys(["batch", "batch_words", "minibatch_size"], "batch_size"),
    **dict.fromkeys(["num_steps", "n_steps", "steps", "train_steps"], "max_steps"),
    **dict.fromkeys(["checkpoint_interval", "save_steps"], "checkpoint_every_words, in words, or checkpoint_seconds"),
    "report_every": "report_every_words, which counts words of the text, as a step is another thing in each engine",
    "checkpoint_every": "checkpoint_every_words, which counts words of the text, as a step is another thing in each "
    "engine",
    "compute_loss": "report_every_words, which says how often the loss is written down; it always is",
    **dict.fromkeys(["pretrained_vectors", "pretrained", "init_vectors"], "begin_from"),
    "random_state": "seed",
    "random_seed": "seed",
    "dtype": "precision",
}
