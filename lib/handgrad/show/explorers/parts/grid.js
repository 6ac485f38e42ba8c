// A table whose entries are one stop of the tab key: arrows, Home and End walk on from the one that is chosen.
import { h } from "./shared.js";

// An entry. A click, the focus and the mouse choose it.
export function gridEntry(onchoice, attributes, ...children) {
  const element = h(
    "td",
    {
      tabindex: -1,
      onclick: () => element.focus(),
      onfocus: onchoice,
      onpointerenter: (event) => event.pointerType === "mouse" && onchoice(),
      ...attributes,
    },
    ...children,
  );
  return element;
}

// What keys do to rows of entries. chosen() is the place of the entry to walk on from, [row, column].
export const walkGrid = (rows, chosen) => (event) => {
  const [i, j] = chosen();
  const target = {
    ArrowDown: [i + 1, j],
    ArrowUp: [i - 1, j],
    ArrowRight: [i, j + 1],
    ArrowLeft: [i, j - 1],
    Home: [i, 0],
    End: [i, rows[i].length - 1],
  }[event.key];
  if (!target || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  rows[target[0]]?.[target[1]]?.focus();
};

// Shows which entry is chosen, and lights the heads of its row and its column.
export function markGrid(rows, rowHeads, columnHeads, [i, j]) {
  rows.forEach((row, a) =>
    row.forEach((element, b) => {
      element.tabIndex = a === i && b === j ? 0 : -1;
      element.classList.toggle("hg-chosen", a === i && b === j);
    }),
  );
  rowHeads.forEach((head, a) => head.classList.toggle("hg-on", a === i));
  columnHeads.forEach((head, b) => head.classList.toggle("hg-on", b === j));
}
