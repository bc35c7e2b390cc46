"""The files of a run: what they hold but for when and where they were made, and which are not whole."""

import csv
import hashlib
import io
import json
import zipfile

NO_PAGE = hashlib.sha256(b"").hexdigest()
STAMPS = {"started", "written", "ended", "fingerprints"}  # of run.json, besides settings


def contents(out):
    """Every file of a run as it should be again, without the stamp of when and where it was made."""
    return {
        path.relative_to(out).as_posix(): plain(path) for path in sorted(out.rglob("*")) if path.is_file()
    }


def plain(path):
    """What a file holds, without the stamp; an error where it is not whole."""
    content = path.read_bytes()
    if path.name == "run.json":
        record = json.loads(content)
        counts = record["reports"] | {"kept_from_before": 0}
        return {
            **record,
            "settings": {**record["settings"], "out": ""},
            "reports": counts,
            **dict.fromkeys(STAMPS),
        }
    if path.name == "written.json":
        return {name: digest for name, digest in json.loads(content).items() if name != "results.xlsx"}
    if path.suffix == ".ipynb":
        book = json.loads(content)
        cells = [{name: part for name, part in cell.items() if name != "id"} for cell in book["cells"]]
        for part in (book, *cells):
            part["metadata"].pop("papermill", None)
            part["metadata"].pop("execution", None)
        return {**book, "cells": cells}
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}
    return content


def halves(out, expected):
    """Name files that are not whole: what cannot be read, or is not what the same inputs always give."""
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        is_part = any(part.startswith(".") for part in path.relative_to(out).parts)
        if not path.is_file() or is_part or name == "run.lock":
            continue
        try:
            found = plain(path)
        except FileNotFoundError:
            continue  # it has been replaced since
        except (ValueError, KeyError, zipfile.BadZipFile):
            yield name
            continue
        if name in ("index.html", "failures.csv", "run.json"):  # what they say depends on when
            whole = _reads_well(name, found)
        elif path.suffix == ".ipynb" and found["metadata"]["bcfstats"]["page"] == NO_PAGE:
            whole = True  # of a report that failed because it was killed twice: as far as it came
        else:
            whole = found == expected.get(name)
        if not whole:
            yield name


def _reads_well(name, content):
    if name == "index.html":
        return content.rstrip().endswith(b"</html>")
    if name == "failures.csv":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        return bool(rows) and all(len(row) == 5 for row in rows) and content.endswith(b"\n")
    return set(content) >= {"settings", "reports", "areas", "about"}
