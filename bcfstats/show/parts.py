"""Pieces of a page or notebook that many use: sentences with a table below them."""

from collections.abc import Sequence

from markupsafe import Markup

from bcfstats.show.page import fill


class Part(Markup):
    """A piece of the report: shows itself in a notebook, and stands on the page as it is."""

    def _repr_html_(self) -> str:
        return str(self)


def html_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], caption: str, *, numeric: Sequence[int] = ()
) -> Markup:
    r"""Write a table whose first column heads its rows.

    Parameters
    ----------
    headings : sequence of str
        One per column.
    rows : sequence of sequences
        Cells as they are to be read; text is escaped, `Markup` is not. An empty cell says "none".
    caption : str
        What the table holds: measure, area, period.
    numeric : sequence of int, optional
        Columns to be set flush right.

    Returns
    -------
    Markup

    Examples
    --------
    >>> table = html_table(["Month", "Days"], [["May 2013", "1,204"]], "Delayed days")
    >>> '<th scope="row">May 2013</th>' in table
    True
    """
    return fill("table.html.j2", headings=headings, rows=rows, caption=caption, numeric=set(numeric))


Table = tuple[Sequence[str], Sequence[Sequence[object]], str, Sequence[int]]


def section(*told: str, table: Table | None = None, note: str = "") -> Part:
    """Write sentences, and below them a table: headings, rows, caption, columns set flush right.

    Parameters
    ----------
    told : str
        One paragraph each; text is escaped.
    table : tuple, optional
        What `html_table` takes.
    note : str
        What must stand above all, such as that the figures are made up.

    Examples
    --------
    >>> made = section("Two areas.", table=(["Area", "Days"], [["Aldamount", "12"]], "Days", (1,)))
    >>> "<p>Two areas.</p>" in made and '<th scope="row">Aldamount</th>' in made
    True
    """
    made = ""
    if table is not None:
        headings, rows, caption, numeric = table
        made = html_table(headings, rows, caption, numeric=numeric)
    return Part(fill("told.html.j2", note=note, told=told, table=made))
