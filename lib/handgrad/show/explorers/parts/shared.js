// What every explorer needs: elements, numbers, labelled controls, and a line that says what happened.

// h("button", { type: "button", onclick: next }, "Next"): an element of HTML. Attributes that are null are left out.
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// The same for SVG.
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// No exp overflows in it.
export const sigmoid = (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

// As Python's f"{x:.4g}", so that a page never says one number in two ways.
export function format(x, digits = 4) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  const [mantissa, exponent] = rounded(x, digits);
  if (exponent >= -4 && exponent < digits) return String(Number(`${mantissa}e${exponent}`));
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${Number(mantissa)}e${exponent < 0 ? "-" : "+"}${size}`;
}

// To so many digits: [mantissa, exponent]. What lies in the middle goes to the even digit; toExponential would go up.
function rounded(x, digits) {
  const [all, exponent] = x.toExponential(60).split("e");
  const length = all.indexOf(".") + digits;
  const [kept, rest] = [all.slice(0, length), all.slice(length)];
  const staysBelow = /^50*$/.test(rest) && "02468".includes(kept.at(-1));
  return staysBelow ? [kept, exponent] : x.toExponential(digits - 1).split("e");
}

export function button(text, onclick, attributes = {}) {
  return h("button", { type: "button", ...attributes, onclick }, text);
}

// A number to type. `onvalue` hears every finite number, and nothing while the text is none; it may return what it takes
// it for. Whoever leaves the field finds there what counts.
export function numberField(text, value, onvalue) {
  let counts = value;
  const input = h("input", {
    type: "number",
    step: "any",
    value,
    onfocus: () => (counts = input.value),
    oninput: () => {
      const typed = input.valueAsNumber;
      if (Number.isFinite(typed)) counts = onvalue(typed) ?? typed;
    },
    onchange: () => (input.value = counts),
  });
  return h("label", { class: "hg-field" }, h("span", {}, text), input);
}

// A slider over `count` places. `say(place)` is what stands beside it and what a screen reader says for it.
export function slider(text, count, place, say, onplace) {
  const shown = h("output", {}, say(place));
  const input = h("input", {
    type: "range",
    min: 0,
    max: count - 1,
    value: place,
    "aria-valuetext": say(place),
    oninput: () => {
      set(input.valueAsNumber);
      onplace(input.valueAsNumber);
    },
  });
  function set(place) {
    input.value = place;
    shown.textContent = say(place);
    input.setAttribute("aria-valuetext", say(place));
  }
  const name = h("span", {}, text);
  return { element: h("label", { class: "hg-slider" }, name, input, shown), input, name, set };
}

// The line in words under an explorer. Screen readers say it whenever it changes.
export function sayer() {
  return h("p", { class: "hg-said", role: "status", "aria-live": "polite" });
}

// A box that may be wider than a phone: it scrolls, not the page. While it can scroll, keys reach it too.
export function scrollBox(label, ...children) {
  const box = h("div", { class: "hg-scroll", role: "group", "aria-label": label }, ...children);
  fadeEdges(box, () => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
  return box;
}

// On the side where a box goes on it fades out. `onresize` hears of each change of size.
export function fadeEdges(box, onresize = () => {}) {
  function look() {
    box.classList.toggle("hg-more-left", box.scrollLeft > 1);
    box.classList.toggle("hg-more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  }
  const observer = new ResizeObserver(() => {
    look();
    onresize();
  });
  for (const part of [box, ...box.children]) observer.observe(part);
  box.addEventListener("scroll", look, { passive: true });
}

// Brings a part of a scroll box into its middle, smoothly where the reader likes motion.
export function bringIntoView(box, part) {
  const outer = box.getBoundingClientRect();
  const inner = part.getBoundingClientRect();
  const left = box.scrollLeft + inner.left - outer.left + (inner.width - outer.width) / 2;
  box.scrollTo({ left, behavior: likesMotion() ? "smooth" : "auto" });
}

export function likesMotion() {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}
