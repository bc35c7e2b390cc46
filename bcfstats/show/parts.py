"""Pieces of a page or notebook that many use: sentences with a table below them."""

from collections.abc import Sequence

from bcfstats.show.page import fill
from bcfstats.show.report import Part
from bcfstats.show.tables import html_table

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
