"""Every area's report in one run: computed once, run by papermill, recorded whole."""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

import bcfstats
from bcfstats.define.areas import AREAS, Area, find_area
from bcfstats.define.schemes import scheme
from bcfstats.errors import InputError
from bcfstats.judge.assessment import assess
from bcfstats.judge.results import Results
from bcfstats.read.data import Data, load
from bcfstats.read.targets import read_targets
from bcfstats.run.files import write_whole
from bcfstats.run.progress import Progress
from bcfstats.run.records import failures_table, index_page, results_table, run_record, stem_of
from bcfstats.run.report import Job, Outcome, check_parameters, make_report
from bcfstats.run.settings import Settings, all_metrics
from bcfstats.show.report import EXAMPLE
from bcfstats.show.words import day


@dataclass(frozen=True)
class BatchResult:
    """What came of a batch.

    Attributes
    ----------
    out : Path
        The folder of the run.
    outcomes : tuple of Outcome
        One per report, in the order of the areas.
    """

    out: Path
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The reports that could not be made."""
        return tuple(outcome for outcome in self.outcomes if outcome.reason)

    @property
    def index(self) -> Path:
        """The page that links every report."""
        return self.out / "index.html"

    def page(self, outcome: Outcome) -> Path:
        """Find the page of one report."""
        return self.out / "areas" / f"{outcome.stem}.html"

    @property
    def exit_code(self) -> int:
        """0 if every report was made, else 1."""
        return 1 if self.failed else 0


def run_batch(settings: Settings, *, areas: Sequence[str] = (), stream: TextIO | None = None) -> BatchResult:
    """Make a report for every area, or for some.

    Everything that can be checked is checked, and everything computed, before the first kernel starts.

    Parameters
    ----------
    settings : Settings
        Where the prepared data are, where to write, which scheme, metrics and notebook, how many workers.
    areas : sequence of str, optional
        Names or codes; every area with observations if none is given.
    stream : text file, optional
        Where progress is told; standard error if not given.

    Returns
    -------
    BatchResult
        An area whose data are broken, or whose notebook fails, does not stop the others.

    Raises
    ------
    BcfStatsError
        If the input cannot be used at all; nothing has been written then.
    """
    started = datetime.now().astimezone()
    data = load(settings.processed)
    results = _results(data, settings, started)
    jobs = _jobs(results, settings, areas)
    check_parameters(settings.notebook, jobs[0].parameters)
    results.save(settings.out / "tables")
    outcomes = tuple(_made(jobs, settings.jobs, stream))
    texts = {
        "failures.csv": failures_table(outcomes),
        "run.json": run_record(results, outcomes, started, settings.as_record()),
        "index.html": index_page(results, outcomes),
    }
    write_whole(
        settings.out / "results.csv", results_table(results).to_csv(index=False), encoding="utf-8-sig"
    )
    for name, text in texts.items():
        write_whole(settings.out / name, text, encoding="utf-8-sig" if name.endswith("csv") else "utf-8")
    return BatchResult(settings.out, outcomes)


def _results(data: Data, settings: Settings, started: datetime) -> Results:
    metrics = all_metrics(settings)
    rules = scheme(settings.scheme, metrics)
    proposed = [
        read_targets(path, areas=data.areas, metrics=metrics, scheme=rules) for path in settings.targets
    ]
    targets = pd.concat(proposed, ignore_index=True) if proposed else None
    results = assess(data, rules, metrics=metrics, targets=targets)
    made = {
        "version": bcfstats.__version__,
        "created": day(started.date()),
        "inputs": [[found["file"], found["sha256"]] for found in data.manifest["files"]],
    }
    return replace(results, about=results.about | made)


def _jobs(results: Results, settings: Settings, wanted: Sequence[str]) -> list[Job]:
    rows = results.areas.fillna("").to_dict("records")
    if wanted:
        known = [_area(row) for row in rows]
        codes = {find_area(text, known).area_code for text in wanted}
        rows = [row for row in rows if row["area_code"] in codes]
    if not rows:
        raise InputError("None of these areas has observations.", found=", ".join(wanted))
    banner = EXAMPLE if results.about["is_example"] else ""
    return [
        Job(
            notebook=settings.notebook,
            out=settings.out.resolve(),
            stem=stem_of(row),
            area_code=row["area_code"],
            area_name=row["area_name"],
            title=f"{row['area_name']}: Better Care Fund metrics",
            banner=banner,
        )
        for row in rows
    ]


def _area(row: dict[str, Any]) -> Area:
    """Find an area in the register, where its other names and codes are; else take its row."""
    code = str(row["area_code"])
    return AREAS.get(code) or Area(code, str(row["area_name"]))


def _made(jobs: Sequence[Job], workers: int, stream: TextIO | None) -> Iterator[Outcome]:
    """Make the reports and tell progress; outcomes come in the order of the jobs."""
    progress = Progress(len(jobs), stream)
    outcomes: dict[str, Outcome] = {}
    with (
        tempfile.TemporaryDirectory(prefix="bcf", ignore_cleanup_errors=True) as folder,
        ProcessPoolExecutor(
            max_workers=max(1, min(workers, len(jobs))),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(folder,),
        ) as pool,
    ):
        futures = {pool.submit(make_report, job): job for job in jobs}
        for future in as_completed(futures):
            outcome = _outcome(future, futures[future])
            outcomes[outcome.area_code] = outcome
            progress.tell(outcome.area_name, bool(outcome.reason))
    progress.close()
    return (outcomes[job.area_code] for job in jobs)


def _outcome(future: "Future[Outcome]", job: Job) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        reason = "the process that made this report ended unexpectedly; run again for the areas left"
        return Outcome(job.area_code, job.area_name, job.stem, reason=reason)


def _start_worker(folder: str) -> None:
    """Give a worker a short private folder for its kernels' sockets and settings."""
    own = Path(tempfile.mkdtemp(dir=folder))
    os.environ["JUPYTER_RUNTIME_DIR"] = str(own)
    os.environ["IPYTHONDIR"] = str(own / "ipython")
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
