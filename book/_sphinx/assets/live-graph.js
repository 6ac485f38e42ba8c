// The landing page's graph: values flow forward along the wires, gradients flow back.
// live_graph.py drew it, with numbers; here they are computed anew for what the reader types.
(() => {
  const figure = document.querySelector(".hg-live");
  const form = figure.querySelector("form");
  const said = figure.querySelector(".hg-live-said");
  const FORWARD = [["x-add", "y-add", "y-max", "z-max"], ["add-times", "max-times"], ["f"]];
  const STEP = 550; // milliseconds from one gate to the next
  let run = 0; // counts the runs, so that a new one ends the one before

  const short = (number) => String(Number(number.toPrecision(5))).replace("-", "−");

  // What each wire carries: [value, gradient]. Where y = z, max gives each half, as handgrad's gate does.
  function carried({ x, y, z }) {
    const a = x + y, b = Math.max(y, z), toY = ((y > z) + (y >= z)) / 2;
    return {
      "x-add": [x, b], "y-add": [y, b], "y-max": [y, a * toY], "z-max": [z, a * (1 - toY)],
      "add-times": [a, b], "max-times": [b, a], f: [a * b, 1],
    };
  }

  function sentence(on) {
    const fromSum = on["y-add"][1], fromMax = on["y-max"][1];
    return `f = ${short(on.f[0])}. Its slopes: ${short(on["x-add"][1])} for x, ` +
      `${short(fromSum)} + ${short(fromMax)} = ${short(fromSum + fromMax)} for y, ${short(on["z-max"][1])} for z.`;
  }

  const text = (kind, wire) => figure.querySelector(`[data-${kind}="${wire}"]`);

  function show(kind, wires, numbers) {
    for (const wire of wires) {
      text(kind, wire).textContent = short(numbers[wire][kind === "value" ? 0 : 1]);
      text(kind, wire).style.opacity = 1;
    }
  }

  // Dots travel along the wires, all at the same time.
  function travel(kind, wires, isCurrent) {
    const paths = wires.map((wire) => figure.querySelector(`[data-wire="${wire}"]`));
    const dots = paths.map((path) => {
      const dot = document.createElementNS(path.namespaceURI, "circle");
      dot.setAttribute("class", `hg-dot hg-${kind}`);
      dot.setAttribute("r", 6);
      path.parentNode.append(dot);
      return dot;
    });
    return new Promise((done) => {
      const begin = performance.now();
      const move = (now) => {
        const part = Math.min(1, Math.max(0, (now - begin) / STEP));
        if (part === 1 || !isCurrent()) {
          dots.forEach((dot) => dot.remove());
          return done();
        }
        paths.forEach((path, i) => {
          const along = kind === "value" ? part : 1 - part;
          const { x, y } = path.getPointAtLength(along * path.getTotalLength());
          dots[i].setAttribute("cx", x);
          dots[i].setAttribute("cy", y);
        });
        requestAnimationFrame(move);
      };
      move(begin);
    });
  }

  async function send() {
    const fields = [...form.querySelectorAll("input")];
    if (!fields.every((field) => field.value !== "" && field.checkValidity())) {
      said.textContent = "Give each of x, y and z a whole number from −999 to 999.";
      return;
    }
    const numbers = carried(Object.fromEntries(fields.map((field) => [field.name, Number(field.value)])));
    const mine = ++run;
    const isCurrent = () => run === mine;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      figure.querySelectorAll("[data-value], [data-gradient]").forEach((number) => { number.style.opacity = 0; });
      for (const [kind, steps] of [["value", FORWARD], ["gradient", FORWARD.toReversed()]]) {
        for (const wires of steps) {
          show(kind, wires, numbers);
          await travel(kind, wires, isCurrent);
          if (!isCurrent()) return;
        }
      }
    }
    for (const kind of ["value", "gradient"]) show(kind, Object.keys(numbers), numbers);
    said.textContent = sentence(numbers);
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  form.addEventListener("change", send);
  send();
})();
