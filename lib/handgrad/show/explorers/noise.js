// The noise distribution: a bar for each word, its share of the text beside it, and what a sample of it brings.
import { format, h, sayer, slider } from "./parts/shared.js";
import { choice, plural, toggle } from "./parts/choices.js";

export function render({ model, el }) {
  const words = model.get("words");
  const powers = model.get("powers");
  const sizes = model.get("sizes");
  const probabilities = model.get("probabilities");
  const [least, most] = range([...probabilities.flat(), ...words.map(({ share }) => share)]);
  const decades = Math.round(Math.log10(most / least));

  const name = String(Math.random()); // of this explorer's radio buttons alone
  const rows = words.map((_, i) => row(i));
  const scale = h("div", { class: "hg-scale", "aria-hidden": "true" });
  const expectedHead = h("th", { scope: "col" });
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "rank, word"),
    h("th", { scope: "col", class: "hg-share" }, h("span", { class: "hg-hidden" }, "probability"), scale),
    h("th", { scope: "col", class: "hg-number" }, "P"),
    expectedHead,
  );
  const body = h("tbody", {}, ...rows.map(({ element }) => element));
  const table = h("table", { class: "hg-noise" }, h("thead", {}, head), body);
  const said = sayer();
  const kinds = ["counts to a power", "log-uniform"];
  const kind = choice("Noise", kinds, Number(model.get("uniform")), (i) => change("uniform", i === 1));
  const power = slider(
    "power",
    powers.length,
    model.get("power"),
    (place) => powers[place].toFixed(2),
    (place) => change("power", place),
  );
  const size = slider(
    "sample",
    sizes.length,
    model.get("size"),
    (place) => plural(sizes[place], "word"),
    (place) => change("size", place),
  );
  const unique = toggle("all different", model.get("unique"), (on) => change("unique", on));
  const log = toggle("log scale", model.get("log_scale"), (on) => change("log_scale", on));

  function row(i) {
    const { word, rank } = words[i];
    const input = h("input", { type: "radio", name, onchange: () => change("chosen", i) });
    const bar = h("i");
    const mark = h("b");
    const [P, E] = [h("td", { class: "hg-number" }), h("td")];
    const rankText = h("small", {}, rank.toLocaleString("en"));
    const label = h("label", {}, input, rankText, h("span", {}, word));
    const track = h("div", { class: "hg-track", "aria-hidden": "true" }, bar, mark);
    const element = h(
      "tr",
      { onclick: () => model.get("chosen") !== i && change("chosen", i) },
      h("th", { scope: "row" }, label),
      h("td", { class: "hg-share" }, track),
      P,
      E,
    );
    return { element, input, bar, mark, P, E };
  }

  function change(entry, value) {
    model.set(entry, value);
    model.save_changes();
    show();
  }

  function along(share) {
    if (!model.get("log_scale")) return (100 * share) / largest();
    return (100 * Math.log10(share / least)) / decades;
  }

  function largest() {
    return Math.max(...probabilities.flat(), ...words.map(({ share }) => share));
  }

  // As NoiseDistribution.expected_count of handgrad.word2vec.
  function expected(P, m, tries) {
    return tries === m ? m * P : -Math.expm1(tries * Math.log1p(-P));
  }

  function ticks() {
    if (!model.get("log_scale")) return [h("span", {}, "0"), h("span", {}, percent(largest()))];
    return Array.from({ length: decades + 1 }, (_, k) => h("span", {}, powerOfTen(Math.log10(least) + k)));
  }

  function show() {
    const noise = model.get("uniform") ? powers.length : model.get("power");
    const m = sizes[model.get("size")];
    const tries = model.get("unique") ? model.get("tries")[noise][model.get("size")] : m;
    const chosen = model.get("chosen");
    rows.forEach(({ element, input, bar, mark, P, E }, i) => {
      const probability = probabilities[noise][i];
      bar.style.width = `${along(probability)}%`;
      mark.style.left = `${along(words[i].share)}%`;
      P.textContent = percent(probability);
      E.textContent = format(expected(probability, m, tries), 3);
      input.checked = i === chosen;
      element.classList.toggle("hg-chosen", i === chosen);
    });
    table.style.setProperty("--hg-decades", model.get("log_scale") ? decades : 1);
    scale.replaceChildren(...ticks());
    expectedHead.textContent = `E in ${m}`;
    power.input.disabled = model.get("uniform");
    power.element.classList.toggle("hg-off", model.get("uniform"));
    said.textContent = [ofWord(words[chosen], probabilities[noise][chosen], m, tries), ofHead(noise)].join(" ");
  }

  function ofWord({ word, share }, P, m, tries) {
    const E = expected(P, m, tries);
    const factor = `${format(P / share, 2)} times its share of the text, which is ${percent(share)}`;
    const sample = model.get("unique")
      ? `In ${plural(m, "different word")}, found in about ${plural(tries, "try").replace("trys", "tries")}`
      : `Among ${plural(m, "negative")}`;
    return `${word}: ${percent(P)} of the noise, ${factor}. ${sample}, its expected count is ${format(E)}.`;
  }

  function ofHead(noise) {
    const [before, after] = [model.get("head_share"), model.get("head_probabilities")[noise]];
    const drop = `${percent(before)} of the text and ${percent(after)} of the noise`;
    return `The ${model.get("head")} most frequent words are ${drop}.`;
  }

  const key = h(
    "p",
    { class: "hg-note" },
    h("b", { class: "hg-value" }, "Bar"),
    ": the word's probability P under the noise. Mark: its share of the text. E: its expected count in a sample.",
  );
  const bar = h("div", { class: "hg-bar" }, unique.element, log.element);
  el.append(kind.element, power.element, table, key, size.element, bar, said);
  show();
}

// Powers of ten around all these numbers.
function range(numbers) {
  const ten = (round, x) => 10 ** round(Math.log10(x));
  return [ten(Math.floor, Math.min(...numbers)), ten(Math.ceil, Math.max(...numbers))];
}

// "10⁻⁵"
function powerOfTen(exponent) {
  const raised = [...String(Math.abs(Math.round(exponent)))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${raised}`;
}

const percent = (share) => `${format(100 * share, 3)}\u00a0%`;
