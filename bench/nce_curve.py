"""NCE at the settings of Stanford's CS20: the loss curve beside the one that TensorFlow gave on the same text.

    python bench/nce_curve.py wiki2014.txt.gz [--learning-rate 0.5]

The reference was measured with TensorFlow 2.21 (tf.nn.nce_loss, 100,000 steps of 128 pairs) on a Wikipedia text of
2014 of 17,263,359 words, read as one stream, and is compared only with that text. Each figure is the mean loss of
5,000 steps. The wiggles are the text's, so ours must show the same ones; what differs is chance: initial values, noise.
"""

import argparse
import dataclasses

from handgrad import corpora
from handgrad.word2vec import CS20, Callback, Trainer, encode_text

WORDS = 17_263_359
TENSORFLOW = {
    1.0: "65.22 18.15 9.51 6.71 5.48 5.18 4.73 4.80 4.65 4.69 4.52 4.64 4.59 4.54 4.59 4.43 4.56 4.56 4.32 4.53",
    0.5: "63.74 17.49 9.09 6.36 5.22 4.94 4.57 4.64 4.51 4.57 4.41 4.54 4.51 4.48 4.52 4.39 4.51 4.51 4.29 4.49",
}


class Row(Callback):
    """Prints each entry of the loss beside its reference."""

    def __init__(self, reference):
        self.reference, self.worst = reference, 0.0

    def on_report(self, trainer):
        entry, number = trainer.losses[-1], len(trainer.losses) - 1
        line = f"{entry.step:>7,} {entry.loss:>9.3f}"
        if number < len(self.reference):
            difference = entry.loss / self.reference[number] - 1
            self.worst = max(self.worst, abs(difference))
            line += f" {self.reference[number]:>11.2f} {difference:>+8.2%}"
        print(f"{line} {1000 * trainer.seconds / entry.step:>8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text")
    parser.add_argument("--learning-rate", type=float, default=1.0)
    arguments = parser.parse_args()
    config = dataclasses.replace(CS20, learning_rate=arguments.learning_rate, min_learning_rate=arguments.learning_rate)
    text = encode_text(corpora.open_corpus(arguments.text), config.min_count, config.max_vocabulary, config.unk)
    known = text.vocabulary.raw_words == WORDS
    row = Row([float(x) for x in TENSORFLOW.get(arguments.learning_rate, "").split()] if known else [])
    print(f"{'step':>7} {'handgrad':>9} {'TensorFlow':>11} {'':>8} {'ms/step':>8}")
    Trainer(config, [row]).fit(text)
    if row.reference:
        print(f"largest difference {row.worst:.2%} (goal: 2 %)")


if __name__ == "__main__":
    main()
