// The NCE matrix: B rows of T true and m noise words. Each mode shows one step from the score to the gradient.
import { fadeEdges, format, h, sayer, sigmoid } from "./parts/shared.js";
import { choice, toggle } from "./parts/choices.js";
import { gridEntry, markGrid, walkGrid } from "./parts/grid.js";

const FLT_MAX = 3.4028234663852886e38; // what TensorFlow subtracts from the score of a hit
const MODES = ["score", "log E", "corrected", "label", "σ(x)", "loss", "gradient"];

// Sigmoid cross-entropy, exact for large scores too.
export const crossEntropy = (x, z) => (1 - z) * x + Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export function render({ model, el }) {
  const [dots, biases, expected] = ["dots", "biases", "expected"].map((name) => model.get(name));
  const [hits, cells, columns] = ["hits", "cells", "columns"].map((name) => model.get(name));
  const rows = model.get("rows");
  const T = cells[0].length;
  const width = T + columns.length;

  const numbers = rows.map(() => Array.from({ length: width }, () => h("span")));
  const entries = numbers.map((row, i) => row.map((number, j) => entry(number, i, j)));
  const rowHeads = rows.map((name) => h("th", { scope: "row" }, name));
  const columnHeads = Array.from({ length: width }, (_, j) => h("th", { scope: "col" }, nameOfColumn(j)));
  const losses = rows.map(() => h("td", { class: "hg-loss" }));
  const mean = h("td", { class: "hg-loss" });
  const groups = h(
    "tr",
    {},
    h("td"),
    h("th", { scope: "colgroup", colspan: T, class: "hg-group" }, "true"),
    h("th", { scope: "colgroup", colspan: width - T, class: "hg-group hg-first" }, "noise"),
    h("td"),
  );
  const onkeydown = walkGrid(entries, () => model.get("entry"));
  const table = h(
    "table",
    { class: "hg-nce", role: "grid", "aria-label": "NCE matrix: a row for each example", onkeydown },
    h("thead", {}, groups, h("tr", {}, h("td"), ...columnHeads, h("th", { scope: "col" }, "row's loss"))),
    h("tbody", {}, ...rows.map((_, i) => h("tr", {}, rowHeads[i], ...entries[i], losses[i]))),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: width + 1 }, "mean of the batch"), mean)),
  );
  const said = sayer();
  const mode = choice("Show", MODES, model.get("mode"), (i) => change("mode", i));
  const correct = toggle("subtract log E", model.get("correct"), (on) => change("correct", on));
  const remove = toggle("remove accidental hits", model.get("remove"), (on) => change("remove", on));

  // The words of a true column differ from row to row, so they stand in the cells.
  function nameOfColumn(j) {
    if (j >= T) return columns[j - T];
    return T > 1 ? `${j + 1}` : h("span", { class: "hg-hidden" }, "word");
  }

  function entry(number, i, j) {
    const note = h("small", {}, j < T ? cells[i][j] : hits[i][j - T] ? "hit" : "");
    const kind = j < T ? "hg-true" : hits[i][j - T] ? "hg-hit" : null;
    const element = gridEntry(() => change("entry", [i, j]), { class: kind }, number, note);
    if (j === T) element.classList.add("hg-first");
    return element;
  }

  function change(name, value) {
    model.set(name, value);
    model.save_changes();
    show();
  }

  // All that a cell can show. Without the correction log E counts as 0.
  function compute(i, j) {
    const score = dots[i][j] + biases[i][j];
    const logE = Math.log(expected[i][j]);
    const removed = j >= T && hits[i][j - T] && model.get("remove");
    const x = score - (removed ? FLT_MAX : 0) - (model.get("correct") ? logE : 0);
    const z = j < T ? 1 / T : 0;
    const p = sigmoid(x);
    return { score, logE, removed, x, z, p, loss: crossEntropy(x, z), gradient: p - z };
  }

  function show() {
    const [i, j] = model.get("entry");
    const all = entries.map((row, a) => row.map((_, b) => compute(a, b)));
    const shown = ({ score, logE, x, z, p, loss, gradient }) => [score, logE, x, z, p, loss, gradient][model.get("mode")];
    const sizes = all.flat().map(shown).map(Math.abs).filter((size) => size < FLT_MAX / 2);
    const largest = Math.max(...sizes) || 1;
    entries.forEach((row, a) =>
      row.forEach((element, b) => {
        const value = shown(all[a][b]);
        const share = Math.round(40 * Math.min(1, Math.abs(value) / largest));
        const color = value < 0 ? "orange" : "blue";
        numbers[a][b].textContent = Math.abs(value) > FLT_MAX / 2 ? "−FLT_MAX" : format(value, 3);
        element.style.background = `color-mix(in srgb, var(--hg-${color}) ${share}%, transparent)`;
      }),
    );
    markGrid(entries, rowHeads, columnHeads, [i, j]);
    const sums = all.map((row) => row.reduce((sum, { loss }) => sum + loss, 0));
    sums.forEach((sum, a) => (losses[a].textContent = format(sum)));
    const batch = sums.reduce((sum, loss) => sum + loss, 0) / sums.length;
    mean.textContent = format(batch);
    said.textContent = `${ofCell(i, j, all[i][j])} ${ofBatch(sums[i], batch)}`;
  }

  function ofCell(i, j, cell) {
    const word = j < T ? cells[i][j] : columns[j - T];
    const hit = j >= T && hits[i][j - T] ? ", by accident a true word of this row" : "";
    return `Example ${rows[i]}, ${j < T ? "true" : "noise"} word ${word}${hit}: ${OF_MODE[model.get("mode")](cell, i, j)}`;
  }

  function ofBatch(sum, batch) {
    const means = `The row's losses add up to ${format(sum)}, the mean of the batch is ${format(batch)}.`;
    if (model.get("correct")) return means;
    const without = biases.flat().some((b) => b !== 0) ? "log E, and if the biases were zero," : "log E";
    return `${means} Without ${without} this is the loss of negative sampling.`;
  }

  const OF_MODE = [
    ({ score }, i, j) => `the score is h · u + b = ${format(dots[i][j])} + ${inBrackets(biases[i][j])} = ${format(score)}.`,
    ({ logE }, i, j) =>
      `the sample is expected to have it E = ${format(expected[i][j])} times, and log E = ${format(logE)}.`,
    ({ score, logE, x, removed }) => {
      if (removed) return "its score gets −FLT_MAX, about −3.4e+38, so that it adds neither loss nor gradient.";
      if (!model.get("correct")) return `x = ${format(x)}, the score as it is: log E is not subtracted now.`;
      return `x = score − log E = ${format(score)} − ${inBrackets(logE)} = ${format(x)}.`;
    },
    ({ z }) => {
      if (z === 0) return "the label is z = 0, noise.";
      return T > 1 ? `the label is z = 1/${T}, since ${T} true words share the 1.` : "the label is z = 1, true.";
    },
    ({ x, p, removed }) =>
      `σ(${removed ? "−FLT_MAX" : format(x)}) = ${format(p)}, how sure the model is that this word is true, not noise.`,
    // σ(−x) in place of 1 − σ(x), which is 1 − 1 where x is above 10
    ({ x, z, p, loss }) => {
      if (z === 1) return `the label is 1, so the loss is −log σ(x) = −log ${format(p)} = ${format(loss)}.`;
      const q = format(sigmoid(-x));
      if (z === 0) return `the label is 0, so the loss is −log(1 − σ(x)) = −log σ(−x) = −log ${q} = ${format(loss)}.`;
      return `the label is 1/${T}, so the loss is −1/${T} log σ(x) − ${T - 1}/${T} log(1 − σ(x)) = ${format(loss)}.`;
    },
    ({ z, p, gradient }) => {
      const difference = z === 1 ? "−σ(−x)" : `${format(p)} − ${format(z)}`;
      const way = gradient === 0 ? "leaves the score alone" : `moves the score ${gradient < 0 ? "up" : "down"}`;
      return `σ(x) − z = ${difference} = ${format(gradient)}, so a step against it ${way}.`;
    },
  ];

  const key = h(
    "p",
    { class: "hg-note" },
    "Blue: positive. Orange: negative. A noise word that is also a true word of its row is marked “hit”.",
  );
  const box = h("div", { class: "hg-scroll" }, table); // its cells take the focus
  fadeEdges(box);
  const bar = h("div", { class: "hg-bar" }, correct.element, remove.element);
  el.append(mode.element, box, key, bar, said);
  show();
}

const inBrackets = (x) => (x < 0 ? `(${format(x)})` : format(x));
