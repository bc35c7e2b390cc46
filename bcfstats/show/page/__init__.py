"""The page: templates for tables, sections, the area report and the index."""

import base64
import hashlib
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
