// A box that scrolls sideways must be reachable by keyboard. The theme sees to that for code, once; equations get their
// width only when MathJax has set them, and all of them another one when the window does.
window.addEventListener("load", async () => {
  const boxes = "pre, mjx-container[display], .hg-gradients mjx-container, .cell_output > .output";
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
