// The Jacobian as a grid: an entry in the hand, its input on a slider, and the curve of its output beside the slope.
import { fadeEdges, format, h, s, sayer, slider } from "./parts/shared.js";
import { gridEntry, markGrid, walkGrid } from "./parts/grid.js";

const WIDTH = 340; // of the plot
const HEIGHT = 190;

export function render({ model, el }) {
  const jacobian = model.get("jacobian");
  const inputs = model.get("inputs");
  const outputs = model.get("outputs");
  const moves = model.get("moves");
  const moved = model.get("moved");
  const largest = Math.max(...jacobian.flat().map(Math.abs)) || 1;

  const cells = jacobian.map((row, i) => row.map((slope, j) => entry(slope, i, j)));
  const rowHeads = outputs.map((output) => h("th", { scope: "row" }, nameAndValue(output)));
  const columnHeads = inputs.map((input) => h("th", { scope: "col" }, nameAndValue(input)));
  const lines = cells.map((row, i) => h("tr", {}, rowHeads[i], ...row));
  const table = h(
    "table",
    {
      class: "hg-jacobian",
      role: "grid",
      "aria-label": "Jacobian: a row for each output, a column for each input",
      onkeydown: walkGrid(cells, () => model.get("entry")),
    },
    h("thead", {}, h("tr", {}, h("td"), ...columnHeads)),
    h("tbody", {}, ...lines),
  );
  const box = h("div", { class: "hg-scroll" }, table); // its entries take the focus
  fadeEdges(box);
  const said = sayer();
  const plot = h("div", { class: "hg-plot" });
  const control = slider("", moves.length, model.get("place"), (place) => signed(moves[place]), moveTo);

  function nameAndValue({ name, value }) {
    return h("span", {}, h("i", {}, name), h("br"), value === null ? "undefined" : format(value));
  }

  function entry(slope, i, j) {
    const share = Math.round((40 * Math.abs(slope)) / largest);
    const color = slope < 0 ? "orange" : "blue";
    const style = `background: color-mix(in srgb, var(--hg-${color}) ${share}%, transparent)`;
    return gridEntry(() => choose(i, j), { style }, format(slope));
  }

  function choose(i, j) {
    model.set("entry", [i, j]);
    model.save_changes();
    show();
  }

  function moveTo(place) {
    model.set("place", place);
    model.save_changes();
    show();
  }

  function show() {
    const [i, j] = model.get("entry");
    const move = moves[model.get("place")];
    const slope = jacobian[i][j];
    const [input, output] = [inputs[j].name, outputs[i].name];
    markGrid(cells, rowHeads, columnHeads, [i, j]);
    control.name.textContent = `Move ${input} by`;
    const change = `${slope < 0 ? "falls" : "rises"} by about ${format(Math.abs(0.01 * slope))}`;
    const meaning = slope === 0
      ? `${output} does not move with ${input}, to first order: the slope is 0.`
      : `When ${input} rises by 0.01, ${output} ${change}: the slope is ${format(slope)}.`;
    const now = moved[j][model.get("place")][i];
    const before = outputs[i].value;
    const predicted = `predicted change of ${output} ${signed(slope * move)}`;
    const truth = now === null
      ? `With ${input} moved by ${signed(move)}, ${output} is undefined.`
      : `Move ${input} by ${signed(move)}: ${predicted}, true change ${signed(now - before)}.`;
    said.textContent = `${meaning} ${truth}`;
    plot.replaceChildren(curve(i, j));
  }

  // The output over the move of its input: the true curve, and the straight line that the slope predicts.
  function curve(i, j) {
    const before = outputs[i].value;
    const slope = jacobian[i][j];
    const place = model.get("place");
    const points = moves.map((move, k) => [move, moved[j][k][i]]);
    const line = [moves[0], moves.at(-1)].map((move) => [move, before + slope * move]);
    const heights = [...points, ...line].flatMap(([, y]) => (y === null ? [] : [y]));
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    const margin = 0.08 * (high - low) || 1;
    const x = (move) => 12 + ((move - moves[0]) / (moves.at(-1) - moves[0])) * (WIDTH - 24);
    const y = (value) => HEIGHT - 24 - ((value - low + margin) / (high - low + 2 * margin)) * (HEIGHT - 34);
    const path = (points) => {
      let pen = "M"; // lifted where the function is undefined
      return points.map(([a, b]) => {
        if (b === null) return (pen = "M") && "";
        const stroke = `${pen}${x(a).toFixed(1)} ${y(b).toFixed(1)}`;
        pen = "L";
        return stroke;
      }).join("");
    };
    const now = points[place][1];
    const mark = (kind, value) => s("circle", { class: `hg-${kind}`, cx: x(moves[place]), cy: y(value), r: 5 });
    const marks = [mark("gradient", before + slope * moves[place])];
    if (now !== null) marks.push(mark("value", now));
    const tangent = `the straight line of slope ${format(slope)}`;
    const label = `${outputs[i].name} as ${inputs[j].name} moves: the true curve, and ${tangent}`;
    return s(
      "svg",
      { role: "img", "aria-label": label, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH },
      s("path", { class: "hg-axis", d: `M12 ${HEIGHT - 24}H${WIDTH - 12}M${x(0)} 10V${HEIGHT - 24}` }),
      s("path", { class: "hg-gradient", d: path(line), "stroke-dasharray": "6 4" }),
      s("path", { class: "hg-value", d: path(points) }),
      ...marks,
      s("text", { x: WIDTH / 2, y: HEIGHT - 6, "text-anchor": "middle" }, `${inputs[j].name} moves by`),
      s("text", { x: 12, y: HEIGHT - 6 }, signed(moves[0])),
      s("text", { x: WIDTH - 12, y: HEIGHT - 6, "text-anchor": "end" }, signed(moves.at(-1))),
    );
  }

  const key = h(
    "p",
    { class: "hg-note" },
    h("b", { class: "hg-value" }, "Solid"),
    ": the true output. ",
    h("b", { class: "hg-gradient" }, "Dashed"),
    ": what the slope predicts.",
  );
  const beside = h("div", { class: "hg-beside" }, box, h("div", {}, plot, key));
  el.append(beside, control.element, said);
  show();
}

const signed = (x) => (x > 0 ? `+${format(x)}` : format(x));
