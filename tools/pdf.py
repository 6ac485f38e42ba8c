"""Print the whole book: the pages of the built site, in the order of its contents, as one PDF.

python tools/pdf.py _build/html _build/gradients-by-hand.pdf

All pages are put into one document before it is printed. So the pages are numbered through, and what is a link from
page to page on the site is a link inside the PDF. It is printed twice: the first time tells on which page each chapter
begins, and the second has these numbers in its contents. The library's reference is left out: it is looked up where one
programs, and would be as long as several chapters.
"""

import sys
from pathlib import Path

from browser import running_chromium
from pypdf import PdfReader

from handgrad.files import replacing

FIRST_PAGE = "book/index.html"

# In the first page: the site's contents, as [caption or null, title, address].
CONTENTS = """
() => {
  let caption = null;
  const rows = [];
  for (const entry of document.querySelectorAll("nav.bd-links :is(.caption, a.reference.internal)")) {
    if (entry.matches(".caption")) caption = entry.textContent.trim();
    else rows.push([caption, entry.textContent.trim().replace(/\\s+/g, " "), new URL(entry.href).pathname]);
  }
  return rows.filter(([, , address]) => !address.includes("/reference/"));
}
"""

# In the first page: replace its article by those of all pages, [address, title, caption, html] each.
JOIN = """
(pages) => {
  const known = new Set(pages.map(([address]) => address));
  const name = (address) => address.split("/").at(-1).replace(".html", "");
  const joined = document.createElement("div");
  const title = document.createElement("header");
  title.className = "hg-title-page";
  const mark = document.querySelector(".hg-logo svg").outerHTML;
  const subtitle = "From one-hot vectors to word2vec";
  title.innerHTML = `${mark}<p class="hg-book">Gradients by Hand</p><p>${subtitle}</p>`;
  const note = "The code that draws the figures stands in the notebooks.";
  title.append(...document.querySelectorAll(".bd-footer-content p"));
  title.insertAdjacentHTML("beforeend", `<p>${note}</p>`);
  const contents = document.createElement("nav");
  contents.className = "hg-contents";
  contents.innerHTML = "<h1>Contents</h1>";
  let part = null;
  for (const [address, label, caption] of pages) {
    if (caption !== part) contents.insertAdjacentHTML("beforeend", `<h2>${caption}</h2>`);
    part = caption;
    contents.insertAdjacentHTML("beforeend", `<p><a href="#${name(address)}">${label}</a></p>`);
  }
  joined.append(title, contents);
  for (const [address, , , html] of pages) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const article = page.querySelector("article.bd-article");
    const here = new URL(address, location.href);
    for (const element of article.querySelectorAll("[id]")) {
      if (!element.closest("svg")) element.id = `${name(address)}--${element.id}`;
    }
    for (const link of article.querySelectorAll("a[href]")) {
      const to = new URL(link.getAttribute("href"), here);
      if (to.pathname.includes("/reference/") && to.origin === here.origin) link.replaceWith(...link.childNodes);
      if (!known.has(to.pathname)) continue;
      link.setAttribute("href", `#${name(to.pathname)}${to.hash ? "--" + decodeURIComponent(to.hash.slice(1)) : ""}`);
    }
    for (const image of article.querySelectorAll("img")) image.src = new URL(image.getAttribute("src"), here);
    article.id = name(address);
    joined.append(article);
  }
  document.querySelector(".bd-article-container").replaceChildren(...joined.childNodes);
}
"""

NUMBER_CONTENTS = """
(numbers) => document.querySelectorAll(".hg-contents p").forEach((line, i) => (line.dataset.page = numbers[i]))
"""


def print_book(site, target):
    site = Path(site).resolve()
    with running_chromium() as chromium:
        page = chromium.new_page()
        page.goto((site / FIRST_PAGE).as_uri())
        pages = [
            [address, title, caption, (site / Path(address).relative_to(site)).read_text(encoding="utf-8")]
            for caption, title, address in page.evaluate(CONTENTS)
        ]
        page.evaluate(JOIN, pages)
        page.evaluate("window.MathJax = {startup: {typeset: false}, options: {processHtmlClass: 'math'}}")
        page.add_script_tag(url=(site / "_static/mathjax/tex-mml-chtml.js").as_uri())
        page.evaluate("async () => { await MathJax.startup.promise; await MathJax.typesetPromise(); }")
        page.evaluate("document.fonts.ready")
        with replacing(target) as partial:
            paper = {"path": partial, "format": "A4", "print_background": True, "outline": True, "tagged": True}
            page.pdf(**paper)
            page.evaluate(NUMBER_CONTENTS, first_pages(partial)[1:])  # the first are those of the contents
            page.pdf(**paper)


def first_pages(path):
    """The numbers of the pages on which the parts of a PDF begin, as its outline tells."""
    pdf = PdfReader(path)
    return [pdf.get_destination_page_number(part) + 1 for part in pdf.outline if not isinstance(part, list)]


if __name__ == "__main__":
    print_book(*sys.argv[1:])
    print(f"The book is printed: {sys.argv[2]}")
