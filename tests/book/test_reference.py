"""The library's reference as it is read: entries, what leads to them, and pages that fit on every screen."""

import re
from html import unescape
from urllib.parse import unquote

import pytest

from handgrad import show

# What a page must not hold: of docutils, of sections that were read as text, of a |bar| that was escaped twice, of a
# letter before a full stop that was read as the number of an item.
RAW = re.compile(r"system-message|problematic|-{3,}</p>|:py:\w+:|\\\||<ol class=\"(?:upper|lower)")


@pytest.fixture(scope="module")
def reference(pages):
    return [page for page in pages if page.startswith("book/reference/")]


def article_of(site, page):
    return (site / f"{page}.html").read_text(encoding="utf-8").split("<article")[1].split("</article>")[0]


def links_on(site, page):
    """Of each link to an entry, what it says and where it leads: a file and an anchor in it."""
    links = re.findall(r'<a class="hg-to-entry[^>]*href="([^"#]+)#([^"]+)"[^>]*>(.*?)</a>', article_of(site, page))
    where = (site / page).parent
    return [(re.sub("<[^>]+>", "", text), (where / unquote(path)).resolve(), unescape(to)) for path, to, text in links]


def test_every_page_is_what_it_was_meant_to_be(site, reference):
    assert len(reference) > 20
    for page in reference:
        assert RAW.findall(article_of(site, page)) == [], page


def test_pages_fit_on_a_phone_and_their_code_on_a_desktop(browser, site, reference):
    opened = browser.new_page(viewport={"width": 390, "height": 844})
    faults = []
    for page in reference:
        opened.goto((site / f"{page}.html").as_uri())
        if opened.evaluate(
            "document.querySelector('article').scrollWidth > document.querySelector('article').clientWidth"
        ):
            faults.append(f"{page} is wider than a phone")
    opened.set_viewport_size({"width": 1280, "height": 900})
    for page in reference:
        opened.goto((site / f"{page}.html").as_uri())
        wide = opened.evaluate(
            """() => [...document.querySelectorAll(".doctest pre, .highlight-none pre")]
                .filter((block) => block.scrollWidth > block.clientWidth + 1)
                .map((block) => block.textContent.split("\\n").sort((a, b) => b.length - a.length)[0])"""
        )
        faults += [f"{page}: {line}" for line in wide]
    opened.close()
    assert faults == []


def test_absolute_values_are_printed(site):
    article = article_of(site, "book/reference/functional")
    assert "log(1 + e^-|x|)" in unescape(re.sub("<[^>]+>", "", article))


def test_sections_are_lists_of_parameters_and_errors(site):
    article = article_of(site, "book/reference/sampling")
    assert re.search(r"<strong>threshold</strong> \(<em>float</em>\) – t; 0 keeps every word\.", article)
    assert re.search(r'<a [^>]*href="errors.html#handgrad.errors.InputError"[^>]*>.*?</a> – If', article)


def test_the_overview_has_a_line_for_each_entry(site, reference):
    overview = article_of(site, "book/reference/overview")
    for page in reference:
        for anchor in re.findall(r'<dt class="sig sig-object py" id="([^"]+)">', article_of(site, page)):
            is_a_member = re.search(r"\.[A-Z]\w+\.\w+$", anchor)
            assert is_a_member or f'#{anchor}"' in overview, anchor


def test_the_settings_and_the_command_are_described(site):
    assert "negatives = 5" in unescape(re.sub("<[^>]+>", "", article_of(site, "book/reference/training")))
    help_of_commands = article_of(site, "book/reference/command_line")
    for option in ("--output DIR", "--learning-rate FLOAT", "--analogies", "--format"):
        assert option in help_of_commands, option


def test_names_lead_to_entries_that_are_there(site, pages):
    for page in pages:
        for said, path, anchor in links_on(site, page):
            assert f'id="{anchor}"' in path.read_text(encoding="utf-8"), f"{page}: {said}"


def test_a_chapters_first_use_of_a_name_leads_to_its_entry(site):
    """In prose and in code, once each."""
    links = links_on(site, "book/08_graphs")
    assert [anchor for said, _, anchor in links if said == "ComputationalGraph"] == ["handgrad.ComputationalGraph"] * 2
    assert ("show.source", "handgrad.show.source") in {(said, anchor) for said, _, anchor in links}
    code = re.findall(r'<div class="cell_input.*?</pre>', article_of(site, "book/08_graphs"), re.DOTALL)
    bases = [line for cell in code for line in cell.splitlines() if '<span class="nc">Square</span>' in line]
    assert ["handgrad.Gate" in line for line in bases] == [True, False]  # its first use has no call
    imports = [line for cell in code for line in cell.splitlines() if '<span class="kn">import</span>' in line]
    assert imports and not any("hg-to-entry" in line for line in imports)


def test_a_name_that_is_handed_over_leads_to_its_entry(site):
    """Or is built upon: nothing there is called."""
    for page, name in (("10_gates", "Gate"), ("12_sick_gradients", "Tanh"), ("13_autodiff", "Sigmoid")):
        code = "".join(re.findall(r'<div class="cell_input.*?</pre>', article_of(site, f"book/{page}"), re.DOTALL))
        assert code.count(f'#handgrad.{name}"') == 1, page


def test_a_word_that_is_no_name_here_leads_nowhere(site):
    assert not {said for said, *_ in links_on(site, "book/08_graphs")} & {"x", "y", "backward", "forward", "Square"}


def test_an_entry_is_found_by_searching(browser, site):
    page = browser.new_page()
    page.goto(f"{(site / 'search.html').as_uri()}?q=keep_probabilities")
    found = page.locator("#search-results a", has_text="keep_probabilities").first
    found.click()
    page.wait_for_url("**/book/reference/sampling.html*")
    page.close()


def test_what_a_page_shows_of_the_source_has_no_example(site):
    """Gates are printed on pages: their examples stand in book/reference instead."""
    import handgrad

    gates = [value for value in vars(handgrad).values() if isinstance(value, type) and issubclass(value, handgrad.Gate)]
    assert len(gates) > 20
    assert [gate.__name__ for gate in gates if gate is not handgrad.Gate and ">>>" in repr(show.source(gate))] == []
