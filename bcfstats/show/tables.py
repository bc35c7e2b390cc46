"""Accessible HTML tables: a caption, scoped headings, no empty cells."""

from collections.abc import Sequence

from markupsafe import Markup

from bcfstats.show.page import fill


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
