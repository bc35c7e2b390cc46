"""Which reports of an earlier run can stand as they are."""

import hashlib
import json
from pathlib import Path

from bcfstats.errors import BcfStatsError
from bcfstats.judge.results import Results
from bcfstats.run.files import write_whole
from bcfstats.run.fingerprint import inputs_fingerprint
from bcfstats.run.records import stem_of
from bcfstats.run.report import Job
from bcfstats.run.settings import Settings

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


def is_made(out: Path, job: Job) -> bool:
    """Whether the folder holds this report, made from the same inputs by the same code, and whole.

    The executed notebook, written after the page, names what it was made from and which page goes with it.
    """
    return _is_whole(out, job.stem, job.fingerprint)


def made_reports(out: Path, results: Results) -> dict[str, Path]:
    """Find the pages that belong to the tables of a run, by area code: none of an earlier run, none changed.

    Parameters
    ----------
    out : Path
        The folder of the run.
    results : Results
        Its tables.
    """
    try:
        record = json.loads((out / "run.json").read_bytes())
        same = record["about"]["made_from"] == results.about["made_from"]
        fingerprints = record["fingerprints"] if same else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    stems = {row["area_code"]: stem_of(row) for row in results.areas.to_dict("records")}
    return {
        code: page_path(out, stem)
        for code, stem in stems.items()
        if code in fingerprints and _is_whole(out, stem, fingerprints[code])
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


def _is_whole(out: Path, stem: str, fingerprint: str) -> bool:
    try:
        about = json.loads(notebook_path(out, stem).read_bytes())["metadata"]["bcfstats"]
        return (about["fingerprint"], about["page"]) == (fingerprint, _digest(page_path(out, stem)))
    except (OSError, ValueError, KeyError, TypeError):
        return False
