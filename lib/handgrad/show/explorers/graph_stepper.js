// A graph, one step at a time: the inputs, each gate forward, the gradient 1 of the output, each gate backward.
import { bringIntoView, button, format, h, numberField, s, sayer, scrollBox } from "./parts/shared.js";
import { playButton } from "./parts/player.js";
import { GATES } from "./parts/gates.js";
import { bothPasses } from "./parts/graph_pass.js";

const LINE = 16; // heights as in handgrad/show/drawing/labels.py
const PAUSE = 1600; // milliseconds between the steps of Play
const PROMISE = "On the way back, each gate's rule stands here: upstream × local = downstream.";

export function render({ model, el }) {
  const nodes = model.get("nodes");
  const order = nodes.map((_, i) => i).filter((i) => nodes[i].gate); // each gate after those that feed it
  const forward = order.map((i) => ["forward", i]);
  const backward = order.map((i) => ["backward", i]).reverse();
  const steps = [["inputs"], ...forward, ["start"], ...backward];
  const output = nodes.length - 1;
  const inputs = nodes.map((node) => node.value);
  let passes = model.get("recorded") ?? bothPasses(nodes, inputs);

  const drawing = draw(nodes, model.get("wires"), model.get("boxes"), model.get("edges"), model.get("title"));
  const box = scrollBox("The graph", drawing.svg);
  const said = sayer();
  const rule = h("div", { class: "hg-rule" });
  const count = h("span", { class: "hg-count" });
  const first = button("First", () => goTo(0));
  const back = button("Back", () => goTo(model.get("step") - 1));
  const next = button("Next", () => goTo(model.get("step") + 1), { class: "hg-main" });
  const last = button("Last", () => goTo(steps.length - 1));
  const { element: play, stop } = playButton(PAUSE, () => {
    const step = model.get("step");
    moveTo(step === steps.length - 1 ? 0 : step + 1);
    return model.get("step") < steps.length - 1;
  });
  const fields = nodes.flatMap(({ name, value, constant }, i) =>
    value === undefined || constant ? [] : [numberField(name, value, (x) => edit(i, x))],
  );
  const note = fields.length
    ? h("div", { class: "hg-bar", role: "group", "aria-label": "Inputs" }, ...fields)
    : h("p", { class: "hg-note" }, "The inputs stay as they are: only Python computes this graph's arrays and gates.");

  el.addEventListener("keydown", (event) => {
    // A field, and a box that scrolls, have these keys for themselves.
    if (event.target.matches("input, .hg-scroll") || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = model.get("step");
    const target = { ArrowRight: step + 1, ArrowLeft: step - 1, Home: 0, End: steps.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    goTo(target);
  });

  function goTo(step) {
    stop();
    moveTo(step);
  }

  function moveTo(step) {
    model.set("step", Math.max(0, Math.min(step, steps.length - 1)));
    model.save_changes();
    show();
  }

  function edit(node, value) {
    inputs[node] = value;
    passes = bothPasses(nodes, inputs);
    show();
  }

  function show() {
    const step = model.get("step");
    const [kind, node] = steps[step];
    const done = steps.slice(0, step + 1);
    const those = (kind) => new Set(done.filter(([known]) => known === kind).map(([, i]) => i));
    const wentForward = those("forward");
    const wentBack = those("backward");
    const hasValue = (i) => !nodes[i].gate || wentForward.has(i);
    for (const { from, to, value, gradient } of drawing.wires) {
      value.textContent = hasValue(from) ? onWire(passes.values[from]) : "";
      const arrived = to === null ? step > order.length : wentBack.has(to.node);
      const sent = to === null ? passes.gradients[from] : passes.downstream[to.node][to.slot];
      gradient.textContent = arrived ? onWire(sent) : "";
    }
    drawing.highlight(kind, kind === "start" ? output : node);
    const { sentence, rows } = describe(kind, node, wentBack);
    said.textContent = sentence;
    rule.replaceChildren(rows.length ? equations(rows) : h("p", { class: "hg-note" }, PROMISE));
    count.textContent = `step ${step} of ${steps.length - 1}`;
    // Not `disabled`, which would take the focus away.
    for (const button of [first, back]) button.setAttribute("aria-disabled", step === 0);
    for (const button of [next, last]) button.setAttribute("aria-disabled", step === steps.length - 1);
    const part = drawing.parts[kind === "start" ? output : node];
    if (part && box.scrollWidth > box.clientWidth) bringIntoView(box, part);
  }

  // The step in words, and for a backward step the rule with its numbers, a row for each input of the gate.
  function describe(kind, i, wentBack) {
    const { values, gradients, downstream, local } = passes;
    if (kind === "inputs") {
      const leaves = nodes.flatMap((node, i) => (node.gate || node.constant ? [] : [`${node.name} = ${long(values[i])}`]));
      return { sentence: `The inputs: ${leaves.join(", ")}. Next, each gate computes its value.`, rows: [] };
    }
    if (kind === "start") {
      const question = "Now back: how fast does the output move when it moves itself?";
      const answer = "At a rate of 1. That is the first upstream gradient.";
      return { sentence: `Forward is done: the output is ${long(values[output])}. ${question} ${answer}`, rows: [] };
    }
    const node = nodes[i];
    const label = node.label.join(" ");
    const called = node.above ? `${node.above} (${label})` : label; // two gates of a kind are told apart by their names
    if (kind === "forward") {
      const numbers = node.inputs.map((j) => long(values[j]));
      if (node.p !== undefined) numbers.push(format(node.p));
      const gate = !model.get("recorded") && GATES[node.gate];
      const text = gate ? gate.write(...numbers) : `${label} of ${numbers.join(" and ")}`;
      return { sentence: `Forward, ${called}: ${text} = ${long(values[i])}.`, rows: [] };
    }
    const rows = node.inputs.map((j, slot) => ({
      name: nodes[j].name,
      upstream: long(gradients[i]),
      local: local[i] ? long(local[i][slot]) : null,
      downstream: long(downstream[i][slot]),
    }));
    const parts = rows.map((row) => `${row.downstream} toward ${row.name}`);
    const upstream = `${long(gradients[i])} comes from upstream`;
    let sentence = `Backward, ${called}: ${upstream}. It hands on ${parts.join(" and ")}.`;
    for (const j of new Set(node.inputs)) sentence += sumOf(j, wentBack);
    return { sentence, rows };
  }

  // Where a value fans out, and its last gradient has just come back: the sum.
  function sumOf(j, wentBack) {
    const users = drawing.wires.filter(({ from, to }) => from === j && to !== null);
    if (users.length < 2 || !users.every(({ to }) => wentBack.has(to.node))) return "";
    const parts = users.map(({ to }) => passes.downstream[to.node][to.slot]).filter((part) => part !== null);
    if (parts.length < 2) return "";
    const sum = `${parts.map((part) => inBrackets(long(part))).join(" + ")} = ${long(passes.gradients[j])}`;
    return ` ${nodes[j].name} feeds ${users.length} wires, and what comes back adds: ${sum}.`;
  }

  const bar = h("div", { class: "hg-bar", role: "group", "aria-label": "Steps" }, first, back, next, last, play, count);
  el.append(box, bar, note, said, rule);
  show();
  return stop; // when a notebook takes the explorer away
}

// A quantity is a number, or what Python recorded of one: text for a wire, and text for a sentence.
const short = (quantity) => (typeof quantity === "number" ? format(quantity) : (quantity?.short ?? ""));
const long = (quantity) => (typeof quantity === "number" ? format(quantity) : (quantity?.long ?? "nothing"));
// There is room for so many letters; the sentence and the table below the drawing have all digits.
const onWire = (quantity) => (short(quantity).length > 7 && typeof quantity === "number" ? format(quantity, 2) : short(quantity));
const inBrackets = (text) => (text.startsWith("-") ? `(${text})` : text);

// A table: toward x, upstream × local = downstream.
function equations(rows) {
  const cell = (text, kind) => h("td", kind ? { class: kind } : {}, text);
  const heads = ["toward", "upstream", "×", "local", "=", "downstream"];
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)));
  const lines = rows.map(({ name, upstream, local, downstream }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      cell(upstream, "hg-gradient"),
      cell("×"),
      cell(local === null ? "Jacobian" : inBrackets(local)),
      cell("="),
      cell(downstream, "hg-gradient"),
    ),
  );
  const table = h("table", { class: "hg-equations" }, h("thead", {}, head), h("tbody", {}, ...lines));
  return scrollBox("Upstream times local is downstream", table);
}

// The drawing, with its texts still empty.
function draw(nodes, planned, boxes, [left, top, right, bottom], title) {
  const halfHeight = (node) => Math.max(21, (LINE * node.label.length) / 2 + 6);
  const svg = s("svg", {
    class: "hg-stepper",
    role: "img",
    "aria-label": title,
    viewBox: `${left} ${top} ${right - left} ${bottom - top}`,
    width: right - left,
    style: `min-width: ${0.8 * (right - left)}px`,
  });
  for (const { name, x, y, width, height } of boxes) {
    svg.append(s("rect", { class: "hg-scope", x, y, width, height, rx: 8 }));
    svg.append(s("text", { class: "hg-scope", x: x + width / 2, y: y + 17 }, name));
  }
  const wires = planned.map(({ from, to, path, value, gradient }) => ({
    from,
    to,
    path: s("path", { class: "hg-wire", d: path }),
    value: s("text", { class: "hg-value", ...value }),
    gradient: s("text", { class: "hg-gradient", ...gradient }),
  }));
  const parts = nodes.map((node) => {
    const part = s("g", { class: node.gate ? "hg-gate" : node.constant ? "hg-constant" : "hg-leaf" });
    const [width, height] = [2 * node.halfWidth, 2 * halfHeight(node)];
    if (node.gate) part.append(s("rect", { x: node.x - width / 2, y: node.y - height / 2, width, height, rx: 21 }));
    if (node.above) part.append(s("text", { class: "hg-name", x: node.x, y: node.y - height / 2 - 6 }, node.above));
    node.label.forEach((text, line) => {
      part.append(s("text", { x: node.x, y: node.y + 5 + LINE * (line - (node.label.length - 1) / 2) }, text));
    });
    return part;
  });
  svg.append(...wires.map(({ path }) => path), ...parts, ...wires.flatMap(({ value, gradient }) => [value, gradient]));

  function highlight(kind, node) {
    parts.forEach((part, i) => part.classList.toggle("hg-active", i === node));
    for (const { from, to, path } of wires) {
      const into = to?.node === node && kind !== "start";
      const outOf = from === node;
      const direction = kind === "forward" ? "hg-forward" : "hg-backward";
      path.setAttribute("class", into || outOf ? `hg-wire ${direction}` : "hg-wire");
    }
  }
  return { svg, wires, parts, highlight };
}
