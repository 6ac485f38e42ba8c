// A map of words on a canvas: moved by pointer, wheel, pinch and keys; what it shows stands beside it as text.
import { button, h, sayer } from "./parts/shared.js";
import { LIMIT, unpack } from "./parts/packing.js";

const DEEPEST = 60; // zoom; 1 shows the whole map
const SUGGESTIONS = 6;
const NEAR = 16; // pixels within which a pointer means a point
const FONT = 13;

export function render({ model, el }) {
  const words = model.get("words").split("\n");
  const width = model.get("neighbors");
  const numbers = unpack(model.get("packed"));
  const place = (i) => [numbers[2 * i] / LIMIT, 1 - numbers[2 * i + 1] / LIMIT]; // in the unit square
  const neighborsOf = (i) =>
    Array.from({ length: width }, (_, k) => {
      const at = 2 * words.length + i * width + k;
      return { word: numbers[at], cosine: (numbers[at + words.length * width] - 100) / 100 };
    });
  const view = { x: 0.5, y: 0.5, zoom: 1 }; // what is in the middle, and how large
  const fingers = new Map();
  let size = { width: 0, height: 0 };
  let travelled = 0; // pixels since the pointer went down: little means a click

  const said = sayer();
  const canvas = h("canvas", {
    class: "hg-map",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "map",
    "aria-label": `Map of ${words.length} words. Arrow keys move it, plus and minus zoom, Enter chooses the word in the middle, Escape lets go.`,
    onkeydown: press,
    onpointerdown: touch,
    onpointermove: move,
    onpointerup: release,
    onlostpointercapture: (event) => fingers.delete(event.pointerId),
    onfocus: draw,
    onblur: draw,
  });
  canvas.addEventListener("wheel", turn, { passive: false });
  const pen = canvas.getContext("2d");
  const colors = Object.fromEntries(
    ["ink", "grey", "blue", "orange", "paper"].map((name) => [name, h("i", { style: `color: var(--hg-${name})` })]),
  );
  const palette = h("span", { hidden: "" }, ...Object.values(colors)); // the canvas asks these for the page's colors
  const widths = new Map();

  const field = h("input", {
    type: "search",
    "aria-label": "Search for a word",
    autocomplete: "off",
    oninput: suggest,
    onkeydown: search,
    placeholder: "a word",
  });
  const suggestions = h("div", { class: "hg-bar", role: "group", "aria-label": "Suggestions" });
  const bar = h(
    "div",
    { class: "hg-bar" },
    h("label", { class: "hg-field hg-search" }, h("span", {}, "Search"), field),
    button("+", () => zoom(1.5), { "aria-label": "Zoom in" }),
    button("−", () => zoom(1 / 1.5), { "aria-label": "Zoom out" }),
    button("Whole map", () => show({ x: 0.5, y: 0.5, zoom: 1 })),
  );
  const note = h("p", { class: "hg-note" }, "Click the map first, then the wheel zooms and a finger moves it.");
  said.classList.add("hg-nearest");
  el.append(bar, suggestions, canvas, said, note, palette);

  const scale = () => Math.min(size.width, size.height) * 0.94 * view.zoom; // pixels of the unit square
  const onScreen = (i) => {
    const [x, y] = place(i);
    return [size.width / 2 + (x - view.x) * scale(), size.height / 2 + (y - view.y) * scale()];
  };

  // Moves, with what is at `at` (in pixels) staying there.
  function zoom(by, at = [size.width / 2, size.height / 2]) {
    const deeper = Math.max(1, Math.min(DEEPEST, view.zoom * by));
    const [dx, dy] = [at[0] - size.width / 2, at[1] - size.height / 2];
    const shift = (1 / view.zoom - 1 / deeper) / (scale() / view.zoom);
    show({ x: view.x + dx * shift, y: view.y + dy * shift, zoom: deeper });
  }

  function pan(dx, dy) {
    show({ ...view, x: view.x - dx / scale(), y: view.y - dy / scale() });
  }

  function show(target) {
    Object.assign(view, { ...target, x: Math.max(0, Math.min(1, target.x)), y: Math.max(0, Math.min(1, target.y)) });
    draw();
  }

  function choose(i) {
    model.set("chosen", i);
    model.save_changes();
    tell();
    draw();
  }

  // Brings a word and its neighbors into the picture.
  function goTo(i) {
    const [x, y] = place(i);
    const far = neighborsOf(i).map(({ word }) => Math.hypot(place(word)[0] - x, place(word)[1] - y));
    const reach = far.sort((a, b) => a - b)[Math.floor(width / 2)]; // half of them; some stand far away
    show({ x, y, zoom: Math.max(1, Math.min(8, 0.2 / (reach || 1))) });
    choose(i);
  }

  function tell() {
    const i = model.get("chosen");
    if (i === null) {
      said.textContent = `${words.length.toLocaleString("en")} words, the most frequent ones. None is chosen.`;
      return;
    }
    const names = neighborsOf(i).flatMap(({ word, cosine }, k) => [
      k ? ", " : "",
      button(words[word], () => {
        goTo(word);
        said.querySelector("button").focus(); // the one that had the focus is gone
      }),
      ` ${cosine.toFixed(2)}`,
    ]);
    const who = [h("b", {}, words[i]), ` is number ${i + 1} of the most frequent words. Nearest to it, by cosine: `];
    said.replaceChildren(...who, ...names, ".");
  }

  // Words that begin with what is typed, then words that contain it; among equals the more frequent one.
  function matches() {
    const typed = field.value.trim().toLowerCase();
    if (!typed) return [];
    const known = words.map((word, i) => [word.toLowerCase(), i]);
    const exact = known.filter(([word]) => word === typed);
    const begins = known.filter(([word]) => word !== typed && word.startsWith(typed));
    const contains = known.filter(([word]) => word.includes(typed) && !word.startsWith(typed));
    return [...exact, ...begins, ...contains].slice(0, SUGGESTIONS).map(([, i]) => i);
  }

  function suggest() {
    const found = matches();
    suggestions.replaceChildren(...found.map((i) => button(words[i], () => goTo(i))));
    if (!field.value.trim()) tell();
    else if (!found.length) said.textContent = `No word of this map contains “${field.value.trim()}”.`;
    else said.textContent = `Suggestions: ${found.map((i) => words[i]).join(", ")}. Enter takes the first.`;
  }

  function search(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const [first] = matches();
    if (first !== undefined) goTo(first);
  }

  function press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = 0.1 * Math.min(size.width, size.height);
    const act = {
      ArrowLeft: () => pan(step, 0),
      ArrowRight: () => pan(-step, 0),
      ArrowUp: () => pan(0, step),
      ArrowDown: () => pan(0, -step),
      "+": () => zoom(1.5),
      "=": () => zoom(1.5),
      "-": () => zoom(1 / 1.5),
      0: () => show({ x: 0.5, y: 0.5, zoom: 1 }),
      Enter: () => chooseAt([size.width / 2, size.height / 2], Infinity),
      Escape: () => choose(null),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function chooseAt([x, y], within) {
    let best = [within, null];
    for (let i = 0; i < words.length; i++) {
      const [a, b] = onScreen(i);
      const away = Math.hypot(a - x, b - y);
      if (away < best[0]) best = [away, i];
    }
    if (best[1] !== null) choose(best[1]);
  }

  function under(event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function touch(event) {
    if (event.button) return; // only the first one of a mouse
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, under(event));
    if (fingers.size === 1) travelled = 0;
  }

  function move(event) {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = under(event);
    travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    const share = other ? 0.5 : 1; // the middle between two fingers moves half as far
    if (other || travelled > 4) pan(share * (now[0] - before[0]), share * (now[1] - before[1]));
    if (!other) return;
    const apart = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]) || 1;
    zoom(apart(now) / apart(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
  }

  function release(event) {
    if (fingers.size === 1 && travelled <= 4) chooseAt(under(event), NEAR);
    fingers.delete(event.pointerId);
  }

  // The wheel belongs to the page, until the map has the focus or Ctrl is held.
  function turn(event) {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoom(1.0015 ** -event.deltaY, under(event));
  }

  function draw() {
    if (!size.width) return;
    const color = Object.fromEntries(Object.entries(colors).map(([name, probe]) => [name, getComputedStyle(probe).color]));
    const chosen = model.get("chosen");
    const neighbors = chosen === null ? [] : neighborsOf(chosen).map(({ word }) => word);
    const special = new Set(chosen === null ? [] : [chosen, ...neighbors]);
    pen.clearRect(0, 0, size.width, size.height);
    pen.font = `${FONT}px sans-serif`;
    pen.textAlign = "center";
    pen.lineJoin = "round";
    const inside = (x, y) => x > -40 && x < size.width + 40 && y > -20 && y < size.height + 20;
    const visible = words.map((_, i) => [i, ...onScreen(i)]).filter(([, x, y]) => inside(x, y));
    const dot = (x, y, r) => pen.fillRect(x - r, y - r, 2 * r, 2 * r);
    pen.fillStyle = color.grey;
    pen.globalAlpha = chosen === null ? 0.75 : 0.4;
    const r = Math.min(2.5, 1 + 0.3 * Math.log2(view.zoom));
    for (const [, x, y] of visible) dot(x, y, r);
    pen.globalAlpha = 1;
    if (chosen !== null) {
      const [x, y] = onScreen(chosen);
      pen.strokeStyle = color.blue;
      pen.globalAlpha = 0.5;
      pen.beginPath();
      for (const [a, b] of neighbors.map(onScreen)) pen.moveTo(x, y), pen.lineTo(a, b);
      pen.stroke();
      pen.globalAlpha = 1;
      for (const i of [...neighbors, chosen]) {
        pen.fillStyle = i === chosen ? color.orange : color.blue;
        pen.beginPath();
        pen.arc(...onScreen(i), i === chosen ? 5 : 4, 0, 7);
        pen.fill();
      }
    }
    label(visible, chosen, neighbors, special, color);
    if (document.activeElement === canvas) cross(color);
  }

  // Labels: the chosen word, its neighbors, then frequent words first, each only where there is room.
  function label(visible, chosen, neighbors, special, color) {
    const rows = new Map(); // lines of text: what is taken on each
    const free = (left, right, row) => (rows.get(row) ?? []).every(([a, b]) => right < a || left > b);
    const at = new Map(visible.map(([i, x, y]) => [i, [x, y]]));
    const first = [...special].filter((i) => at.has(i));
    const others = visible.map(([i]) => i).filter((i) => !special.has(i));
    pen.lineWidth = 3;
    pen.strokeStyle = color.paper;
    for (const i of [...first, ...others]) {
      const [x, y] = at.get(i);
      if (!widths.has(i)) widths.set(i, pen.measureText(words[i]).width);
      const half = widths.get(i) / 2 + 5;
      const row = Math.round(y / (FONT + 3));
      const [left, right] = [x - half, x + half];
      if (![row - 1, row, row + 1].every((near) => free(left, right, near))) continue;
      rows.set(row, [...(rows.get(row) ?? []), [left, right]]);
      pen.fillStyle = i === chosen ? color.orange : special.has(i) ? color.blue : color.ink;
      if (chosen !== null && !special.has(i)) pen.globalAlpha = 0.75;
      pen.strokeText(words[i], x, y - 7);
      pen.fillText(words[i], x, y - 7);
      pen.globalAlpha = 1;
    }
    pen.lineWidth = 1;
  }

  // Where Enter chooses.
  function cross(color) {
    const [x, y] = [size.width / 2, size.height / 2];
    pen.strokeStyle = color.ink;
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(x + 4 * dx, y + 4 * dy);
      pen.lineTo(x + 11 * dx, y + 11 * dy);
    }
    pen.stroke();
  }

  function resize() {
    const sharp = devicePixelRatio || 1;
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
    canvas.width = Math.round(size.width * sharp);
    canvas.height = Math.round(size.height * sharp);
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    draw();
  }

  const sizes = new ResizeObserver(resize);
  sizes.observe(canvas);
  const themes = new MutationObserver(draw); // the page's own switch between light and dark
  for (const element of [document.documentElement, document.body]) themes.observe(element, { attributes: true });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", draw);
  tell();
  resize();
  if (model.get("chosen") !== null) goTo(model.get("chosen"));
  return () => {
    sizes.disconnect();
    themes.disconnect();
    system.removeEventListener("change", draw);
  };
}
