"""What the browser tests share: a page of nothing but explorers, a folder on a server, and a reader without a mouse."""

import functools
import http.server
import threading
from contextlib import contextmanager

PAGE = (
    '<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Explorers</title>'
    '<link rel="icon" href="data:,">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    '<body style="margin: 0 1rem"><main><h1>Explorers</h1>{body}</main></body></html>'
)
NAME_OF_FOCUS = """() => {
    const e = document.activeElement;
    return e.labels?.[0]?.textContent || e.getAttribute("aria-label") || e.textContent;
}"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@contextmanager
def served(folder):
    """The address on this machine at which a folder is served."""
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


@contextmanager
def opened(reader, url, width=1280, height=900, **media):
    """A page in the reader's tab, once MathJax has set its formulas; ``media`` is what ``emulate_media`` takes."""
    with in_tab(reader, url, width, height, **media) as page:
        wait_for_formulas(page)
        yield page


@contextmanager
def in_tab(reader, url, width=1280, height=900, listeners=(), **media):
    """A page in the reader's tab, loaded, as large and in the media that are asked for, whatever the last page had.

    ``listeners`` are pairs of an event of the tab's and what is called at it. At the end they are gone, and so are the
    tab's routes and the page with all that it runs: the next visit finds what its own page does, and nothing else.
    """
    reader.set_viewport_size({"width": width, "height": height})
    reader.emulate_media(**{"media": "screen", "color_scheme": "light", "reduced_motion": "no-preference", **media})
    for event, listener in listeners:
        reader.on(event, listener)
    try:
        reader.goto(url)
        yield reader
    finally:
        for event, listener in listeners:
            reader.remove_listener(event, listener)
        reader.unroute_all()
        reader.goto("about:blank")


def wait_for_formulas(page):
    """Until MathJax, where the page has it, has set every formula: what stands below it has moved by then."""
    page.evaluate("window.MathJax?.startup?.promise")


def tab_to(page, name):
    """Press Tab until the element with this label or text has the focus, as a reader without a mouse does."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(NAME_OF_FOCUS).startswith(name):
            return
    raise AssertionError(f"the tab key does not reach {name}")


def said(page):
    """The sentence that a screen reader is given at each change."""
    return page.locator(".hg-said").first.text_content()
