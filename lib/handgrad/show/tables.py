"""A table whose first row and first column are headings, as text and as HTML."""

from html import escape


def table_as_text(rows):
    """Lines of text, in columns that are flush right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in rows]


def table_as_html(rows):
    head, *body = rows
    heading = "".join(f'<th scope="col">{escape(text)}</th>' for text in head[1:])
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(text)}</td>" for text in row)}</tr>'
        for name, *row in body
    )
    return f"<table><thead><tr><td></td>{heading}</tr></thead><tbody>{lines}</tbody></table>"
