// The elementary gates on single numbers, as in handgrad/gates.py: a forward rule, and the local gradients, one for
// each input. `z` is what forward gave, `p` the exponent of Power. `write` is the formula with numbers in it.
import { sigmoid } from "./shared.js";

export const GATES = {
  Add: {
    forward: (x, y) => x + y,
    local: () => [1, 1],
    write: (x, y) => `${x} + ${y}`,
  },
  Subtract: {
    forward: (x, y) => x - y,
    local: () => [1, -1],
    write: (x, y) => `${x} − ${y}`,
  },
  Multiply: {
    forward: (x, y) => x * y,
    local: (z, x, y) => [y, x],
    write: (x, y) => `${x} × ${y}`,
  },
  Divide: {
    forward: (x, y) => x / y,
    local: (z, x, y) => [1 / y, -z / y],
    write: (x, y) => `${x} / ${y}`,
  },
  Power: {
    forward: (x, p) => x ** p,
    local: (z, x, p) => [p === 0 ? 0 : p * x ** (p - 1)],
    write: (x, p) => `${x} to the power ${p}`,
  },
  Exp: {
    forward: (x) => Math.exp(x),
    local: (z) => [z],
    write: (x) => `exp(${x})`,
  },
  Log: {
    forward: (x) => Math.log(x),
    local: (z, x) => [1 / x],
    write: (x) => `log(${x})`,
  },
  Max: {
    forward: (x, y) => Math.max(x, y),
    // Half of the gradient each where both are equal; "not smaller" lets a nan pass.
    local: (z, x, y) => [(!(x <= y) + !(x < y)) / 2, (!(y <= x) + !(y < x)) / 2],
    write: (x, y) => `max(${x}, ${y})`,
  },
  Sigmoid: {
    forward: sigmoid,
    local: (z) => [z * (1 - z)],
    write: (x) => `σ(${x})`,
  },
  Tanh: {
    forward: (x) => Math.tanh(x),
    local: (z) => [1 - z ** 2],
    write: (x) => `tanh(${x})`,
  },
  ReLU: {
    forward: (x) => Math.max(x, 0),
    local: (z, x) => [x <= 0 ? 0 : 1],
    write: (x) => `max(${x}, 0)`,
  },
};
