// Sliders over frames: all of them stand in the state on a page; in a live notebook Python makes each anew.
import { h, sayer, scrollBox, slider } from "./parts/shared.js";

export function render({ model, el }) {
  const parameters = model.get("parameters");
  const picture = h("div", { class: "hg-frame" });
  const said = sayer();
  said.classList.add("hg-hidden"); // the sliders and the picture say it to those who see them

  function moveTo(parameter, value) {
    const place = [...model.get("place")];
    place[parameter] = value;
    model.set("place", place);
    model.save_changes();
    show();
  }

  function show() {
    const place = model.get("place");
    const frames = model.get("frames");
    const number = parameters.reduce((before, { values }, i) => before * values.length + place[i], 0);
    picture.innerHTML = frames.length ? frames[number] : model.get("frame");
    const setting = parameters.map(({ name, values }, i) => `${name} = ${values[place[i]]}`).join(", ");
    const svg = picture.querySelector("svg");
    const shown = svg ? svg.getAttribute("aria-label") : picture.textContent;
    said.textContent = shown && shown !== setting ? `${setting}: ${shown}` : setting;
  }

  const sliders = parameters.map(({ name, values }, i) =>
    slider(name, values.length, model.get("place")[i], (place) => values[place], (place) => moveTo(i, place)),
  );
  model.on("change:frame", show);
  el.append(scrollBox("What the function gives", picture), ...sliders.map(({ element }) => element), said);
  show();
}
