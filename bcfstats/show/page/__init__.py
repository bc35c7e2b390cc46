"""The page: templates filled, tables and paragraphs as they stand in a report or a notebook."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bcfstats.words import capital

FOLDER = Path(__file__).parent
Table = tuple[Sequence[str], Sequence[Sequence[object]], str, Sequence[int]]


@cache
def fill_environment() -> Environment:
    """Return what the templates are compiled and filled with; every value is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["capital"] = capital
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    return environment


def fill(template: str, **values: Any) -> Markup:
    """Fill one of the templates beside this file; every value is escaped unless it is `Markup`."""
    return Markup(fill_environment().get_template(template).render(**values))


class Part(Markup):
    """A piece of a report: shows itself in a notebook, and stands on the page as it is."""

    def _repr_html_(self) -> str:
        return str(self)


def html_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], caption: str, *, numeric: Sequence[int] = ()
) -> Markup:
    """Write a table whose first column heads its rows; an empty cell says "none".

    Text is escaped, `Markup` is not; the columns counted in `numeric` are set flush right.
    """
    return fill("table.html.j2", headings=headings, rows=rows, caption=caption, numeric=set(numeric))


def linked(text: str, address: str | None) -> str:
    """Make a text a link, where there is somewhere for it to lead."""
    return Markup('<a href="{}">{}</a>').format(address, text) if address else text


def section(*paragraphs: str, table: Table | None = None, note: str = "") -> Part:
    """Write sentences, and below them a table: headings, rows, caption, columns set flush right.

    The note stands above all, such as that the figures are made up.
    """
    below = Markup()
    if table is not None:
        headings, rows, caption, numeric = table
        below = html_table(headings, rows, caption, numeric=numeric)
    return Part(fill("paragraphs.html.j2", note=note, paragraphs=paragraphs, table=below))


def style(*others: str) -> Markup:
    """Return the style sheet that every page carries inside it, with others for pages that need more."""
    return Markup("".join((FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", *others)))


def script(name: str) -> Markup:
    """Return one of the scripts beside this file, as it stands inside a page."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def script_hash(name: str) -> str:
    """Name a script as a page's security policy does: nothing else may run on that page."""
    digest = hashlib.sha256(script(name).encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
