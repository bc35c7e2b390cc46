"""Targets kept in a file of their own, row by row, as `read_targets` reads them."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bcfstats.define.areas import find_area
from bcfstats.errors import InputError, ParameterError

COLUMNS = ("area", "metric", "payment", "change_percent", "source")
KEY = COLUMNS[:3]
WAYS = ("target_value", "target_numerator", "change_percent")


def keep_targets(path: str | Path, rows: Sequence[Mapping[str, object]], areas: pd.DataFrame) -> Path:
    """Add targets to a CSV file; one for the same area, metric and payment is replaced.

    Parameters
    ----------
    path : str or Path
        Made if it is not there, with its folder.
    rows : sequence of mappings
        Each with the columns `COLUMNS` names; the area by its code.
    areas : DataFrame
        With `area_code` and `area_name`: rows of the file may name areas by either.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If there is such a file that is not a CSV table of targets, or it cannot be written. It is then left
        as it was.

    Examples
    --------
    >>> import tempfile
    >>> from bcfstats import example_data, read_targets
    >>> areas = example_data(n_areas=2).areas
    >>> row = {"area": "X06000001", "metric": "reablement", "payment": "2015-10", "source": "board"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for change in (2, 3.5):
    ...         file = keep_targets(f"{folder}/targets.csv", [{**row, "change_percent": change}], areas)
    ...     read_targets(file, areas=areas)[["area_name", "metric", "change_percent"]].values.tolist()
    [['Aldamount', 'reablement', 3.5]]
    """
    file = Path(path)
    columns, kept = _read(file)
    replaced = {tuple(str(row[name]).casefold() for name in KEY) for row in rows}
    kept = [row for row in kept if _key(row, areas) not in replaced]
    columns = [*columns, *(name for name in COLUMNS if name not in columns)]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([*kept, *({name: str(row[name]) for name in COLUMNS} for row in rows)])
    _write(file, out.getvalue())
    return file


def _read(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read the rows kept so far, every column of them."""
    if not file.exists():
        return list(COLUMNS), []
    try:
        lines = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error):
        lines = []
    names = [name.strip().casefold() for name in lines[0]] if lines else []
    if not set(KEY) <= set(names) or not set(WAYS) & set(names):
        raise InputError(
            "This file is not a CSV table of targets: nothing was added to it.",
            where=file.name,
            do="Name another file, or one whose first line has area, metric, payment and change_percent.",
        )
    return names, [dict(zip(names, line, strict=False)) for line in lines[1:] if any(line)]


def _key(row: Mapping[str, str], areas: pd.DataFrame) -> tuple[str, ...]:
    try:
        area = find_area(row.get("area", ""), areas).area_code
    except ParameterError:
        area = row.get("area", "")
    return tuple(text.strip().casefold() for text in (area, row.get("metric", ""), row.get("payment", "")))


def _write(file: Path, text: str) -> None:
    """Write the file whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            "The targets could not be written.",
            where=str(file),
            found=str(error.strerror),
            do="Close the file if it is open in another program, such as Excel, and try again.",
        ) from None
