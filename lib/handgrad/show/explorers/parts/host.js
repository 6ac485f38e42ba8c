// Hosts an explorer on a page, where there is no kernel, and dresses it in a live notebook.

// The four methods of anywidget's model that explorers use, over a plain object.
export function makeModel(state) {
  const listeners = new Map(); // "change:name" -> functions
  const changed = new Set();
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      changed.add(`change:${name}`);
    },
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, listener) =>
      listeners.set(event, (listeners.get(event) ?? []).filter((known) => known !== listener)),
    save_changes() {
      const events = [...changed];
      changed.clear();
      for (const event of events) for (const listener of listeners.get(event) ?? []) listener();
    },
  };
}

// Modules run in the order of the page, so each takes the first figure with its state that none has taken:
// the same explorer may stand on a page twice, and no figure needs an id.
export function startOnPage(render, digest) {
  const figure = document.querySelector(`[data-explorer="${digest}"]:not([data-started])`);
  figure.dataset.started = "";
  keepKeys(figure);
  const state = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const el = figure.querySelector(".hg-stage");
  try {
    render({ model: makeModel(state), el });
    figure.classList.add("hg-alive"); // now the still picture is for print alone
  } catch (error) {
    el.replaceChildren();
    console.error(error);
  }
}

export function startInNotebook(render) {
  return {
    render({ model, el }) {
      el.classList.add("hg-explorer", "hg-alive");
      keepKeys(el);
      const live = document.createElement("div");
      const caption = document.createElement("p");
      live.className = "hg-stage";
      caption.className = "hg-caption";
      caption.textContent = model.get("title");
      el.append(live, caption);
      return render({ model, el: live });
    },
  };
}

// Arrow keys are for what has the focus. JupyterLab would take them for its cells; it looks for this mark.
function keepKeys(element) {
  element.addEventListener("focusin", ({ target }) => (target.dataset.lmSuppressShortcuts = "true"));
}
