"""What `make lab` tells Jupyter's server.

An explorer's output holds a view, which works while its kernel lives, and a page that always works. JupyterLab would
show a stored view, even of a kernel that is gone: "Error displaying widget". So views are not stored beside pages.
"""

VIEW = "application/vnd.jupyter.widget-view+json"


def without_views(model, **_):
    """Drop from a notebook that is to be saved each view that has a page beside it."""
    cells = model["content"].get("cells", []) if model["type"] == "notebook" else []
    for cell in cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                data.pop(VIEW, None)


get_config().FileContentsManager.pre_save_hook = without_views  # noqa: F821
