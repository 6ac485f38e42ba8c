// Two faults of the theme that a template cannot mend.
window.addEventListener("load", async () => {
  // A folded cell says "Show the source", but its label for screen readers said something else.
  for (const summary of document.querySelectorAll("summary[aria-label]")) summary.removeAttribute("aria-label");

  // A box that scrolls sideways must be reachable by keyboard. The theme sees to that for code; equations
  // get their width only once MathJax has set them.
  const boxes = "mjx-container, .cell_output > .output, .hg-source pre";
  const makeReachable = () => {
    for (const box of document.querySelectorAll(boxes)) {
      if (box.scrollWidth > box.clientWidth && box.clientWidth > 0) box.tabIndex = 0;
    }
  };
  await window.MathJax?.startup?.promise;
  makeReachable();
  window.addEventListener("resize", makeReachable);
  document.addEventListener("click", makeReachable); // a fold may have opened
});
