// Both passes through a graph of single numbers, as handgrad/graph.py makes them: forward visits the nodes from the
// leaves to the output, backward the other way. A node is { gate, inputs, p }: the gate's name, the numbers of the nodes
// that feed it, and the exponent of Power. Each stands after its inputs, and the output last; a leaf has no gate.
import { GATES } from "./gates.js";

// Each node's value and gradient; and of each gate what it hands on, downstream = upstream × local, input by input.
// `fed` are the values of the leaves, each at its node's number.
export function bothPasses(nodes, fed) {
  const values = forwardPass(nodes, fed);
  return { values, ...backwardPass(nodes, values) };
}

function forwardPass(nodes, fed) {
  const values = [];
  nodes.forEach((node, i) => {
    values.push(node.gate ? GATES[node.gate].forward(...argumentsOf(node, values)) : fed[i]);
  });
  return values;
}

function backwardPass(nodes, values) {
  const gradients = nodes.map(() => 0);
  const downstream = nodes.map(() => []);
  const local = nodes.map(() => []);
  gradients[nodes.length - 1] = 1;
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (!node.gate) continue;
    local[i] = GATES[node.gate].local(values[i], ...argumentsOf(node, values));
    downstream[i] = local[i].map((slope) => gradients[i] * slope);
    node.inputs.forEach((j, slot) => (gradients[j] += downstream[i][slot])); // fan-out adds
  }
  return { gradients, downstream, local };
}

function argumentsOf(node, values) {
  const numbers = node.inputs.map((j) => values[j]);
  return node.p === undefined ? numbers : [...numbers, node.p];
}
