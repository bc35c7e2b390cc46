"""Which reports of an earlier run can stand as they are."""

import hashlib
import json
from pathlib import Path

from bcfstats.errors import BcfStatsError
from bcfstats.judge.results import Results
from bcfstats.run.fingerprint import inputs_fingerprint
from bcfstats.run.report import Job
from bcfstats.run.settings import Settings


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
    try:
        about = json.loads(notebook_path(out, job.stem).read_bytes())["metadata"]["bcfstats"]
        page = page_path(out, job.stem).read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return False
    found = about.get("fingerprint"), about.get("page")
    return found == (job.fingerprint, hashlib.sha256(page).hexdigest())
