"""The network in torch: the same model, losses and update rules, but the gradients are autograd's.

Beside ``objectives/`` there is no backward here. Each loss is written down forward, as its formula says it, and torch
differentiates; log σ, log softmax and the sigmoid cross-entropy are those of ``functional``, which takes torch's own
for tensors. A lookup with ``sparse=True`` has a gradient of the rows that were looked up, as a RowSparseGradient does;
torch.optim then moves these rows alone.
"""

import numpy as np
import torch
from torch.nn import functional as F

from handgrad.functional import log_sigmoid, log_softmax, sigmoid_cross_entropy
from handgrad.word2vec.objectives import (
    FullSoftmaxObjective,
    HierarchicalSoftmaxObjective,
    NCEObjective,
    NegativeSamplingObjective,
    SampledSoftmaxObjective,
    nce,
)
from handgrad.word2vec.objectives.network import Network
from handgrad.word2vec.text.windows import NO_WORD

# The rule for row-sparse gradients, and that for dense ones.
RULES = {
    "sgd": (torch.optim.SGD, torch.optim.SGD),
    "adagrad": (torch.optim.Adagrad, torch.optim.Adagrad),
    "adam": (torch.optim.SparseAdam, torch.optim.Adam),
}
# So many predictions may move a row with the same old vectors: with a weight, no row goes farther for its sake.
SAFE_REPEATS = 64
# What torch's rules remember, and what those of handgrad.optimizers call it.
MEMORY = {"adagrad": {"sum": "a"}, "adam": {"exp_avg": "m", "exp_avg_sq": "v", "step": "t"}, "sgd": {}}


class TorchNetwork(Network):
    """A Network whose losses and gradients torch computes.

    On the CPU the tensors and ``parameters`` are the same memory. On a GPU the tensors are what is learned, and
    ``collect`` copies them to ``parameters``, ``send`` the other way. After that ``parameters`` may be changed,
    or trained with another network that shares them: the next step begins with ``hold``, and goes on from there.

    Parameters
    ----------
    config, counts, shared : as for Network
    device : torch.device or str

    Attributes
    ----------
    tensors : dict, name to the tensor of each parameter, as a table: ``out/b`` is (V, 1)
    is_ahead : bool, whether something was learned that ``parameters`` may not have
    weight : int, how many times a prediction counts at most, for the rows that it moves: see ``runs.processes``
    """

    def __init__(self, config, counts, shared=(), device="cpu"):
        super().__init__(config, counts, shared)
        self.device, self.is_ahead, self.weight = torch.device(device), False, 1
        self.is_near = self.device.type == "cpu"
        self.losses_of_objective = {
            NegativeSamplingObjective: self._negative_sampling,
            HierarchicalSoftmaxObjective: self._hierarchical_softmax,
            NCEObjective: self._nce,
            SampledSoftmaxObjective: self._sampled_softmax,
            FullSoftmaxObjective: self._full_softmax,
        }[type(self.objective)]
        self.tensors = {
            parameter.name: self.on_device(_as_table(parameter.value)).requires_grad_() for parameter in self.parameters
        }

    def loss(self, inputs, samples):
        """Forward: see Network. Waits for the device, where ``forward`` does not."""
        inputs, *samples = (self.on_device(array) for array in (inputs, *samples))
        total = self.forward(inputs, samples)
        return total.item(), int(self.counted.sum())

    @torch.no_grad()
    def mean_loss(self, batches, rng):
        if not self.is_ahead:
            self.send()
        return super().mean_loss(batches, rng)

    def forward(self, inputs, samples):
        """The sum of the losses of a batch, a float64 tensor without axes.

        Parameters
        ----------
        inputs : int tensor (B, C), -1 for none; in each row there is at least one word
        samples : tensors, what the objective takes beside vectors and biases
        """
        seen = inputs != NO_WORD  # (B, C)
        skip_gram = self.config.model == "skipgram"
        self.counted = seen if skip_gram else seen.any(dim=1, keepdim=True)  # (B, C) or (B, 1)
        words = torch.where(
            seen, inputs, inputs.max(dim=1, keepdim=True).values
        )  # any word of the row, where there is none
        v = self.rows("embed/V", words, seen)  # (B, C, D)
        h = v if skip_gram else self._mean(v, seen)
        losses = self.losses_of_objective(h, *samples)  # (B, C)
        self.total = torch.where(self.counted, losses, 0).sum(dtype=torch.float64)
        return self.total

    def gradients(self):
        """Backward: the gradient of each parameter, by name, as autograd finds it; row-sparse but in full-softmax."""
        total = self.total
        if self.config.reduction == "mean":
            total = total / self.counted.sum().clamp(min=1)
        return dict(zip(self.tensors, torch.autograd.grad(total, list(self.tensors.values())), strict=True))

    def rows(self, name, ids, uses):
        """Rows of a table. Its gradient is theirs, as often as ``_times`` says by how many predictions use a row.

        Parameters
        ----------
        name : str, of the table (V, D)
        ids : int tensor (...)
        uses : int tensor (...), in how many predictions each of the rows is used
        """
        table = self.tensors[name]
        found = F.embedding(ids, table, sparse=True)  # (..., D)
        if (self.config.max_repeats or self.weight > 1) and found.requires_grad:
            of_each = torch.zeros(len(table), dtype=found.dtype, device=self.device)  # (V,)
            of_each.index_add_(0, ids.flatten(), uses.expand(ids.shape).flatten().to(found.dtype))
            found.register_hook(lambda gradient: gradient * self._times(of_each[ids])[..., None])
        return found

    def _times(self, n):
        """How many times the gradient of a row counts that n predictions of the batch use: n > 0, a float tensor."""
        if self.config.max_repeats:
            return (self.config.max_repeats / n).clamp(max=self.weight)
        return (SAFE_REPEATS / n).clamp(1, self.weight)

    def _mean(self, v, seen):
        """CBOW: h_b = Σ_c v_bc / n_b, (B, 1, D)."""
        n = seen.sum(dim=1)[:, None, None]  # (B, 1, 1)
        if self.config.cbow_gradient == "word2vec.c" and v.requires_grad:
            v.register_hook(lambda gradient: gradient * n)
        return (v * seen[:, :, None]).sum(dim=1, keepdim=True) / n

    def _negative_sampling(self, h, targets, negatives):
        """-log σ(h·u_o) - Σ_k log σ(-h·u_k), for targets o (B,) and negatives k ≠ o (B, K)."""
        words = torch.cat([targets[:, None], negatives], dim=1)  # (B, 1+K)
        is_target = words == targets[:, None]
        first = torch.arange(words.shape[1], device=self.device) == 0  # (1+K,)
        return self._logistic(h, words, is_target & first, first | ~is_target)

    def _hierarchical_softmax(self, h, nodes, codes):
        """-Σ_l log σ(±h·u_l) over the inner nodes l on the paths (B, L), + for a code of 0."""
        on_path = nodes != -1
        nodes = torch.where(on_path, nodes, nodes[:, :1])
        return self._logistic(h, nodes, codes == 0, on_path)

    def _logistic(self, h, rows, answers, counted):
        """-Σ_r log σ(±h·u_r) over rows r of U (B, R): + where the answer is yes, - where it is no."""
        u = self.rows("out/U", rows, self.counted.sum(dim=1, keepdim=True))  # (B, R, D)
        score = h @ u.mT  # (B, C, R)
        of_answer = log_sigmoid(torch.where(answers[:, None], score, -score))
        return -(of_answer * counted[:, None]).sum(dim=-1)

    def _full_softmax(self, h, targets):
        """-log softmax(U h)_o; torch has one function that takes the logarithm and picks the target of each row."""
        scores = h @ self.tensors["out/U"].T  # (B, C, V)
        return F.cross_entropy(scores.transpose(1, 2), targets[:, None].expand(h.shape[:2]).long(), reduction="none")

    def _sampled_softmax(self, h, labels, *sample):
        """-Σ_j z_j log softmax(x)_j over the corrected scores x, with z of 1/T for the T labels."""
        x = self._corrected_scores(h, labels, *sample)
        return -log_softmax(x)[..., : labels.shape[1]].mean(dim=-1)

    def _nce(self, h, labels, *sample):
        """Sigmoid cross-entropy over the corrected scores, with z of 1/T for the T labels and 0 for the noise."""
        x, T = self._corrected_scores(h, labels, *sample), labels.shape[1]
        z = (torch.arange(x.shape[-1], device=self.device) < T).to(x.dtype) / T  # (T+m,)
        return sigmoid_cross_entropy(x, z.expand(x.shape)).sum(dim=-1)

    def _corrected_scores(self, h, labels, sampled, true_expected, sampled_expected):
        """x (B, C, T+m) of the labels (B, T) and of the noise (m,) that the batch shares."""
        u_true, b_true = self._with_bias(labels)  # (B, T, D), (B, T)
        u_noise, b_noise = self._with_bias(sampled)  # (m, D), (m,)
        true = h @ u_true.mT + b_true[:, None]  # (B, C, T)
        noise = h @ u_noise.T + b_noise  # (B, C, m)
        if self.objective.gate.remove_accidental_hits:
            hits = (labels[:, :, None] == sampled).any(dim=1)  # (B, m)
            noise = torch.where(hits[:, None], noise - nce.FLT_MAX, noise)
        return torch.cat([true - true_expected.log()[:, None], noise - sampled_expected.log()], dim=-1)

    def _with_bias(self, ids):
        u, b = (F.embedding(ids, self.tensors[name], sparse=True) for name in ("out/U", "out/b"))
        return u, b[..., 0]

    def on_device(self, array):
        """A NumPy array as a tensor: on the CPU the same memory."""
        return torch.from_numpy(np.asarray(array)).to(self.device)

    def hold(self):
        """Before a step: have the tensors be what the parameters are by now."""
        if not self.is_ahead:
            self.send()
        self.is_ahead = True

    @torch.no_grad()
    def collect(self):
        """Copy what was learned to ``parameters``, where it is not there already."""
        if not self.is_ahead:  # what another one has learned since would be lost
            return
        for parameter in self.parameters:
            learned = self.tensors[parameter.name].cpu().numpy().reshape(parameter.value.shape)
            if not np.may_share_memory(learned, parameter.value):
                parameter.value[...] = learned
        self.is_ahead = False

    @torch.no_grad()
    def send(self):
        """Copy ``parameters`` to the device; on the CPU, find them where another engine has moved them to."""
        for parameter in self.parameters:
            tensor, table = self.tensors[parameter.name], torch.from_numpy(_as_table(parameter.value))
            if self.is_near:
                tensor.data = table
            else:
                tensor.copy_(table)


class TorchOptimizer:
    """torch.optim's rules behind the interface of ``handgrad.optimizers``.

    Parameters
    ----------
    network : TorchNetwork
    learning_rate : float, η; may be changed between steps

    Attributes
    ----------
    memory : dict as Optimizer's, filled by ``collect``
    """

    def __init__(self, network, learning_rate):
        self.network, self.learning_rate, self.memory = network, learning_rate, {}
        row_sparse, dense = RULES[network.config.optimizer]
        self.names = MEMORY[network.config.optimizer]
        self.rules = {
            name: (dense if name in network.objective.dense else row_sparse)([tensor], lr=learning_rate)
            for name, tensor in network.tensors.items()
        }

    def step(self, parameters, gradients):
        """Move each parameter's tensor against the gradient of its name."""
        for name, gradient in gradients.items():
            rule, tensor = self.rules[name], self.network.tensors[name]
            rule.param_groups[0]["lr"] = self.learning_rate
            tensor.grad = gradient
            with torch.sparse.check_sparse_tensor_invariants(enable=False):  # the ids come from a vocabulary
                rule.step()
            tensor.grad = None

    def collect(self):
        """Write what the rules remember to ``memory``, for a checkpoint."""
        for name, rule in self.rules.items():
            for key, value in rule.state[self.network.tensors[name]].items():
                if key in self.names:
                    self.memory.setdefault(name, {})[self.names[key]] = self._as_number_or_array(name, value)

    def send(self):
        """Make the rules remember what is in ``memory``, after a checkpoint was read."""
        for name, remembered in self.memory.items():
            tensor, rule = self.network.tensors[name], self.rules[name]
            for key, ours in self.names.items():
                if key != "step":
                    value = self.network.on_device(remembered[ours]).reshape(tensor.shape).clone()
                else:  # SparseAdam counts in an int, Adam in a tensor
                    value = (
                        remembered[ours]
                        if isinstance(rule, torch.optim.SparseAdam)
                        else torch.tensor(float(remembered[ours]))
                    )
                rule.state[tensor][key] = value

    def _as_number_or_array(self, name, value):
        if not torch.is_tensor(value) or not value.dim():
            return int(value)
        shape = next(p.value.shape for p in self.network.parameters if p.name == name)
        return value.cpu().numpy().reshape(shape)


def _as_table(value):
    return value if value.ndim == 2 else value[:, None]
