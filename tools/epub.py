"""Finish the EPUB that Sphinx wrote: formulas as MathML, and nothing that needs JavaScript.

python tools/epub.py <folder of Sphinx's epub builder> _build/html _build/gradients-by-hand.epub

Sphinx leaves formulas as TeX, which a reading device shows as it is. Here a browser parses each page, MathJax (from
the built site) turns its TeX into MathML, and the page is written again as XHTML.
"""

import re
import sys
import zipfile
from pathlib import Path

from browser import running_chromium

from handgrad.files import replacing

# In a page that has loaded MathJax: one page of the book, from Sphinx's HTML to XHTML.
FINISH = r"""
(html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const unwanted = "script, form, button, .headerlink, details.hide, link:not([href*=pygments], [href*=hand-epub])";
  const answers = page.querySelectorAll("details.hide.below-input"); // outputs to guess first: open, as on paper
  answers.forEach((answer) => answer.replaceWith(...answer.querySelectorAll(":scope > :not(summary)")));
  page.querySelectorAll(unwanted).forEach((part) => part.remove());
  page.head.append(...page.body.querySelectorAll("style:not(svg style)")); // XHTML allows them nowhere else
  for (const formula of page.querySelectorAll(".math")) {
    const text = [...formula.childNodes].filter((part) => part.nodeType === 3).map((part) => part.data).join("");
    const tex = text.trim().replace(/^\\[([]/, "").replace(/\\[)\]]$/, "");
    const mathml = MathJax.tex2mml(tex, { display: formula.localName === "div" });
    if (mathml.includes("<merror")) throw new Error(`MathJax cannot read ${tex}`);
    const number = formula.querySelector(".eqno");
    formula.innerHTML = mathml;
    for (const part of formula.querySelectorAll("*")) {
      for (const name of part.getAttributeNames()) if (name.startsWith("data-")) part.removeAttribute(name);
    }
    if (number) formula.prepend(number);
  }
  const used = new Set(page.body.innerHTML.match(/#[\w-]+/g)); // matplotlib numbers its groups anew in each figure
  for (const part of page.querySelectorAll("svg [id]")) if (!used.has("#" + part.id)) part.removeAttribute("id");
  page.querySelector("html").removeAttribute("xmlns"); // the serializer writes it
  const properties = [page.querySelector("svg") && "svg", page.querySelector("math") && "mathml"];
  return [new XMLSerializer().serializeToString(page), properties.filter(Boolean).join(" ")];
}
"""


def without_css_variables(text):
    """`var(--hg-blue, #0072b2)` becomes `#0072b2`: old reading devices know no variables."""
    inner = re.compile(r"var\(--[\w-]+,\s*([^()]+)\)")
    while inner.search(text):
        text = inner.sub(r"\1", text)
    return text


def finish(folder, site, target):
    folder = Path(folder)
    package, pages = (folder / "content.opf").read_text(encoding="utf-8"), []
    with running_chromium() as chromium:
        browser_page = chromium.new_page()
        browser_page.evaluate("window.MathJax = {startup: {typeset: false}}")
        browser_page.add_script_tag(path=Path(site) / "_static/mathjax/tex-mml-chtml.js")
        browser_page.evaluate("MathJax.startup.promise")
        for path in sorted(folder.glob("book/**/*.xhtml")):
            html = without_css_variables(path.read_text(encoding="utf-8"))
            xhtml, properties = browser_page.evaluate(FINISH, html)
            pages.append(xhtml)
            path.write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + xhtml, encoding="utf-8")
            if properties:
                item = re.compile(rf'(<item [^>]*href="{re.escape(path.relative_to(folder).as_posix())}")')
                package = item.sub(rf'\1 properties="{properties}"', package)
    package = without_unused_files(package, pages)
    (folder / "content.opf").write_text(package, encoding="utf-8")
    pack(folder, re.findall(r'<item [^>]*href="([^"]+)"', package), target)


def without_unused_files(package, pages):
    """The package's list without the style sheets and pictures of the site that no page of the EPUB refers to."""
    used = set(re.findall(r'(?:href|src)="(?:\.\./)+(_static/[^"]+)"', "".join(pages)))
    items = re.findall(r' *<item [^>]*href="(_static/[^"]+)"[^>]*/>\n', package)
    for name in set(items) - used:
        package = re.sub(rf' *<item [^>]*href="{re.escape(name)}"[^>]*/>\n', "", package)
    return package


def pack(folder, names, target):
    """A zip whose first member is `mimetype`, not compressed, so that it can be told by its first bytes."""
    with replacing(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "mimetype", "mimetype", zipfile.ZIP_STORED)
        for name in ("META-INF/container.xml", "content.opf", *names):
            archive.write(folder / name, name)


if __name__ == "__main__":
    finish(*sys.argv[1:])
    print(f"The book is packed: {sys.argv[3]}")
