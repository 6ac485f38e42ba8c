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
    """A page of a reader's, once MathJax has set its formulas; ``media`` is what ``emulate_media`` takes."""
    page = reader.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(**media)
    page.goto(url)
    wait_for_formulas(page)
    try:
        yield page
    finally:
        page.close()


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
