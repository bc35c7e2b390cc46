"""Writing text whole, and so that no spreadsheet runs it."""

from pathlib import Path
from typing import TypeVar

import pandas as pd

from bcfstats.read.store import whole

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the last four in Japanese settings
SKIPPED_BY_SPREADSHEETS = ("\t", "\r", "\n")
Cell = TypeVar("Cell")


def write_whole(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    """Write a file so that its name always holds either the old text or the new, never half of one.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "run.json"
    >>> write_whole(target, "{}")
    >>> target.read_text(), sorted(found.name for found in target.parent.iterdir())
    ('{}', ['run.json'])
    """
    with whole(path) as part:
        part.write_text(text, encoding=encoding, newline="")


def safe_text(cell: Cell) -> Cell | str:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers stay as they are.

    Source: OWASP, CSV injection; blanks before the sign do not make it safe.

    Examples
    --------
    >>> safe_text("=HYPERLINK(1)"), safe_text(" @SUM(A1)"), safe_text("Leeds"), safe_text(-3.5)
    ("'=HYPERLINK(1)", "' @SUM(A1)", 'Leeds', -3.5)
    """
    if not isinstance(cell, str):
        return cell
    risky = cell.lstrip().startswith(RUN_BY_SPREADSHEETS) or cell.startswith(SKIPPED_BY_SPREADSHEETS)
    return f"'{cell}" if risky else cell


def safe_csv(table: pd.DataFrame) -> str:
    """Write a table as CSV that no spreadsheet takes a formula from."""
    return str(table.rename(columns=safe_text).map(safe_text).to_csv(index=False, lineterminator="\n"))
