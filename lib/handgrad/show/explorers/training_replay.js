// Words move while they are trained: snapshots of one plane, one after the other.
import { h, s, sayer } from "./parts/shared.js";
import { LIMIT, unpackRows } from "./parts/packing.js";
import { player } from "./parts/player.js";

const WIDTH = 360; // as in training_replay.py
const HEIGHT = 300;
const COURSE = 84; // height of the plot of the loss
const PAUSE = 260;
const FOLLOWED = 4;

export function render({ model, el }) {
  const words = model.get("words");
  const moments = model.get("moments");
  const losses = model.get("packedLosses").split(" ").filter(Boolean).map(Number);
  const rows = unpackRows(model.get("packed"), 2);
  const frames = moments.map((_, k) => rows.slice(k * words.length, (k + 1) * words.length));
  const closest = moments.map((_, k) => rows.slice((moments.length + k) * words.length).slice(0, words.length));
  const scene = frameOf(frames.flat());
  const colors = new Map(model.get("followed").map((word, k) => [word, k])); // followed word -> number of its color

  const trails = Array.from({ length: FOLLOWED }, (_, k) => s("path", { class: `hg-trail hg-follow${k}` }));
  const dots = words.map(() => s("circle", { r: 2.6 }));
  const names = words.map((word) => s("text", {}, word));
  const svg = s(
    "svg",
    { class: "hg-plane hg-words", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
    ...trails,
    ...dots,
    ...names,
  );
  const course = h("div", {});
  const said = sayer();
  const chips = words.map((word, i) =>
    h("button", { type: "button", "aria-pressed": "false", onclick: () => follow(i) }, word),
  );
  const all = h("div", { class: "hg-bar", role: "group", "aria-label": "Words to follow" }, ...chips);
  const choice = h(
    "details",
    { class: "hg-chips", ontoggle: () => (choice.open ? choice.append(all) : all.remove()) },
    h("summary", {}, `Follow up to ${FOLLOWED} words`),
  );
  const control = player("Training", moments.length, model.get("moment"), (k) => moments[k], (k) => {
    model.set("moment", k);
    model.save_changes();
    show();
  }, PAUSE);

  function follow(i) {
    if (colors.has(i)) colors.delete(i);
    else {
      if (colors.size === FOLLOWED) colors.delete(colors.keys().next().value); // the one that was chosen first
      const taken = new Set(colors.values());
      colors.set(i, [0, 1, 2, 3].find((color) => !taken.has(color)));
    }
    model.set("followed", [...colors.keys()]);
    model.save_changes();
    show();
  }

  function show() {
    const moment = model.get("moment");
    const places = frames[moment].map(scene);
    const kind = (i) => (colors.has(i) ? `hg-follow${colors.get(i)}` : "hg-other");
    places.forEach(([x, y], i) => {
      dots[i].setAttribute("class", kind(i));
      dots[i].setAttribute("cx", x.toFixed(1));
      dots[i].setAttribute("cy", y.toFixed(1));
      names[i].setAttribute("class", kind(i));
      names[i].setAttribute("x", x.toFixed(1));
      names[i].setAttribute("y", (y - 5).toFixed(1));
    });
    labelsApart(names, places, colors);
    for (const trail of trails) trail.setAttribute("d", "");
    for (const [i, color] of colors) {
      const way = frames.slice(0, moment + 1).map((frame) => scene(frame[i]).map((x) => x.toFixed(1)).join(" "));
      trails[color].setAttribute("d", `M${way.join("L")}`);
    }
    chips.forEach((chip, i) => {
      chip.setAttribute("aria-pressed", colors.has(i));
      chip.className = colors.has(i) ? `hg-follow${colors.get(i)}` : "";
    });
    const loss = losses[moment];
    const nearest = [...colors.keys()].map((i) => {
      const [other, hundredths] = closest[moment][i];
      return `${words[i]} to ${words[other]} (${((hundredths - 100) / 100).toFixed(2)})`;
    });
    const measured = Number.isFinite(loss) ? `, loss ${loss.toFixed(2)}` : "";
    const who = nearest.length ? ` Nearest among these words, by cosine: ${nearest.join(", ")}.` : "";
    said.textContent = `${capital(moments[moment])}${measured}.${who}`;
    svg.setAttribute("aria-label", `Where ${words.length} words stand ${moments[moment]}`);
    if (losses.some(Number.isFinite)) course.replaceChildren(plotOfLosses(losses, moment));
  }

  el.append(svg, control.element, said, course, choice);
  control.set(model.get("moment"));
  show();
  return control.stop;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// The middle of the picture is the middle of all that ever happens, and all of it is inside.
function frameOf(points) {
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const spread = (numbers) => Math.max(...numbers) - Math.min(...numbers);
  const scale = Math.min((WIDTH - 60) / (spread(xs) || 1), (HEIGHT - 44) / (spread(ys) || 1));
  const middle = (LIMIT - 1) / 2;
  return ([x, y]) => [WIDTH / 2 + (x - middle) * scale, HEIGHT / 2 - (y - middle) * scale];
}

// Names that would lie on another one are left out; followed words come first.
function labelsApart(names, places, colors) {
  const order = [...colors.keys(), ...names.keys()].filter((i, at, all) => all.indexOf(i) === at);
  const size = parseFloat(getComputedStyle(names[0]).fontSize) || 13; // nothing yet where the cell is not shown yet
  const taken = [];
  for (const i of order) {
    const [x, y] = places[i];
    const half = 0.29 * size * names[i].textContent.length + 2;
    const free = taken.every(([a, b, other]) => Math.abs(a - x) > half + other || Math.abs(b - y) > size);
    names[i].setAttribute("visibility", free ? "visible" : "hidden");
    if (free) taken.push([x, y, half]);
  }
}

function plotOfLosses(losses, moment) {
  const known = losses.filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (k) => 8 + (k / (losses.length - 1)) * (WIDTH - 16);
  const y = (loss) => COURSE - 12 - ((loss - low) / (high - low || 1)) * (COURSE - 36);
  const line = (end) => {
    const points = losses.slice(0, end).flatMap((loss, k) => (Number.isFinite(loss) ? [`${x(k)} ${y(loss)}`] : []));
    return points.length ? `M${points.join("L")}` : "";
  };
  const marks = Number.isFinite(losses[moment])
    ? [s("circle", { class: "hg-now", cx: x(moment), cy: y(losses[moment]), r: 4 })]
    : [];
  const text = `loss: ${known[0].toFixed(2)} at first, ${known.at(-1).toFixed(2)} at last`;
  return s(
    "svg",
    { class: "hg-plane hg-course", role: "img", "aria-label": text, viewBox: `0 0 ${WIDTH} ${COURSE}` },
    s("path", { class: "hg-axis", d: `M8 ${COURSE - 6}H${WIDTH - 8}` }),
    s("path", { class: "hg-rest", d: line(losses.length) }),
    s("path", { class: "hg-path", d: line(moment + 1) }),
    ...marks,
    s("text", { x: 8, y: 13 }, text),
  );
}
