"""A page shows its text before any script is loaded, and loads no script that it does not use."""

from .offline import COMPONENT

AT_ONCE = "documentation_options.js"  # a script in the page itself refers to it


def tidy_scripts(app, pagename, templatename, context, doctree):
    scripts = context["script_files"]
    if 'class="math ' not in context.get("body", ""):
        scripts = [script for script in scripts if COMPONENT not in str(script.filename)]
    if pagename != "search":  # its own scripts, which search as soon as they are read, need the others
        scripts = [deferred(script) for script in scripts]
    context["script_files"] = scripts


def deferred(script):
    """The same script, run when the page is there. What stands in the page itself has no file, and stays as it is."""
    if not script.filename or AT_ONCE in str(script.filename):
        return script
    return type(script)(script.filename, priority=script.priority, **{**script.attributes, "defer": "defer"})


def setup(app):
    app.connect("html-page-context", tidy_scripts, priority=900)  # after everyone has listed theirs
