"""The explorers where readers meet them, in the built chapters: each control does something, by keyboard.

What they do is compared with Python in the other tests of explorers, each on a page of its own.
"""

import pytest
from in_browser import in_tab

KEYS = {  # by the type or the role of a control
    "button": "Enter", "checkbox": "Space", "radio": "ArrowRight", "range": "ArrowRight", "number": "ArrowUp",
    "search": "a", "select-one": "ArrowDown", "application": "ArrowRight", "": "ArrowRight",
}  # fmt: skip
KIND = "e => e.type || e.matches(':not(.hg-start)') && e.getAttribute('role') || ''"  # arrow keys move a start
NAME = "e => e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent"
SEEN = """e => e.innerHTML.replaceAll(' data-lm-suppress-shortcuts="true"', "")  // which the focus adds, for JupyterLab
    + [...e.querySelectorAll("input")].map((input) => `${input.value} ${input.checked}`)
    + [...e.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL())"""
FRAMES = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
AT_REST = f"""async (e) => {{
    const seen = {SEEN};
    let now = seen(e), before;
    while (now !== before) {{
        before = now;
        await {FRAMES};
        now = seen(e);
    }}
    return now;
}}"""
CHANGES = f"""async ([e, before]) => {{
    const seen = {SEEN}, end = performance.now() + 1000;
    while (seen(e) === before && performance.now() < end) await {FRAMES};
    return seen(e) !== before;
}}"""


@pytest.mark.parametrize("where", ["disk", "server"])
@pytest.mark.parametrize(
    "chapter, explorers", [("03_descent", 2), ("08_graphs", 2), ("09_backprop", 1), ("16_sampling_words", 4)]
)
def test_every_control_of_a_chapter_answers_the_keyboard(reader, site, server, chapter, explorers, where):
    address = (site / "book").as_uri() if where == "disk" else f"{server}book"
    errors = []
    listeners = [("pageerror", lambda error: errors.append(str(error)))]
    with in_tab(reader, f"{address}/{chapter}.html", listeners=listeners) as page:
        alive = page.locator(".hg-explorer:has(.hg-said)")
        page.wait_for_function("n => document.querySelectorAll('.hg-explorer .hg-said').length === n", arg=explorers)
        for explorer in alive.all():
            controls = explorer.locator("button, input, select, [tabindex='0']:not(.hg-scroll)")
            assert controls.count() > 1
            for i in range(controls.count()):
                control = controls.nth(i)
                if control.is_visible() and control.is_enabled():
                    assert changes(page, explorer, control), control.evaluate(NAME)
    assert errors == []


def test_the_style_of_the_pages_leaves_the_edges_of_explorers_as_they_are(reader, site):
    """Both fade out what goes on, each by properties of its own: one name for both, and one of them does not."""
    with in_tab(reader, (site / "book/08_graphs.html").as_uri()) as page:
        box = page.locator(".hg-explorer .hg-scroll").first
        box.evaluate("e => e.classList.add('hg-more-left', 'hg-more-right')")
        mask = box.evaluate("e => getComputedStyle(e).maskImage")
    assert mask.startswith("linear-gradient") and mask.count("rgba(0, 0, 0, 0)") == 2


def changes(page, explorer, control):
    """Whether coming there and pressing its key changes what is seen, or what is said, within a second."""
    key, before = KEYS[control.evaluate(KIND)], explorer.evaluate(AT_REST)
    control.focus()  # which is enough to choose a word of a sentence
    page.keyboard.press(key)
    if not page.evaluate(CHANGES, [explorer.element_handle(), before]):
        return False
    if control.text_content() == "Pause":  # it has begun to play, and would change all by itself
        page.keyboard.press(key)
    return True
