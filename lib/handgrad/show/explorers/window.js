// The window over a sentence: words are kept or dropped by a toss, and the window joins those that are left.
import { button, format, h, sayer, slider } from "./parts/shared.js";
import { plural, toggle } from "./parts/choices.js";

const FARTHEST = 10;

// As handgrad.word2vec.keep_probabilities: min(1, (√(f / τN) + 1) · τN / f).
export function keepProbability(count, rawWords, threshold) {
  if (threshold <= 0) return 1;
  const rate = (threshold * rawWords) / count;
  return Math.min(1, Math.sqrt(rate) + rate);
}

// The words that are kept, by place, each with the places in its window.
export function windowsOver(kept, reachOf) {
  return kept.map((place, k) => {
    const reach = reachOf(k);
    const context = kept.filter((_, other) => other !== k && Math.abs(other - k) <= reach);
    return { place, reach, context };
  });
}

export function render({ model, el }) {
  const words = model.get("words");
  const thresholds = model.get("thresholds");
  const tosses = model.get("tosses");
  const reaches = model.get("reaches");

  const parts = words.map((_, place) => chip(place));
  const strip = h(
    "div",
    { class: "hg-sentence", role: "group", "aria-label": "The sentence: arrow keys move the window", onkeydown: walk },
    ...parts.map(({ element }) => element),
  );
  const pairs = h("ul", { class: "hg-pairs" });
  const said = sayer();
  const windowSlider = slider("window size", FARTHEST, model.get("window") - 1, (place) => String(place + 1), (place) =>
    change("window", place + 1),
  );
  const thresholdSlider = slider(
    "threshold τ",
    thresholds.length,
    model.get("threshold"),
    (place) => (place ? format(thresholds[place]) : "off"),
    (place) => change("threshold", place),
  );
  const drawSlider = slider(
    "draw",
    tosses.length,
    model.get("draw"),
    (place) => `${place + 1} of ${tosses.length}`,
    (place) => change("draw", place),
  );
  const dynamic = toggle("each window draws its reach", model.get("dynamic"), (on) => change("dynamic", on));
  const back = button("Back", () => step(-1));
  const next = button("Next", () => step(1), { class: "hg-main" });

  function chip(place) {
    const fill = h("i");
    const mark = h("b");
    const keep = h("small");
    const element = h(
      "button",
      { type: "button", class: "hg-word", tabindex: -1, onclick: () => choose(place), onfocus: () => choose(place) },
      h("span", { class: "hg-name" }, words[place].word),
      h("span", { class: "hg-toss", "aria-hidden": "true" }, fill, mark),
      keep,
    );
    return { element, fill, mark, keep };
  }

  function change(name, value) {
    model.set(name, value);
    model.save_changes();
    show();
  }

  // A word that is dropped has no window; its neighbor has the turn.
  function choose(place) {
    if (now().kept.includes(place) && place !== model.get("center")) change("center", place);
  }

  function now() {
    const [draw, window] = [model.get("draw"), model.get("window")];
    const threshold = thresholds[model.get("threshold")];
    const keep = words.map(({ count }) => keepProbability(count, model.get("raw_words"), threshold));
    const kept = words.map((_, place) => place).filter((place) => tosses[draw][place] < keep[place]);
    const reachOf = (k) => (model.get("dynamic") ? reaches[draw][window - 1][k] : window);
    return { keep, kept, windows: windowsOver(kept, reachOf) };
  }

  // The center of the model, or the kept word nearest to it.
  function centerOf(kept) {
    const wanted = model.get("center");
    return [...kept].sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0];
  }

  function target(by) {
    const { kept } = now();
    return kept[kept.indexOf(centerOf(kept)) + by];
  }

  function step(by) {
    const place = target(by);
    if (place !== undefined) change("center", place);
  }

  function walk(event) {
    const { kept } = now();
    const moves = {
      ArrowRight: () => target(1),
      ArrowDown: () => target(1),
      ArrowLeft: () => target(-1),
      ArrowUp: () => target(-1),
      Home: () => kept[0],
      End: () => kept.at(-1),
    };
    if (!moves[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const place = moves[event.key]();
    if (place !== undefined) parts[place].element.focus();
  }

  function show() {
    const { keep, kept, windows } = now();
    const toss = tosses[model.get("draw")];
    const center = centerOf(kept);
    const window = windows.find(({ place }) => place === center);
    parts.forEach(({ element, fill, mark, keep: text }, place) => {
      const gone = !kept.includes(place);
      fill.style.width = `${100 * keep[place]}%`;
      mark.style.left = `${100 * toss[place]}%`;
      text.replaceChildren(`keep ${format(keep[place], 2)}`, h("span", { class: "hg-hidden" }, gone ? ", dropped" : ""));
      element.classList.toggle("hg-gone", gone);
      element.classList.toggle("hg-center", place === center);
      element.classList.toggle("hg-inside", Boolean(window?.context.includes(place)));
      element.setAttribute("aria-pressed", place === center);
      element.setAttribute("aria-disabled", gone);
      element.tabIndex = place === center ? 0 : -1; // one stop for the tab key; arrows walk on from it
    });
    back.setAttribute("aria-disabled", kept[0] === center);
    next.setAttribute("aria-disabled", kept.at(-1) === center);
    const name = (place) => words[place].word;
    pairs.replaceChildren(
      ...(window?.context ?? []).map((place) => h("li", {}, `(${name(center)}, ${name(place)})`)),
    );
    said.textContent = `${ofCenter(window, name)} ${ofSentence(kept, windows, name)}`;
  }

  function ofCenter(window, name) {
    if (!window) return "This draw drops every word.";
    const { place, reach, context } = window;
    if (!context.length) return `${name(place)}: alone, it makes no pair.`;
    const made = plural(context.length, "pair");
    return `${name(place)}: the window reaches ${plural(reach, "word")} to each side, and makes ${made}.`;
  }

  function ofSentence(kept, windows, name) {
    const count = windows.reduce((sum, { context }) => sum + context.length, 0);
    const gone = words.map((_, place) => place).filter((place) => !kept.includes(place)).map(name);
    const dropped = gone.length ? `drops ${gone.join(", ")}` : "drops no word";
    return `This draw ${dropped}; the whole sentence makes ${plural(count, "pair")}.`;
  }

  const key = h(
    "p",
    { class: "hg-note" },
    "Bar: how likely the word is kept. Mark: the toss of this draw; past the end of the bar, the word is dropped.",
  );
  const bar = h("div", { class: "hg-bar" }, back, next, dynamic.element);
  const sliders = [windowSlider, thresholdSlider, drawSlider].map(({ element }) => element);
  el.append(strip, key, pairs, bar, h("div", { class: "hg-sliders" }, ...sliders), said);
  show();
}
