"""Fixtures of the reading tests: the published files prepared once, and workbooks made of rows."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bcfstats.read.data import Data
from bcfstats.read.prepare import Prepared


@pytest.fixture(scope="session")
def prepared(real: Path) -> Prepared:
    """Give what `prepare` made of all published files."""
    found: Prepared = pickle.loads((real / "prepared.pickle").read_bytes())
    return found


@pytest.fixture(scope="session")
def data(prepared: Prepared) -> Data:
    """Give the tables of the published files."""
    return prepared.data


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write lines as a CSV file and give its path."""

    def write_lines(*lines: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write_lines


@pytest.fixture
def write_workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write sheets of rows as an .xlsx file and give its path."""

    def write(name: str, sheets: dict[str, list[list[Any]]]) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        book.save(path)
        return path

    return write


@pytest.fixture
def write_dtoc(write_workbook: Callable[..., Path]) -> Callable[..., Path]:
    """Write a workbook of delayed transfers in the layout of April 2017 on."""

    def write(
        name: str,
        period: str,
        rows: list[list[Any]],
        *,
        published: str = "8th June 2017",
        revised: str = "-",
        sheet: str = "LA - by type of care",
        days: str = "Delayed Days",
    ) -> Path:
        """`rows`: ONS code, council code, name, acute, non-acute, total."""
        table = [
            [None, "Title:", "Delayed Transfer of Care, NHS Organisations, England"],
            [None, "Period:", period],
            [None, "Published:", published],
            [None, "Revised:", revised],
            [None, None, None, None, None, days, None, None, None, "DTOC Beds"],
            [
                *(None, "Region", "ONS Geography", "Code", "Name", "Acute", "Non-Acute", "Total"),
                *(None, "Acute", "Non-Acute", "Total"),
            ],
            *([None, "-", *row, None, 0.1, 0.1, 0.2] for row in rows),
        ]
        return write_workbook(name, {sheet: table})

    return write
