"""Which reports of an earlier run can stand as they are."""

import hashlib
import json
import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bcfstats
from bcfstats.errors import BcfStatsError
from bcfstats.files import fitting, write_whole
from bcfstats.judge.results import PEERS, TABLES, Results
from bcfstats.run.settings import Settings
from bcfstats.words import file_stem


def stem_of(area: dict[str, Any], out: Path) -> str:
    """Name an area's files, so that Windows opens them too where they are."""
    return fitting(out / "notebooks", file_stem(str(area["area_code"]), str(area["area_name"])), ".ipynb")


PACKAGES = ("numpy", "pandas", "scipy", "matplotlib", "papermill", "nbconvert")
NOT_CONTENT = ("created", "inputs", "files", "code", "made_from", "targets_left_out")  # of a run, not an area
NOT_INPUT = (
    "raw",
    "processed",
    "out",
    "only_areas",
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


def files_read(settings: Settings) -> list[list[str]]:
    """List every file that a run's tables are computed from: its kind, its name and its checksum."""
    kinds: dict[str, Sequence[Path]] = {
        "prepared": sorted(settings.processed.glob("*")),
        "metrics": settings.metrics,
        "targets": settings.targets,
        "allocations": settings.allocations,
        "scheme": [Path(settings.scheme)],
    }
    return [
        [kind, path.name, hashlib.sha256(path.read_bytes()).hexdigest()]
        for kind, paths in kinds.items()
        for path in paths
        if path.is_file()
    ]


def inputs_fingerprint(settings: Settings) -> str:
    """Digest everything that a run's tables are computed from: data, targets, rules, settings and code."""
    chosen = {name: value for name, value in settings.as_record().items() if name not in NOT_INPUT}
    content = json.dumps([code_fingerprint(), chosen, files_read(settings)], default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def fingerprints(results: Results, notebook: bytes, areas: Sequence[str]) -> dict[str, str]:
    """Digest, for each area, everything its report is made from."""
    about = {name: value for name, value in results.about.items() if name not in NOT_CONTENT}
    shared = json.dumps([code_fingerprint(), about, results.metrics], default=str).encode() + notebook
    digests = {code: hashlib.sha256(shared + code.encode()) for code in areas}
    for code, problem in results.about.get("targets_left_out", ()):
        if code in digests:
            digests[code].update(problem.encode())
    for name in TABLES:
        if name != PEERS:
            for code, rows in _row_digests(getattr(results, name), "area_code").items():
                if code in digests:
                    digests[code].update(name.encode() + rows)
    groups = _row_digests(results.peers, "group")
    belongs = results.standings.reindex(columns=["area_code", "group"]).drop_duplicates()
    for code, group in belongs.itertuples(index=False):
        if code in digests and group in groups:
            digests[code].update(groups[group])
    return {code: digest.hexdigest() for code, digest in digests.items()}


def _row_digests(table: pd.DataFrame, by: str) -> dict[str, bytes]:
    """Digest the rows of each area, or group, in their order."""
    if not len(table):
        return {}
    texts = {name: table[name].map(str) for name in table if table[name].dtype == object}  # some hold lists
    numbers = pd.util.hash_pandas_object(table.assign(**texts), index=False).to_numpy()
    names, places = np.unique(table[by].to_numpy(dtype=str), return_inverse=True)
    order = np.argsort(places, kind="stable")
    parts = np.split(numbers[order], np.flatnonzero(np.diff(places[order])) + 1)
    return {
        str(name): hashlib.sha256(part.tobytes()).digest() for name, part in zip(names, parts, strict=True)
    }


RESULT_FILES, NOTED = ("results.csv", "results.xlsx"), "tables/written.json"


def page_path(out: Path, stem: str) -> Path:
    """Say where the page of an area goes."""
    return out / "areas" / f"{stem}.html"


def notebook_path(out: Path, stem: str) -> Path:
    """Say where the executed notebook of an area goes."""
    return out / "notebooks" / f"{stem}.ipynb"


def kept_results(settings: Settings) -> Results | None:
    """Read the tables of an earlier run if they were computed from what would be computed from now."""
    try:
        kept = Results.load(settings.out / "tables")
    except (BcfStatsError, OSError, ValueError, KeyError, TypeError):
        return None
    return kept if kept.about.get("made_from") == inputs_fingerprint(settings) else None


def is_made(out: Path, stem: str, fingerprint: str) -> bool:
    """Whether a report is there, whole: its notebook, written last, says made from what, with which page."""
    try:
        about = json.loads(notebook_path(out, stem).read_bytes())["metadata"]["bcfstats"]
        return (about["fingerprint"], about["page"]) == (fingerprint, _digest(page_path(out, stem)))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def made_reports(out: Path, results: Results) -> dict[str, Path]:
    """Find the pages that belong to the tables of a run, by area code; none of an earlier run, or changed."""
    try:
        record = json.loads((out / "run.json").read_bytes())
        same = record["about"]["made_from"] == results.about["made_from"]
        fingerprints = record["fingerprints"] if same else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    stems = {row["area_code"]: stem_of(row, out) for row in results.areas.to_dict("records")}
    return {
        code: page_path(out, stem)
        for code, stem in stems.items()
        if code in fingerprints and is_made(out, stem, fingerprints[code])
    }


def note_results(out: Path, results: Results) -> None:
    """Remember which files the tables of a run were written to as results, and what is in them."""
    digests = {name: _digest(out / name) for name in RESULT_FILES}
    write_whole(out / NOTED, json.dumps({"made_from": results.about["made_from"], **digests}))


def results_stand(out: Path, results: Results) -> bool:
    """Whether those files are there as they were written from the same tables."""
    try:
        noted = json.loads((out / NOTED).read_bytes())
        digests = {name: _digest(out / name) for name in RESULT_FILES}
    except (OSError, ValueError):
        return False
    return bool(noted == {"made_from": results.about["made_from"], **digests})


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
