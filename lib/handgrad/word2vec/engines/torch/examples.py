"""Windows and noise, drawn by torch where the model is, so that a GPU need not wait for the processor.

The rules are those of ``windows`` and ``noise``; the draws are others. Within a chunk of the text nothing is asked
of the device but the targets for NCE's noise: how many predictions each of its batches makes is counted beforehand.
"""

from typing import NamedTuple

import numpy as np
import torch

from handgrad.word2vec.objectives import FullSoftmaxObjective, HierarchicalSoftmaxObjective, NegativeSamplingObjective
from handgrad.word2vec.text.windows import NO_WORD


class Batch(NamedTuple):
    """What a step learns from.

    inputs : int32 tensor (B, C), words of the windows, NO_WORD where a window has fewer; no row is without a word
    targets : int32 tensor (B,)
    samples : tuple of tensors, what the objective takes beside vectors and biases
    predictions : int, how many the batch makes
    behind : int, words of the text that are behind after it
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    samples: tuple
    predictions: int
    behind: int


class TorchExamples:
    """Goes through a text and makes batches on the device.

    Parameters
    ----------
    text : EncodedText
    network : TorchNetwork, whose noise or tree is drawn from, on whose device
    keep : float array (V,), how likely each word is kept
    start : int, where in the whole text this one begins: the seeds depend on it
    """

    def __init__(self, text, network, keep, start=0):
        self.text, self.network, self.config, self.start = text, network, network.config, start
        self.keep = network.on_device(np.asarray(keep, np.float32))
        self.generator = torch.Generator(network.device)
        self.samples = {
            NegativeSamplingObjective: self._negatives,
            HierarchicalSoftmaxObjective: self._paths,
            FullSoftmaxObjective: lambda targets, *place: (targets,),
        }.get(type(network.objective), self._samples_of_numpy)
        if network.objective.asks_questions:
            self._bring_questions(network.objective)

    def _bring_questions(self, objective):
        """To the device: the columns of the noise, or the paths of the tree."""
        on_device = self.network.on_device
        if isinstance(objective, NegativeSamplingObjective):
            self.own_share, self.alias = map(on_device, objective.noise.alias_table)
        else:
            tree = objective.tree
            self.tree = [on_device(array) for array in (tree.starts, tree.nodes, tree.codes)]
            self.longest_path = torch.arange(int(np.diff(tree.starts).max()), device=self.network.device)

    def batches(self, epoch, position=0):
        """Yield each Batch of an epoch, from a position on. The draws of a place do not depend on where one begins."""
        config, size = self.config, self.config.batch_size
        for first, ids, sentence_of in self.text.chunks():
            if first + len(ids) <= position:
                continue
            self._seed("examples", epoch, first)
            words, left, right, kept = self._windows(*map(self.network.on_device, (ids, sentence_of)))
            centers = torch.nonzero(left + right)[:, 0]  # a word that is alone predicts nothing
            if not len(centers):
                continue
            of_each = (left + right)[centers] if config.model == "skipgram" else torch.ones_like(centers)
            last = torch.arange(size - 1, len(centers) + size - 1, size, device=centers.device)  # of each batch
            last = last.clamp(max=len(centers) - 1)
            predictions = np.diff(of_each.cumsum(0)[last].tolist(), prepend=0).tolist()  # the device is waited for here
            ends = kept[centers[last]].tolist()
            farthest = min(config.window, max(int(np.bincount(sentence_of).max()) - 1, 1))
            for n, batch in enumerate(centers.split(size)):
                behind = first + ends[n] + 1
                if behind > position:
                    targets = words[batch]
                    inputs = self._inputs(words, batch, left, right, farthest)
                    yield Batch(inputs, targets, self.samples(targets, epoch, behind), predictions[n], behind)

    def _windows(self, ids, sentence_of):
        """Thin out frequent words, and draw how far the window of each of the n that are left reaches.

        Returns
        -------
        words : int32 tensor (n,)
        left, right : int64 tensors (n,), how many words to each side are in the window
        kept : int64 tensor (n,), where each word was among the ids
        """
        device, config = self.network.device, self.config
        kept = torch.nonzero(torch.rand(len(ids), device=device, generator=self.generator) < self.keep[ids])[:, 0]
        words, sentences = ids[kept], sentence_of[kept]
        n, window = len(words), config.window
        reach = torch.full((n,), window, device=device)
        if config.dynamic_window:
            reach = torch.randint(1, window + 1, (n,), device=device, generator=self.generator)
        lengths = torch.bincount(sentences)
        ends = lengths.cumsum(0)[sentences]  # of the sentence that each word is in
        begins = ends - lengths[sentences]
        here = torch.arange(n, device=device)
        return words, torch.minimum(here - begins, reach), torch.minimum(ends - 1 - here, reach), kept

    def _inputs(self, words, centers, left, right, farthest):
        """The words of the windows around the centers, (B, 2 farthest)."""
        offsets = torch.arange(-farthest, farthest + 1, device=words.device)
        offsets = torch.cat([offsets[:farthest], offsets[farthest + 1 :]])  # (2 farthest,)  without 0
        there = (centers[:, None] + offsets).clamp(0, len(words) - 1)
        seen = (offsets >= -left[centers][:, None]) & (offsets <= right[centers][:, None])
        return torch.where(seen, words[there], NO_WORD)

    # what an objective takes beside vectors and biases, as ``Network.samples``, of a place (epoch, words behind)

    def _negatives(self, targets, *place):
        self._seed("noise", *place)
        return targets, self._draw((len(targets), self.config.negatives))

    def _samples_of_numpy(self, targets, *place):
        """One small draw for a batch, by NumPy, since it may have to try again."""
        samples = self.network.samples(np.random.default_rng(self._seeds("noise", *place)), targets.cpu().numpy())
        return tuple(map(self.network.on_device, samples))

    def _draw(self, shape):
        """Noise by the alias method, see ``noise.UnigramNoise``."""
        options = {"device": self.network.device, "generator": self.generator}
        column = torch.randint(len(self.alias), shape, dtype=torch.int32, **options)
        return torch.where(torch.rand(shape, **options) < self.own_share[column], column, self.alias[column])

    def _paths(self, targets, *place):
        """As ``HuffmanTree.paths``, but always as wide as the longest path of all."""
        starts, nodes, codes = self.tree
        first, end = starts[targets], starts[targets + 1]  # (B,)
        at = first[:, None] + self.longest_path
        on_path = at < end[:, None]  # (B, L)
        at = torch.where(on_path, at, first[:, None])
        return torch.where(on_path, nodes[at], -1), torch.where(on_path, codes[at], 0)

    def _seed(self, draw, epoch, place):
        self.generator.manual_seed(int(self._seeds(draw, epoch, place).generate_state(1, np.uint64)[0]))

    def _seeds(self, draw, epoch, place):
        return np.random.SeedSequence([*self.config.seed_of(draw), epoch, self.start + place])
