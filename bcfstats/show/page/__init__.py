"""The page: templates for tables, sections, the area report and the index."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent


@cache
def fill_environment() -> Environment:
    """Return what the templates are compiled and filled with; every value is escaped."""
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(template: str, **values: Any) -> Markup:
    """Fill one of the templates beside this file; every value is escaped unless it is `Markup`."""
    return Markup(fill_environment().get_template(template).render(**values))


def style() -> Markup:
    """Return the style sheet that every page carries inside it."""
    return Markup((FOLDER / "page.css").read_text(encoding="utf-8"))
