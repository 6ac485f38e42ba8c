// The Huffman path: a tree over a few words, built here as the library builds it, and the turns that find a word.
import { bringIntoView, button, format, h, numberField, s, sayer, scrollBox, sigmoid } from "./parts/shared.js";
import { choice, plural } from "./parts/choices.js";

const STEP = 52; // right by one turn
const LINE = 30; // down by one word
const LEFT = 20;
const RADIUS = 12;
const LETTER = 9; // as wide as any in bold: for the room of a word beside its leaf

// As handgrad.word2vec.HuffmanTree: the two smallest nodes are joined until one is left. Words come first, in the
// order of their counts, then inner nodes as they come into being; the one with the smaller count has the code 0.
export function huffmanTree(countOfWord) {
  const V = countOfWord.length;
  const order = [...countOfWord.keys()].sort((a, b) => countOfWord[b] - countOfWord[a]); // equal ones keep their order
  const counts = order.map((word) => countOfWord[word]); // of all nodes
  const parent = [];
  const code = [];
  let [word, inner] = [V - 1, V]; // the heads of two queues: the words, rarest first, and the inner nodes
  const smallest = () => {
    if (word >= 0 && (inner === counts.length || counts[word] < counts[inner])) return word--;
    return inner++;
  };
  while (counts.length < 2 * V - 1) {
    const [first, second] = [smallest(), smallest()];
    parent[first] = parent[second] = counts.length;
    [code[first], code[second]] = [0, 1];
    counts.push(counts[first] + counts[second]);
  }
  return countOfWord.map((_, word) => climb(order.indexOf(word)));

  // The path of a word from the root down: the inner nodes, and the turn at each.
  function climb(node) {
    const path = [];
    for (; parent[node] !== undefined; node = parent[node]) path.unshift({ node: parent[node] - V, code: code[node] });
    return path;
  }
}

export const turn = (score, code) => sigmoid(code ? -score : score);

export const product = (path, scores) => path.reduce((P, { node, code }) => P * turn(scores[node], code), 1);

export function render({ model, el }) {
  const words = model.get("words");
  const given = [model.get("counts"), model.get("scores")];
  const said = sayer();
  const list = choice("Word", words, model.get("word"), (i) => change("word", i));
  const paper = h("div", { style: "min-width: 100%; width: max-content" }); // as wide as the tree
  const drawing = scrollBox("The tree", paper);
  const count = numberField("", 0, (value) => {
    const chosen = model.get("word");
    if (value < 0) return model.get("counts")[chosen];
    change("counts", model.get("counts").map((old, i) => (i === chosen ? Math.round(value) : old)));
    return Math.round(value);
  });
  const countName = count.querySelector("span");
  const countInput = count.querySelector("input");
  countInput.min = 0;
  countInput.step = 1;
  const reset = button("Reset", () => {
    model.set("scores", given[1]);
    change("counts", given[0]);
  });
  const body = h("tbody");
  const heads = ["node", "score s", "turn", "probability", "product"].map((text) =>
    h("th", { scope: "col", class: `hg-${text.split(" ")[0]}` }, text),
  );
  const table = h("table", { class: "hg-path" }, h("thead", {}, h("tr", {}, ...heads)), body);

  function change(name, value) {
    model.set(name, value);
    model.save_changes();
    if (name !== "scores") fill(name);
    show();
  }

  // The fields of the chosen word: its count, unless it is just being typed, and the scores on its path.
  function fill(changed) {
    const i = model.get("word");
    const path = huffmanTree(model.get("counts"))[i];
    countName.textContent = `count of ${words[i]}`;
    if (changed !== "counts" || document.activeElement !== countInput) countInput.value = model.get("counts")[i];
    body.replaceChildren(...path.map(({ node, code }) => line(node, code)));
  }

  function line(node, code) {
    const field = numberField(`score of node ${node}`, format(model.get("scores")[node]), (value) =>
      change("scores", model.get("scores").map((old, other) => (other === node ? value : old))),
    );
    field.querySelector("span").className = "hg-hidden";
    field.querySelector("input").step = 0.1;
    const taken = h("td", { class: "hg-turn" }, String(code));
    return h("tr", {}, h("th", { scope: "row" }, String(node)), h("td", {}, field), taken, h("td"), h("td"));
  }

  function show() {
    const i = model.get("word");
    const [counts, scores] = [model.get("counts"), model.get("scores")];
    const paths = huffmanTree(counts);
    let P = 1;
    paths[i].forEach(({ node, code }, k) => {
      const [, , probability, running] = body.rows[k].querySelectorAll("td");
      const p = turn(scores[node], code);
      P *= p;
      probability.textContent = `σ(${code ? "−s" : "s"}) = ${format(p)}`;
      running.textContent = format(P);
    });
    list.set(i);
    const probabilities = paths.map((path) => product(path, scores));
    const svg = tree(paths, probabilities, counts);
    paper.replaceChildren(svg);
    if (drawing.scrollWidth > drawing.clientWidth) bringIntoView(drawing, svg.querySelector(".hg-on:last-of-type"));
    said.textContent = `${ofWord(i, paths[i], probabilities[i])} ${ofAll(paths, probabilities, counts)}`;
  }

  function ofWord(i, path, P) {
    const factors = path.map(({ node, code }) => format(turn(model.get("scores")[node], code))).join(" × ");
    const code = path.map((step) => step.code).join("");
    const value = path.length > 1 ? `${factors} = ${format(P)}` : format(P);
    return `${words[i]} has the code ${code}: ${plural(path.length, "turn")}, P(${words[i]}) = ${value}.`;
  }

  function ofAll(paths, probabilities, counts) {
    const sum = probabilities.reduce((a, b) => a + b, 0);
    const total = counts.reduce((a, b) => a + b, 0);
    const turns = paths.reduce((before, path, i) => before + path.length * counts[i], 0);
    const mean = total ? ` On average a word of the text takes ${format(turns / total, 3)} turns.` : "";
    return `The probabilities of all ${words.length} words sum to ${format(sum, 6)}.${mean}`;
  }

  // The root stands at the left. Branch 1, that of the larger count, goes up. The thicker a wire, the likelier it is.
  function tree(paths, probabilities, counts) {
    const code = (i) => paths[i].map((step) => step.code).join("");
    const order = words.map((_, i) => i).sort((a, b) => (code(a) < code(b) ? 1 : -1));
    const height = (i) => LINE * (order.indexOf(i) + 0.5);
    const chosen = paths[model.get("word")];
    const nodes = new Map(); // number -> what the drawing needs of it
    const wires = new Map();
    for (const i of order) {
      paths[i].forEach(({ node, code }, depth) => {
        const known = nodes.get(node) ?? { depth, leaves: [], P: 0 };
        known.leaves.push(height(i));
        nodes.set(node, known);
        const next = paths[i][depth + 1]?.node;
        const wire = wires.get(`${node} ${code}`) ?? { node, code, next, leaf: i, depth, P: 0 };
        wire.P += probabilities[i];
        wires.set(`${node} ${code}`, wire);
      });
    }
    const y = (node) => (nodes.get(node).leaves[0] + nodes.get(node).leaves.at(-1)) / 2;
    const on = ({ node, code }) => chosen.some((step) => step.node === node && step.code === code);
    const lines = [...wires.values()].sort((a, b) => on(a) - on(b)).flatMap((wire) => {
      const [x, from] = [LEFT + STEP * wire.depth, y(wire.node)];
      const to = wire.next === undefined ? height(wire.leaf) : y(wire.next);
      const kind = on(wire) ? "hg-on" : "";
      const d = `M${x} ${from}C${x + 26} ${from} ${x + 22} ${to} ${x + STEP} ${to}`;
      return [
        s("path", { class: kind, d, "stroke-width": (1 + 7 * wire.P).toFixed(2) }),
        s("text", { class: `hg-code ${kind}`, x: x + 24.5, y: (from + to) / 2 + 4 }, String(wire.code)),
      ];
    });
    const circles = [...nodes].flatMap(([node, { depth }]) => {
      const kind = chosen.some((step) => step.node === node) ? "hg-on" : "";
      const x = LEFT + STEP * depth;
      return [
        s("circle", { class: kind, cx: x, cy: y(node), r: RADIUS }),
        s("text", { class: kind, x, y: y(node) + 4 }, String(node)),
      ];
    });
    const texts = words.map((word, i) => [`${word} (${counts[i].toLocaleString("en")}) `, format(probabilities[i], 3)]);
    const leaves = words.map((word, i) =>
      s(
        "text",
        {
          class: i === model.get("word") ? "hg-leaf hg-on" : "hg-leaf",
          x: LEFT + STEP * paths[i].length + 6,
          y: height(i) + 5,
          onclick: () => change("word", i),
        },
        texts[i][0],
        s("tspan", {}, texts[i][1]),
      ),
    );
    const width = Math.max(...texts.map((text, i) => LEFT + STEP * paths[i].length + LETTER * text.join("").length));
    const label = `Huffman tree: ${words.map((word, i) => `${word} ${code(i)}`).join(", ")}`;
    return s(
      "svg",
      { class: "hg-tree", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${LINE * words.length}`, width },
      ...lines,
      ...circles,
      ...leaves,
    );
  }

  const key = h(
    "p",
    { class: "hg-note" },
    "Circles: inner nodes, the root at the left. Beside each word: its count, and its probability. The thicker a wire, the "
      + "more of the probability goes through it.",
  );
  const bar = h("div", { class: "hg-bar" }, count, reset);
  el.append(list.element, drawing, key, scrollBox("The path", table), bar, said);
  fill();
  show();
}
