"""NCE at the settings of Stanford's CS20, beside TensorFlow and torch: pairs per second, on the same batches.

    python bench/nce_speed.py text.gz

V 50,000 (or what the text has), D 128, batches of 128 pairs, 64 sampled words that are all different, SGD with rate 1.
Each side is a process of its own; they take turns. All read the batches of the same stream. handgrad makes them in
the timed loop; the other sides have them ready before the clock starts, TensorFlow as tensors. TensorFlow has all
cores, as it comes; torch has one thread, with which batches this small are quickest. The sides:

    handgrad         the trainer with the configuration CS20 and two threads: one draws batches and one learns
    tensorflow       tf.nn.nce_loss, one tf.function call for each step, gradients as IndexedSlices, as courses do
    tensorflow-loop  the same steps in a loop inside of one tf.function, 500 at a time: no Python between two steps
    torch            eager, sparse embeddings, noise from handgrad's sampler
    handgrad-torch   engine="torch"

The mean loss of the last quarter of the steps shows that all learn the same.
"""

import argparse
import dataclasses
import importlib.util
import os
import statistics
import time

from sides import Ratio, SideFailed, add_results_option, measured, plain_text, publish, start, take_turns

GOAL = 5  # beside tensorflow
TOGETHER = 500  # steps in a loop of TensorFlow


def measure(side, text, steps):
    from handgrad.corpora import open_corpus
    from handgrad.word2vec import CS20, encode_text

    words = CS20.batch_size // CS20.num_skips  # of a step
    config = dataclasses.replace(CS20, max_steps=steps, report_every_words=max(steps // 4, 1) * words)
    text = encode_text(open_corpus(text), config.min_count, config.max_vocabulary, config.unk)
    seconds, loss = SIDES[side](text, config)
    return {"speed": steps * config.batch_size / seconds, "loss": loss}


# one measurement: seconds for all steps, and the mean loss of the last quarter


def handgrad_side(text, config, **changes):
    from handgrad.word2vec import Trainer

    trainer = Trainer(dataclasses.replace(config, **({"threads": 2} | changes)))
    trainer.fit(text)
    return trainer.seconds, trainer.losses[-1].loss


def handgrad_torch_side(text, config):
    return handgrad_side(text, config, engine="torch", threads=1)


def batches(text, config):
    """All batches: inputs (steps, B) and labels (steps, B, 1), int32."""
    import numpy as np

    from handgrad.word2vec import NumSkipsBatches

    rng = np.random.default_rng(config.seed)
    stream = NumSkipsBatches(text.ids, config.batch_size, config.num_skips, config.window, rng)
    inputs, labels = zip(*(next(stream) for _ in range(config.max_steps)), strict=True)
    return np.array(inputs), np.array(labels)[:, :, None]


def first_values(text, config):
    """As CS20 has them: embeddings from 0 to 1, weights normal and cut off at two deviations, no biases."""
    from handgrad.word2vec import Network

    return [parameter.value for parameter in Network(config, text.vocabulary.counts).parameters]


def tensorflow_side(text, config, together=1):
    if importlib.util.find_spec("tensorflow") is None:
        raise SideFailed("There is no TensorFlow here: pip install -r bench/requirements.txt, or run make bench.")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    V, words = len(text.vocabulary), batches(text, config)
    embed, weights, biases = parameters = [tf.Variable(value) for value in first_values(text, config)]

    def step(inputs, labels):
        with tf.GradientTape() as tape:
            vectors = tf.nn.embedding_lookup(embed, inputs)
            losses = tf.nn.nce_loss(weights, biases, labels, vectors, config.negatives, V)
            loss = tf.reduce_mean(losses)
        for parameter, gradient in zip(parameters, tape.gradient(loss, parameters), strict=True):
            parameter.scatter_sub(tf.IndexedSlices(config.learning_rate * gradient.values, gradient.indices))
        return loss

    @tf.function
    def loop(inputs, labels):
        losses = tf.TensorArray(tf.float32, len(inputs))
        for i in tf.range(len(inputs)):
            losses = losses.write(i, step(inputs[i], labels[i]))
        return losses.stack()

    take = tf.function(step) if together == 1 else loop
    inputs, labels = (tf.constant(array) for array in words)
    labels = tf.cast(labels, tf.int64)  # nce_loss wants them so
    portions = [i if together == 1 else slice(i, i + together) for i in range(0, config.max_steps, together)]
    portions = [(inputs[portion], labels[portion]) for portion in portions]
    before = [tf.identity(parameter) for parameter in parameters]
    for portion in (portions[0], portions[-1]):  # tracing is not timed; the last one may be shorter
        take(*portion)
    for parameter, value in zip(parameters, before, strict=True):
        parameter.assign(value)
    started = time.perf_counter()
    losses = [take(*portion) for portion in portions]
    losses = tf.concat([tf.reshape(loss, [-1]) for loss in losses], 0).numpy()  # waits until all are made
    return time.perf_counter() - started, float(losses[-max(config.max_steps // 4, 1) :].mean(dtype="float64"))


def tensorflow_loop_side(text, config):
    return tensorflow_side(text, config, TOGETHER)


def torch_side(text, config):
    import numpy as np
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, embedding

    from handgrad.word2vec import LogUniformNoise

    torch.set_num_threads(1)
    inputs, labels = (torch.from_numpy(array).long() for array in batches(text, config))
    noise, rng = LogUniformNoise(len(text.vocabulary)), np.random.default_rng(config.seed)
    embed, weights, biases = (torch.from_numpy(value) for value in first_values(text, config))
    parameters = embed, weights, biases = [p.requires_grad_() for p in (embed, weights, biases[:, None])]
    optimizer = torch.optim.SGD(parameters, config.learning_rate)
    is_true = torch.zeros(config.batch_size, 1 + config.negatives)
    is_true[:, 0] = 1
    losses, started = [], time.perf_counter()
    for x, true in zip(inputs, labels, strict=True):
        ids, of_true, of_sampled = noise.sample(rng, config.negatives, true.numpy())
        ids, of_true, of_sampled = (torch.from_numpy(array) for array in (ids, of_true, of_sampled))
        vectors = embedding(x, embed, sparse=True)  # (B, D)
        true_rows = embedding(true[:, 0], weights, sparse=True)
        true_scores = (vectors * true_rows).sum(1, keepdim=True) + embedding(true[:, 0], biases, sparse=True)
        scores = vectors @ embedding(ids, weights, sparse=True).T + embedding(ids, biases, sparse=True).T
        logits = torch.cat([true_scores - of_true.float().log(), scores - of_sampled.float().log()], 1)
        loss = binary_cross_entropy_with_logits(logits, is_true, reduction="none").sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    seconds = time.perf_counter() - started
    return seconds, float(torch.stack(losses[-max(config.max_steps // 4, 1) :]).double().mean())


SIDES = {
    "handgrad": handgrad_side,
    "tensorflow": tensorflow_side,
    "tensorflow-loop": tensorflow_loop_side,
    "torch": torch_side,
    "handgrad-torch": handgrad_torch_side,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?", help="UTF-8, plain or .gz; else the documentation")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    add_results_option(parser)
    arguments = parser.parse_args()
    with plain_text(arguments.text) as text:

        def run(side, turn):
            return measured({"side": side, "text": text, "steps": arguments.steps})

        results, failures = take_turns(dict.fromkeys(["handgrad", *arguments.sides]), arguments.turns, run)
    ours, lines = results.pop("handgrad", None), []
    for side, theirs in results.items() if ours else ():
        losses = [statistics.mean(result["loss"] for result in runs) for runs in (ours, theirs)]
        speeds = [[result["speed"] / 1e6 for result in runs] for runs in (ours, theirs)]
        quality = f"loss at the end {losses[0]:.3f} and {losses[1]:.3f}"
        what = f"NCE at CS20's settings, {arguments.steps:,} steps"
        lines.append(Ratio(what, side, *speeds, "million pairs/s", GOAL if side == "tensorflow" else 0, quality))
    publish(lines + failures, arguments.results)


if __name__ == "__main__":
    start(main, measure)
