"""What a page weighs and how soon it can be read, as a table; `pytest -s tests/book/test_weight.py` prints it.

The weight is the sum of all that the page loads, each part compressed as a server would. The time is until the first
text is painted, with the processor slowed down four times; it depends on the machine and what else that does, so it is
printed beside its bar, and no test fails for it.
"""

import gzip
import random

import pytest
from in_browser import wait_for_formulas

FIRST_PAGE_KB, CHAPTER_KB, SITE_MB = 600, 1000, 60
SECONDS, SLOWED_DOWN = 1.0, 4
COMPRESSED_ALREADY = (".woff", ".woff2", ".png", ".jpg")


def weigh(browser, url, added="", known=None):
    """Load the page as on a first visit, with ``added`` at its end: the bytes of it and of everything that it asked
    for, and the seconds until its first text was painted; the article must be there by then.

    ``known`` keeps the weights of what pages share, so that each file is compressed once.
    """
    known = {} if known is None else known
    answers = []
    context = browser.new_context()
    page = context.new_page()
    if added:
        page.route(url, lambda route: route.fulfill(body=route.fetch().text() + added, content_type="text/html"))
    page.on("response", lambda answer: answers.append(answer))
    processor = context.new_cdp_session(page)
    processor.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED_DOWN})
    page.goto(url, wait_until="commit")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    painted, parsed = page.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0].startTime,"
        " performance.getEntriesByType('navigation')[0].responseEnd]"
    )
    assert parsed <= painted
    processor.send("Emulation.setCPUThrottlingRate", {"rate": 1})  # from here on only the weight counts
    page.wait_for_load_state("load")
    wait_for_formulas(page)  # which come with fonts of their own, after a while in which nothing is asked for
    page.wait_for_load_state("networkidle")
    sizes = {}
    for answer in answers:
        path = answer.url.split("?")[0]
        if answer.url.startswith("http"):
            sizes[path] = known[path] if path in known else compressed(path, answer.body())
    known.update((path, size) for path, size in sizes.items() if path != url)
    context.close()
    return sum(sizes.values()), painted / 1000


def compressed(path, body):
    return len(body) if path.endswith(COMPRESSED_ALREADY) else len(gzip.compress(body))


def test_pages_are_light(browser, server, pages_of_each_kind):
    rows, too_much, known = [], [], {}
    for page in pages_of_each_kind:
        bytes_of_page, seconds = weigh(browser, f"{server}{page}.html", known=known)
        kilobytes = bytes_of_page / 1000
        limit = FIRST_PAGE_KB if page == pages_of_each_kind[0] else CHAPTER_KB
        late = ", MISSED" if seconds > SECONDS else ""
        rows.append(f"{page:<30} {kilobytes:6.0f} kB of {limit:4} {seconds:6.2f} s of {SECONDS:.0f}{late}")
        if kilobytes > limit:  # seconds are those of the machine, and of what else it does: they are printed only
            too_much.append(rows[-1])
    print("\n" + "\n".join(rows))
    assert too_much == []


def test_the_site_is_small(site):
    megabytes = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
    print(f"\nthe whole site: {megabytes:.1f} MB of {SITE_MB}")
    assert 1 < megabytes < SITE_MB


def test_what_is_added_is_weighed(browser, server):
    """The scales themselves: a page with 200 kB more that can't be compressed is 200 kB heavier."""
    url = f"{server}book/bibliography.html"
    noise = random.Random(0).randbytes(200_000).hex()  # a hex digit carries half a byte
    (heavier, _), (as_it_is, _) = weigh(browser, url, f"<!-- {noise} -->"), weigh(browser, url)
    assert (heavier - as_it_is) / 1000 == pytest.approx(200, rel=0.2)
