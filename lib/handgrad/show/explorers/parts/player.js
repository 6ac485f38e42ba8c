// Moments in a row: a slider over them, one step back, one step on, and all of them by themselves.
import { button, h, slider } from "./shared.js";

// `onplace(place)` is told each new place. `pause` is the time between two moments of Play, in milliseconds.
export function player(text, count, place, say, onplace, pause) {
  const moments = slider(text, count, place, say, (chosen) => {
    stop();
    moveTo(chosen);
  });
  const first = button("First", () => step(-count));
  const back = button("Back", () => step(-1));
  const next = button("Next", () => step(1), { class: "hg-main" });
  const { element: play, stop } = playButton(pause, () => {
    moveTo(place === count - 1 ? 0 : place + 1);
    return place < count - 1;
  });
  const bar = h("div", { class: "hg-bar" }, first, back, next, play);

  function moveTo(chosen) {
    place = Math.max(0, Math.min(chosen, count - 1));
    set(place);
    onplace(place);
  }

  function set(chosen) {
    place = chosen;
    moments.set(place);
    // Not `disabled`, which would take the focus away.
    for (const part of [first, back]) part.setAttribute("aria-disabled", place === 0);
    next.setAttribute("aria-disabled", place === count - 1);
  }

  function step(by) {
    stop();
    moveTo(place + by);
  }

  set(place);
  return { element: h("div", {}, bar, moments.element), set, stop };
}

// A button that goes on by itself: `next()` takes a step and tells whether there is another one.
export function playButton(pause, next) {
  let timer = null;
  const element = button("Play", () => (timer ? stop() : start()));

  function start() {
    if (!next()) return;
    element.textContent = "Pause";
    timer = setInterval(() => next() || stop(), pause);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    element.textContent = "Play";
  }

  return { element, stop };
}
