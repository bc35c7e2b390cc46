"""What a report depends on, as one short text: equal texts, equal reports.

Every process that asks for reports compares the code; pandas is loaded only where tables are digested.
"""

import hashlib
import json
import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import bcfstats

if TYPE_CHECKING:
    import pandas as pd

    from bcfstats.judge.results import Results
    from bcfstats.run.settings import Settings

PACKAGES = ("numpy", "pandas", "scipy", "matplotlib", "papermill", "nbconvert")
NOT_CONTENT = (
    "created",
    "inputs",
    "files",
    "code",
    "made_from",
)  # of a run, not of an area
NOT_INPUT = (
    "raw",
    "processed",
    "out",
    "notebook",
    "jobs",
    "engine",
    "executor",
    "cell_seconds",
    "memory_mib",
)


@cache
def source_fingerprint() -> str:
    """Digest the code and data files of bcfstats alone."""
    root = Path(bcfstats.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@cache
def code_fingerprint() -> str:
    """Digest the code of bcfstats, the versions of the packages that shape a report, and Python's."""
    versions = "".join(f"{name} {version(name)}\n" for name in PACKAGES)
    return hashlib.sha256(f"{platform.python_version()}{versions}{source_fingerprint()}".encode()).hexdigest()


def files_read(settings: "Settings") -> list[list[str]]:
    """List every file that a run's tables are computed from: its kind, its name and its checksum."""
    kinds: dict[str, Sequence[Path]] = {
        "prepared": sorted(settings.processed.glob("*")),
        "metrics": settings.metrics,
        "targets": settings.targets,
        "scheme": [Path(settings.scheme)],
    }
    return [
        [kind, path.name, hashlib.sha256(path.read_bytes()).hexdigest()]
        for kind, paths in kinds.items()
        for path in paths
        if path.is_file()
    ]


def inputs_fingerprint(settings: "Settings") -> str:
    """Digest everything that a run's tables are computed from: data, targets, rules, settings and code."""
    chosen = {name: value for name, value in settings.as_record().items() if name not in NOT_INPUT}
    content = json.dumps([code_fingerprint(), chosen, files_read(settings)], default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def fingerprints(results: "Results", notebook: bytes, areas: Sequence[str]) -> dict[str, str]:
    """Digest, for each area, everything its report is made from.

    Parameters
    ----------
    results : Results
        The tables of the run.
    notebook : bytes
        The notebook's text.
    areas : sequence of str
        Codes of the areas to be reported on; the code is all that differs between their parameters.

    Returns
    -------
    dict
        A fingerprint by area code. Dates and checksums of whole files are left out: a file may change
        in the rows of other areas only.
    """
    from bcfstats.judge.results import TABLES

    about = {name: value for name, value in results.about.items() if name not in NOT_CONTENT}
    shared = json.dumps([code_fingerprint(), about, results.metrics], default=str).encode() + notebook
    digests = {code: hashlib.sha256(shared + code.encode()) for code in areas}
    for name in TABLES:
        for code, rows in _row_digests(getattr(results, name)).items():
            if code in digests:
                digests[code].update(name.encode() + rows)
    return {code: digest.hexdigest() for code, digest in digests.items()}


def _row_digests(table: "pd.DataFrame") -> dict[str, bytes]:
    """Give one number a row, in order, as bytes by area."""
    import numpy as np
    import pandas as pd

    if not len(table):
        return {}
    plain = table.map(str) if table.map(lambda cell: isinstance(cell, list)).to_numpy().any() else table
    numbers = pd.util.hash_pandas_object(plain, index=False).to_numpy()
    order = np.argsort(table["area_code"].to_numpy(dtype=str), kind="stable")
    codes, starts = np.unique(table["area_code"].to_numpy(dtype=str)[order], return_index=True)
    return {
        str(code): part.tobytes()
        for code, part in zip(codes, np.split(numbers[order], starts[1:]), strict=True)
    }
