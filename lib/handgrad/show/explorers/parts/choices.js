// One of a few, and on or off: native radio buttons and a checkbox, so that keys and screen readers know them.
import { h } from "./shared.js";

// Radio buttons in a row. The name of a group must be its own: the same explorer may stand on a page twice.
export function choice(text, options, chosen, onchoice) {
  const name = String(Math.random());
  const inputs = options.map((_, i) => h("input", { type: "radio", name, value: i, onchange: () => onchoice(i) }));
  const labels = options.map((option, i) => h("label", { class: "hg-pill" }, inputs[i], option));
  const element = h("fieldset", { class: "hg-choice" }, h("legend", {}, text), ...labels);
  const set = (i) => (inputs[i].checked = true);
  set(chosen);
  return { element, set };
}

export function toggle(text, on, onchange) {
  const input = h("input", { type: "checkbox", onchange: () => onchange(input.checked) });
  input.checked = on;
  return { element: h("label", { class: "hg-check" }, input, text) };
}

// "1 word", "2 words"
export const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
