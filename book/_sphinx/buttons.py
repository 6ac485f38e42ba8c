"""The buttons above a page: download it, run it elsewhere, edit it.

The repository's address is one line of `_config.yml`, `repository: url`. While it is empty, only the buttons that need
no repository are there. `templates/article-header-buttons.html` writes them.
"""

from sphinx.errors import ConfigError

GITHUB = "https://github.com/"


def repository_links(url, branch, source):
    """Where the page made from the file ``source`` (its path in the repository) is edited and run: name to address."""
    owner_and_name = url.rstrip("/").removesuffix(".git").removeprefix(GITHUB)
    if not url.startswith(GITHUB) or owner_and_name.count("/") != 1:
        raise ConfigError(f"_config.yml: repository url is to be {GITHUB}owner/name or empty, and is {url!r}.")
    return {
        "edit": f"{GITHUB}{owner_and_name}/edit/{branch}/{source}",
        "Colab": f"https://colab.research.google.com/github/{owner_and_name}/blob/{branch}/{source}",
        "Binder": f"https://mybinder.org/v2/gh/{owner_and_name}/{branch}?urlpath=lab/tree/{source}",
    }


def add_buttons(app, pagename, templatename, context, doctree):
    """Give the template ``edit``, ``download`` and ``run``; each is empty where there is nothing of the kind."""
    source = app.env.doc2path(pagename, base=False) if pagename in app.env.found_docs else ""
    options = app.config.html_theme_options
    url, branch = options.get("repository_url"), options.get("repository_branch") or "main"
    elsewhere = repository_links(url, branch, source) if url and source else {}
    is_notebook = source.endswith(".ipynb")
    context["hg_edit"] = elsewhere.pop("edit", "")
    context["hg_run"] = elsewhere if is_notebook else {}
    context["hg_download"] = context["pathto"](f"_sources/{source}", 1) if is_notebook else ""


def setup(app):
    app.connect("html-page-context", add_buttons)
