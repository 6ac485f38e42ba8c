// Gradient descent over contours. The surface is a graph of gates, run forward and back at each step of the path.
import { format, h, numberField, s, sayer, slider } from "./parts/shared.js";
import { bothPasses } from "./parts/graph_pass.js";
import { player } from "./parts/player.js";

const WIDTH = 360; // as in descent.py
const HEIGHT = 270;
const COURSE = 96; // height of the plot of f
const PAUSE = 180;
const FAR = 100; // so many pictures away, a path has run off

export function render({ model, el }) {
  const surfaces = model.get("surfaces");
  const rates = model.get("rates");
  const momenta = model.get("momenta");
  const count = model.get("steps");
  const surface = () => surfaces[model.get("surface")];
  let path = [];
  let plane = null;
  const formula = h("span", { class: "hg-formula" });

  const said = sayer();
  const picture = h("div", {});
  const course = h("div", {});
  const moments = player("Step", count + 1, model.get("step"), (k) => `${k} of ${count}`, (k) => change("step", k), PAUSE);
  const rate = slider("Learning rate η", rates.length, rates.indexOf(model.get("rate")), (k) => format(rates[k]), (k) =>
    change("rate", rates[k]),
  );
  const momentum = slider(
    "Momentum μ",
    momenta.length,
    momenta.indexOf(model.get("momentum")),
    (k) => format(momenta[k]),
    (k) => change("momentum", momenta[k]),
  );
  const fields = [0, 1].map((axis) =>
    numberField(surface().inputs[axis], model.get("start")[axis], (value) => {
      const start = [...model.get("start")];
      start[axis] = value;
      change("start", start);
    }),
  );
  const choice = h(
    "select",
    { onchange: () => choose(choice.selectedIndex) },
    ...surfaces.map(({ name }) => h("option", {}, name)),
  );
  choice.selectedIndex = model.get("surface");

  function choose(number) {
    model.set("surface", number);
    model.set("start", surface().start);
    model.set("rate", rates.reduce((a, b) => (Math.abs(b - surface().rate) < Math.abs(a - surface().rate) ? b : a)));
    rate.set(rates.indexOf(model.get("rate")));
    model.save_changes();
    showSurface();
  }

  function change(name, value) {
    model.set(name, value);
    model.save_changes();
    show();
  }

  function showSurface() {
    plane = makePlane(surface(), (start) => change("start", start), () => model.get("start"));
    picture.replaceChildren(plane.svg);
    formula.textContent = surface().formula;
    show();
  }

  function show() {
    const start = model.get("start");
    path = descent(surface(), start, model.get("rate"), model.get("momentum"), count);
    const step = Math.min(model.get("step"), path.length - 1);
    fields.forEach((field, axis) => {
      const input = field.querySelector("input");
      if (document.activeElement !== input) input.value = start[axis];
    });
    plane.show(start, path, step);
    course.replaceChildren(plotOfValues(surface().letter, path, step, count));
    said.textContent = sentence(surface(), path, step, model.get("step"), model.get("rate"));
  }

  const bar = h("div", { class: "hg-bar" });
  if (surfaces.length > 1) bar.append(h("label", { class: "hg-field" }, h("span", {}, "Surface"), choice));
  bar.append(formula, h("span", { class: "hg-fields" }, "Start ", ...fields));
  el.append(bar, picture, moments.element, rate.element, ...(momenta.length ? [momentum.element] : []), course, said);
  moments.set(model.get("step"));
  showSurface();
  return moments.stop;
}

// The path: at each step the point, f, and the gradient. It ends before a step that leads far out of the picture or to
// where f is not finite, and tells what f is there.
export function descent(surface, start, rate, momentum, count) {
  const [left, right, bottom, top] = surface.view;
  let point = [...start];
  let memory = [0, 0];
  const path = [];
  for (let k = 0; k <= count; k++) {
    const { f, gradient } = slopes(surface.nodes, point);
    const out = Math.max(
      Math.abs(point[0] - (left + right) / 2) / (right - left),
      Math.abs(point[1] - (bottom + top) / 2) / (top - bottom),
    );
    if (k > 0 && !(Number.isFinite(f) && out < FAR)) {
      path.at(-1).leadsTo = f;
      break;
    }
    path.push({ point, f, gradient });
    memory = memory.map((m, axis) => momentum * m + gradient[axis]);
    point = point.map((x, axis) => x - rate * memory[axis]);
  }
  return path;
}

// f at a point of the surface, and its gradient there.
function slopes(nodes, point) {
  const fed = nodes.map(({ fed: axis, value }) => (axis === undefined ? value : point[axis]));
  const { values, gradients } = bothPasses(nodes, fed);
  const gradient = [0, 0];
  nodes.forEach(({ fed: axis }, i) => axis !== undefined && (gradient[axis] = gradients[i]));
  return { f: values.at(-1), gradient };
}

function sentence(surface, path, step, asked, rate) {
  const { point, f, gradient, leadsTo } = path[step];
  const [x, y] = surface.inputs;
  const letter = surface.letter;
  const where = `${x} = ${format(point[0])}, ${y} = ${format(point[1])}`;
  if (leadsTo !== undefined && asked > step) {
    if (Number.isNaN(leadsTo)) return `Step ${step + 1} leads to where ${letter} is undefined, and the path ends.`;
    const away = `Step ${step + 1} leads out of the picture by more than ${FAR} times its width`;
    const diverges = `It diverges: its steps grow instead of shrinking. Try a learning rate below ${format(rate)}.`;
    return `${away}; ${letter} is ${format(leadsTo)} there. ${leadsTo > path[0].f ? diverges : "It runs downhill without end."}`;
  }
  const start = `Step ${step}: ${where}, ${letter} = ${format(f)}`;
  const slope = `The gradient there is (${gradient.map((g) => format(g)).join(", ")}).`;
  if (step === 0) return `${start}. ${slope} The first step goes against it, η times as far.`;
  const level = Math.hypot(...gradient) < 1e-3 ? " It is almost level here: the steps become tiny." : "";
  const before = path[step - 1].f;
  const course = f > before ? `higher than before (${format(before)}): the step was too long` : `${format(path[0].f)} at the start`;
  return `${start}, ${course}. ${slope}${level}`;
}

// The contours, the path, and the start, which pointer and arrow keys move.
function makePlane(surface, onstart, getStart) {
  const [left, right, bottom, top] = surface.view;
  const x = (value) => Math.max(-9999, Math.min(9999, ((value - left) / (right - left)) * WIDTH));
  const y = (value) => Math.max(-9999, Math.min(9999, ((top - value) / (top - bottom)) * HEIGHT));
  const line = s("path", { class: "hg-path" });
  const dots = s("path", { class: "hg-steps" });
  const ahead = s("path", { class: "hg-ahead" });
  const now = s("circle", { class: "hg-now", r: 5 });
  const handle = s(
    "g",
    { class: "hg-start", tabindex: 0, role: "button", onkeydown: walk, onpointerdown: grab, onpointermove: drag },
    s("circle", { class: "hg-reach", r: 17 }),
    s("circle", { r: 7 }),
    s("circle", { class: "hg-middle", r: 2 }),
  );
  const corner = (value, attributes) => s("text", attributes, format(value));
  const svg = s(
    "svg",
    {
      class: "hg-plane hg-contours",
      role: "group",
      "aria-label": `Contours of ${surface.formula}; darker is lower`,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      onclick: (event) => event.target.closest(".hg-start") || onstart(under(event)),
    },
    ...surface.contours.map((d) => s("path", { class: "hg-level", d })),
    line,
    dots,
    ahead,
    now,
    handle,
    corner(left, { x: 5, y: HEIGHT - 7 }),
    corner(right, { x: WIDTH - 5, y: HEIGHT - 7, "text-anchor": "end" }),
    corner(top, { x: 5, y: 15 }),
    s("text", { x: WIDTH / 2, y: HEIGHT - 7, "text-anchor": "middle" }, surface.inputs[0]),
    s("text", { x: 5, y: HEIGHT / 2 }, surface.inputs[1]),
  );

  function under(event) {
    const box = svg.getBoundingClientRect();
    const a = left + ((event.clientX - box.left) / box.width) * (right - left);
    const b = top - ((event.clientY - box.top) / box.height) * (top - bottom);
    return [inside(a, left, right), inside(b, bottom, top)];
  }

  function grab(event) {
    if (event.button) return; // only the first one of a mouse
    handle.setPointerCapture(event.pointerId);
  }

  function drag(event) {
    if (handle.hasPointerCapture(event.pointerId)) onstart(under(event));
  }

  function walk(event) {
    const share = event.shiftKey ? 0.1 : 0.01; // of the picture
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    if (dx === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [a, b] = getStart();
    const across = inside(a + dx * share * (right - left), left, right);
    onstart([across, inside(b + dy * share * (top - bottom), bottom, top)]);
  }

  function show(start, path, step) {
    const points = path.slice(0, step + 1).map(({ point }) => `${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`);
    line.setAttribute("d", `M${points.join("L")}`);
    dots.setAttribute("d", points.map((at) => `M${at}h0`).join(""));
    const [a, b] = path[step].point;
    const next = path[step + 1]?.point;
    ahead.setAttribute("d", next ? `M${x(a)} ${y(b)}L${x(next[0])} ${y(next[1])}` : "");
    now.setAttribute("cx", x(a));
    now.setAttribute("cy", y(b));
    now.setAttribute("visibility", step ? "visible" : "hidden");
    handle.setAttribute("transform", `translate(${x(start[0])} ${y(start[1])})`);
    const at = `${surface.inputs[0]} = ${format(start[0])}, ${surface.inputs[1]} = ${format(start[1])}`;
    handle.setAttribute("aria-label", `Start at ${at}. Arrow keys move it, with Shift ten times as far.`);
  }

  return { svg, show };
}

// To three digits after the point, so that a dragged number can be read and typed again.
const inside = (value, low, high) => Number(Math.max(low, Math.min(high, value)).toFixed(3));

// The values after each step. Where all values are positive the scale is logarithmic: a steady rate is a straight line.
function plotOfValues(letter, path, step, count) {
  const positive = path.every(({ f }) => f > 0);
  const heights = path.map(({ f }) => (positive ? Math.log10(Math.max(f, 1e-12)) : f));
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const x = (k) => 8 + (k / count) * (WIDTH - 16);
  const y = (value) => COURSE - 20 - ((value - low) / (high - low || 1)) * (COURSE - 42);
  const points = (end) => heights.slice(0, end).map((value, k) => `${x(k).toFixed(1)} ${y(value).toFixed(1)}`);
  const ends = `from ${format(path[0].f)} to ${format(path.at(-1).f)}`;
  return s(
    "svg",
    {
      class: "hg-plane hg-course",
      role: "img",
      "aria-label": `${letter} after each step, ${ends}`,
      viewBox: `0 0 ${WIDTH} ${COURSE}`,
    },
    s("path", { class: "hg-axis", d: `M8 ${COURSE - 16}H${WIDTH - 8}` }),
    s("path", { class: "hg-rest", d: `M${points(path.length).join("L")}` }),
    s("path", { class: "hg-path", d: `M${points(step + 1).join("L")}` }),
    s("circle", { class: "hg-now", cx: x(step), cy: y(heights[step]), r: 4 }),
    s("text", { x: 8, y: 13 }, `${letter} after each step${positive ? ", log scale" : ""}: ${ends}`),
    s("text", { x: 8, y: COURSE - 3 }, "0"),
    s("text", { x: WIDTH - 8, y: COURSE - 3, "text-anchor": "end" }, `${count} steps`),
  );
}
