// The plane goes through a hidden layer: from x to z = W x + b, and on through the activation to h = f(z).
import { format, h, s, sayer, sigmoid, slider } from "./parts/shared.js";
import { player } from "./parts/player.js";

const SIZE = 360; // of the picture
const MARGIN = 22;
const LINES = 17; // of the grid, each way
const PIECES = 160; // of a line of the grid: where the layer is steep, few pieces would cut corners
const FINE = 48; // cells of a row, in which the border of the classes is looked for
const PLACES = 41; // of the slider that bends
const PAUSE = 700;
const STRETCH = 4; // of two units: at most so many times as far along one axis as along the other
const TILT = 0.42; // of the view of three units, in radians
const ACTIVATIONS = {
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  sigmoid,
};

export function render({ model, el }) {
  const points = model.get("points");
  const labels = model.get("labels");
  const snapshots = model.get("snapshots");
  const activation = ACTIVATIONS[model.get("activation")];
  const name = model.get("activation") === "relu" ? "ReLU" : model.get("activation");
  const units = snapshots[0].b.length;
  const reach = 1.15 * Math.max(...points.flat().map(Math.abs));
  const stations = ["x", "z = W x + b", `h = ${name}(z)`];

  const grid = s("path", { class: "hg-grid" });
  const axes = s("path", { class: "hg-axis" });
  const sides = [0, 1].map((side) => s("path", { class: `hg-side${side}` }));
  const border = s("path", { class: "hg-border" });
  const folds = s("path", { class: "hg-fold" });
  const dots = points.map((_, i) => s("circle", { class: `hg-class${labels[i]}`, r: 3.2 }));
  const names = [
    s("text", { x: SIZE - 6, y: SIZE - 7, "text-anchor": "end" }),
    s("text", { x: 6, y: 15 }),
  ].slice(0, units === 2 ? 2 : 0);
  const svg = s(
    "svg",
    { class: "hg-plane hg-square", role: "img", viewBox: `0 0 ${SIZE} ${SIZE}` },
    ...sides,
    grid,
    axes,
    folds,
    ...dots,
    border,
    ...names,
  );
  const said = sayer();
  const bend = slider("Bend", PLACES, model.get("bend"), (k) => sayBend(k, "to "), (k) => change("bend", k));
  const moments = player("Training", snapshots.length, model.get("moment"), (k) => `step ${snapshots[k].step}`, (k) =>
    change("moment", k), PAUSE);
  const turn = slider("Turn", 72, model.get("turn"), (k) => `${5 * k}°`, (k) => change("turn", k));
  const key = h(
    "p",
    { class: "hg-note" },
    h("b", { class: "hg-value" }, "Blue"),
    " and ",
    h("b", { class: "hg-gradient" }, "orange"),
    ": the two classes, and what the network takes for them. The solid line: the score is 0. Dashed, one line for each unit: its entry of z is 0.",
  );
  el.append(svg, bend.element, ...(units === 3 ? [turn.element] : []), moments.element, said, key);
  show();
  return moments.stop;

  // Where the plane is; beside the slider in few words.
  function sayBend(k, to = "of the way to ") {
    const share = (2 * k) / (PLACES - 1);
    if (share % 1 === 0) return stations[share];
    const station = to === "to " ? "xzh"[Math.ceil(share)] : stations[Math.ceil(share)];
    return `${Math.round(100 * (share % 1))}% ${to}${station}`;
  }

  function change(what, value) {
    model.set(what, value);
    model.save_changes();
    show();
  }

  function show() {
    const snapshot = snapshots[model.get("moment")];
    const share = (2 * model.get("bend")) / (PLACES - 1); // 0 to 1: to x W + b, 1 to 2: on through the activation
    const look = projection(units, (model.get("turn") * Math.PI) / 36);
    const place = (x) => look(bent(snapshot, activation, x, share));
    const scene = frame([...points, ...rim(reach)].map(place), units === 2 ? STRETCH : 1);
    const pen = (x) => scene(place(x)).map((number) => number.toFixed(1)).join(" ");

    const lines = [];
    for (let k = 0; k < LINES; k++) {
      const level = along(k, LINES - 1, reach);
      const steps = Array.from({ length: PIECES + 1 }, (_, i) => along(i, PIECES, reach));
      lines.push(`M${steps.map((t) => pen([t, level])).join("L")}`, `M${steps.map((t) => pen([level, t])).join("L")}`);
    }
    grid.setAttribute("d", lines.join(""));
    const ways = snapshot.b.map((_, j) => foldOf(snapshot, j, reach)).filter(Boolean);
    folds.setAttribute("d", ways.map((way) => `M${between(way).map(pen).join("L")}`).join(""));
    axes.setAttribute("d", `M${pen([-reach, 0])}L${pen([reach, 0])}M${pen([0, -reach])}L${pen([0, reach])}`);
    axes.setAttribute("visibility", share < 1.001 ? "visible" : "hidden"); // bent, they are grid lines like others
    const logit = (x) => logitOf(snapshot, activation, x);
    const [regions, segments] = partedBy(logit, reach);
    sides.forEach((path, side) => path.setAttribute("d", regions[side].map((q) => `M${q.map(pen).join("L")}Z`).join("")));
    border.setAttribute("d", segments.map(([a, b]) => `M${pen(a)}L${pen(b)}`).join(""));
    points.forEach((point, i) => {
      const [x, y] = scene(place(point));
      dots[i].setAttribute("cx", x.toFixed(1));
      dots[i].setAttribute("cy", y.toFixed(1));
    });
    names.forEach((text, axis) => (text.textContent = `${"xzh"[Math.ceil(share)]}${"₁₂"[axis]}`));
    const right = points.filter((point, i) => logit(point) > 0 === (labels[i] === 1)).length;
    const where = `The plane at ${sayBend(model.get("bend"))}, with the weights after ${snapshot.step} steps`;
    const shape = ["curved", "straight"][Number(share === 2)];
    const line = segments.length ? `the line between the classes is ${shape} here` : "no line parts the classes yet";
    const flat = units === 3 && share === 2 ? "the classes' border lies in one flat plane here" : line;
    said.textContent = `${where}: ${segments.length ? flat : line}. ${right} of ${points.length} points are on the side of their class; the loss is ${format(snapshot.loss)}.`;
    svg.setAttribute("aria-label", `${where}: a grid and two classes of points`);
  }
}

const along = (k, count, reach) => -reach + (2 * reach * k) / count;

// Where a point of the plane is: on the straight way to z = W x + b, then on the straight way to f(z).
export function bent({ W, b }, activation, x, share) {
  const start = b.map((_, j) => x[j] ?? 0);
  const z = b.map((bias, j) => x[0] * W[0][j] + x[1] * W[1][j] + bias);
  const [from, to, part] = share <= 1 ? [start, z, share] : [z, z.map(activation), share - 1];
  return from.map((number, j) => number + part * (to[j] - number));
}

export function logitOf({ W, b, u, c }, activation, x) {
  return b.reduce((sum, bias, j) => sum + u[j] * activation(x[0] * W[0][j] + x[1] * W[1][j] + bias), c);
}

// The two ends of the line in the square on which a unit's sum is 0: there it bends the plane. None if it lies outside.
export function foldOf({ W, b }, j, reach) {
  const w = [W[0][j], W[1][j]];
  const square = w[0] ** 2 + w[1] ** 2;
  let [low, high] = [-Infinity, Infinity];
  const foot = w.map((weight) => (-b[j] * weight) / square);
  const way = [-w[1], w[0]];
  for (const axis of [0, 1]) {
    const cuts = [-reach, reach].map((edge) => (edge - foot[axis]) / way[axis]).sort((p, q) => p - q);
    if (way[axis] === 0 && Math.abs(foot[axis]) < reach) continue; // it runs along this edge
    [low, high] = [Math.max(low, cuts[0]), Math.min(high, cuts[1])];
  }
  return low < high ? [low, high].map((t) => foot.map((start, axis) => start + t * way[axis])) : null;
}

function between([start, end]) {
  return Array.from({ length: PIECES + 1 }, (_, i) => start.map((x, axis) => x + (i / PIECES) * (end[axis] - x)));
}

// Two units are the picture itself; three are seen from a little above, turned about the second axis.
function projection(units, angle) {
  if (units === 2) return (point) => point;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return ([x, y, z]) => {
    const depth = z * cos - x * sin;
    return [x * cos + z * sin, y * Math.cos(TILT) + depth * Math.sin(TILT)];
  };
}

// The edge of the square that is bent.
function rim(reach) {
  const edge = Array.from({ length: 9 }, (_, k) => along(k, 8, reach));
  return edge.flatMap((t) => [[t, -reach], [t, reach], [-reach, t], [reach, t]]);
}

// The square fills the picture, whatever the layer does to it; what is straight stays straight.
function frame(places, stretch) {
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [wide, tall] = [right - left, high - low];
  const most = Math.max(wide, tall, 1e-6) / stretch;
  const [across, up] = [wide, tall].map((span) => (SIZE - 2 * MARGIN) / Math.max(span, most));
  const clip = (value) => Math.max(-4 * SIZE, Math.min(5 * SIZE, value));
  return ([x, y]) => [
    clip(SIZE / 2 + (x - (left + right) / 2) * across),
    clip(SIZE / 2 - (y - (low + high) / 2) * up),
  ];
}

// The square in pieces: [those of class 0, those of class 1], and the line between them, on which the logit is 0. Each
// cell of a grid is two triangles, and the line crosses a triangle from edge to edge or not at all.
export function partedBy(logit, reach) {
  const at = Array.from({ length: FINE + 1 }, (_, i) =>
    Array.from({ length: FINE + 1 }, (_, j) => {
      const point = [along(i, FINE, reach), along(j, FINE, reach)];
      return { point, side: Number(logit(point) > 0) };
    }),
  );
  const regions = [[], []];
  const line = [];
  for (let i = 0; i < FINE; i++) {
    for (let j = 0; j < FINE; j++) {
      const cell = [at[i][j], at[i + 1][j], at[i + 1][j + 1], at[i][j + 1]];
      if (cell.every(({ side }) => side === cell[0].side)) {
        regions[cell[0].side].push(cell.map(({ point }) => point));
        continue;
      }
      for (const triangle of [[cell[0], cell[1], cell[2]], [cell[0], cell[2], cell[3]]]) {
        const parts = [[], []];
        const crossings = [];
        triangle.forEach((corner, k) => {
          const next = triangle[(k + 1) % 3];
          parts[corner.side].push(corner.point);
          if (corner.side === next.side) return;
          crossings.push(zeroBetween(logit, corner, next));
          for (const part of parts) part.push(crossings.at(-1));
        });
        for (const side of [0, 1]) if (parts[side].length) regions[side].push(parts[side]);
        if (crossings.length) line.push(crossings);
      }
    }
  }
  return [regions, line];
}

// The zero on an edge, by halving: a straight guess would leave the line's true place when the plane is bent.
function zeroBetween(logit, a, b) {
  let [low, high] = a.side ? [b.point, a.point] : [a.point, b.point];
  for (let k = 0; k < 12; k++) {
    const middle = low.map((x, axis) => (x + high[axis]) / 2);
    if (logit(middle) > 0) high = middle;
    else low = middle;
  }
  return low;
}
