"""Every area's report in one run: computed once, run by papermill, recorded whole."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

import bcfstats
from bcfstats.define.areas import codes_of
from bcfstats.define.schemes import scheme
from bcfstats.disclose.results import disclose
from bcfstats.errors import InputError, NotDoneError
from bcfstats.files import clear_parts, now, sole_use, write_csv, write_whole, writing
from bcfstats.judge.assessment import assess
from bcfstats.judge.results import Results
from bcfstats.read.data import Data
from bcfstats.run import pool
from bcfstats.run.forks import forked, in_processes
from bcfstats.run.pool import (
    LOCAL,
    NOT_YET,
    ClusterLostError,
    Crew,
    as_they_end,
    chosen_engine,
    failure,
    open_crew,
)
from bcfstats.run.records import FINISHED, STOPPED, UNDER_WAY, Record, results_table, write_workbook
from bcfstats.run.report import Job, Kit, Made, Outcome, check_memory, check_parameters
from bcfstats.run.resume import (
    code_fingerprint,
    files_read,
    fingerprints,
    inputs_fingerprint,
    is_made,
    kept_results,
    note_results,
    notebook_path,
    page_path,
    results_stand,
    source_fingerprint,
    stem_of,
)
from bcfstats.run.settings import (
    Settings,
    all_metrics,
    chosen_metrics,
    prepared_data,
    read_all_allocations,
    read_all_targets,
    vouched_for,
)
from bcfstats.words import EXAMPLE, day

SECONDS_BETWEEN_LINES = 15.0
MANY = 10_000  # rows: with fewer, another process would cost more than it saves
READ_BY_REPORTS = ("series", "ladders", "findings", "standings", "peers")  # alone


class Progress:
    """Count reports as they end, and say how many are done, how many failed and what time is left."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.done, self.failed = total, 0, 0
        self.stream = stream or sys.stderr
        self.started = self.last_line = time.monotonic()
        self.bar: Any = None
        if self.stream.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=total, unit="report", file=self.stream, dynamic_ncols=True)

    def tell(self, area_name: str, failed: bool) -> None:
        """Count one report."""
        area_name = " ".join(area_name.split())  # a line break in it would break the line
        self.done += 1
        self.failed += failed
        if self.bar is not None:
            self.bar.set_postfix_str(f"{self.failed} failed, {area_name}"[:40])
            self.bar.update()
            return
        now = time.monotonic()
        if now - self.last_line >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self.last_line = now
            print(self.line(area_name, now - self.started), file=self.stream, flush=True)

    def line(self, area_name: str, seconds: float) -> str:
        """Write the state of the batch in one line."""
        left = seconds / max(self.done, 1) * (self.total - self.done)
        remaining = f"{left / 60:.0f} min left" if left >= 90 else f"{left:.0f} s left"
        count = f"{self.done:>{len(str(self.total))}}/{self.total}"
        return f"[{count}] {self.failed} failed, {remaining}, {area_name}"

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self.bar is not None:
            self.bar.close()


@dataclass(frozen=True)
class BatchResult:
    """What came of a batch: an outcome a report, in the order of the areas."""

    out: Path
    outcomes: tuple[Outcome, ...]
    stopped: str = ""  # why it ended before every report was made
    left_out: tuple[str, ...] = ()  # rows of the files of targets that cannot be judged, with their problems

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The reports that could not be made."""
        return tuple(outcome for outcome in self.outcomes if outcome.reason and not outcome.is_waiting)

    @property
    def waiting(self) -> tuple[Outcome, ...]:
        """The reports that have not been made yet, because the batch was stopped."""
        return tuple(outcome for outcome in self.outcomes if outcome.is_waiting)

    @property
    def index(self) -> Path:
        """The page that links every report."""
        return self.out / "index.html"

    def page(self, outcome: Outcome) -> Path:
        """Find the page of one report."""
        return page_path(self.out, outcome.stem)

    @property
    def exit_code(self) -> int:
        """0 if every report was made, 1 if some failed or lack a target, 3 if the batch was stopped."""
        return 3 if self.stopped else int(bool(self.failed or self.left_out))


def run_batch(
    settings: Settings,
    *,
    areas: Sequence[str] = (),
    resume: bool = False,
    executor: Executor | None = None,
    stream: TextIO | None = None,
) -> BatchResult:
    """Make a report for every area, or for some.

    Everything that can be checked is checked, and everything computed, before the first report is begun.

    Parameters
    ----------
    settings : Settings
        Where the prepared data are, where to write, which scheme, metrics and notebook, how many workers.
    areas : sequence of str, optional
        Names or codes; every area with observations if none is given.
    resume : bool
        Leave reports as they are that an earlier run made from the same inputs with the same code.
    executor : concurrent.futures.Executor, optional
        What makes the reports, in place of the one that the settings name; its workers must see the
        folder of the run. `settings.jobs` is how many it makes at once.
    stream : text file, optional
        Where progress is told; standard error if not given.

    Returns
    -------
    BatchResult
        An area whose data are broken, or whose notebook fails, does not stop the others. A batch that is
        stopped, with Ctrl-C or because its cluster is lost, is recorded as far as it came.

    Raises
    ------
    BcfStatsError
        If the input cannot be used at all, or another run is writing to the folder; nothing has been written
        then. If the folder cannot be written to.
    """
    with sole_use(settings.out):
        return _run(settings, areas, resume, executor, stream)


def _run(
    settings: Settings, areas: Sequence[str], resume: bool, executor: Executor | None, stream: TextIO | None
) -> BatchResult:
    started = now()
    engine = chosen_engine(settings.engine)
    check_parameters(settings.notebook, Job("", "", "", "", "").parameters)
    check_memory()
    size = settings.jobs
    with nullcontext(Crew(executor, size)) if executor else open_crew(settings.executor, size) as crew:
        tables = settings.out / "tables"
        kept = kept_results(settings) if resume else None
        if kept is None:
            starts = executor is None and settings.executor == LOCAL
            _compute(settings, areas, started, engine if starts else "")
        results = kept or Results.load(tables)  # what the notebooks are to read
        jobs = _jobs(results, areas, settings.out)
        made_from = fingerprints(results, settings.notebook.read_bytes(), [job.area_code for job in jobs])
        jobs = [replace(job, fingerprint=made_from[job.area_code]) for job in jobs]
        left = [job for job in jobs if not (resume and is_made(settings.out, job.stem, job.fingerprint))]
        is_new = kept is None or not results_stand(settings.out, results)
        results = replace(results, **{name: pd.DataFrame() for name in READ_BY_REPORTS})  # takes no memory
        del kept
        record = Record(settings, results, jobs, started, len(jobs) - len(left))
        outcomes = _before(jobs, left)
        with writing(settings.out):
            _clear(settings.out)
        record.write(tuple(outcomes.values()), UNDER_WAY)
        write = partial(_write_results, results if is_new else None, settings.out)
        beside = int(len(results.windows) > MANY)
        with forked(write, beside) as answers, ThreadPoolExecutor(1) as waiting:
            written = waiting.submit(lambda: any(answer() for answer in answers) or write())
            return _made(crew, _kit(settings, engine), left, record, outcomes, written, stream)


def _compute(settings: Settings, areas: Sequence[str], started: datetime, engine: str) -> None:
    """Compute the tables of all areas and save them; what it took is given back to the system."""
    inputs = _inputs(settings)  # before they are read: a change meanwhile shows next time
    data = prepared_data(settings)
    _check_names(data, areas)  # before anything else is looked at
    data = data.at(scheme(settings.scheme, all_metrics(settings)))
    _check_names(data, areas)  # not there in the years of the scheme
    if engine:
        pool.start(engine)
    _results(settings, data, inputs, started).save(settings.out / "tables")


def _check_names(data: Data, areas: Sequence[str]) -> None:
    """Refuse a name that is of none of the areas there are."""
    if areas:
        _chosen(data.observations[["area_code", "area_name"]].drop_duplicates("area_code"), areas)


def _before(jobs: Sequence[Job], left: Sequence[Job]) -> dict[str, Outcome]:
    """Say what has become of every job before the first of those left is begun."""
    waiting = {job.area_code for job in left}
    return {
        job.area_code: replace(failure(job, NOT_YET).outcome, is_waiting=True)
        if job.area_code in waiting
        else Outcome(job.area_code, job.area_name, job.stem)
        for job in jobs
    }


def _clear(out: Path) -> None:
    """Make the folders of a run, without what a killed run was writing to them."""
    for folder in (out, out / "tables", out / "areas", out / "notebooks"):
        folder.mkdir(exist_ok=True)
        clear_parts(folder)


def _write_results(results: Results | None, out: Path) -> bool:
    if results is None:  # they stand
        return True
    write_csv(out / "results.csv", results_table(results))
    write_workbook(results, out / "results.xlsx")
    note_results(out, results)
    return True


def _inputs(settings: Settings) -> dict[str, Any]:
    return {
        "files": files_read(settings),
        "code": source_fingerprint(),
        "made_from": inputs_fingerprint(settings),
    }


def _results(settings: Settings, data: Data, read: dict[str, Any], started: datetime) -> Results:
    metrics = all_metrics(settings)
    rules = scheme(settings.scheme, metrics)
    wanted = {name: metrics[name] for name in chosen_metrics(settings) or metrics}
    data = data.of(*wanted)
    targets, left_out = read_all_targets(settings, data.areas)
    given: Any = {
        "metrics": wanted,
        "targets": None if targets is None else targets.loc[targets["metric"].isin(wanted)],
        "allocations": read_all_allocations(settings, data.areas),
        "trusted": vouched_for(settings),
        "each": in_processes if targets is None and len(data.observations) > MANY else map,
    }
    results = disclose(data, lambda seen: assess(seen, rules, **given), settings.disclosure)
    made = {
        "version": bcfstats.__version__,
        "created": day(started.date()),
        "inputs": [[entry["file"], entry["sha256"]] for entry in data.manifest["files"]],
        **read,
        "palette": settings.palette,
        "targets_left_out": left_out,
    }
    return replace(results, about=results.about | made)


def _jobs(results: Results, wanted: Sequence[str], out: Path) -> list[Job]:
    rows = _chosen(results.areas.fillna(""), wanted)
    banner = EXAMPLE if results.about["is_example"] else ""
    return [
        Job(
            stem=stem_of(row, out),
            area_code=row["area_code"],
            area_name=row["area_name"],
            title=f"{row['area_name']}: Better Care Fund metrics",
            banner=banner,
        )
        for row in rows
    ]


def _chosen(areas: pd.DataFrame, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Find the areas that are asked for, all of them where none is."""
    rows: list[dict[str, Any]] = areas.to_dict("records")
    if wanted:
        codes = codes_of(wanted, areas)
        rows = [row for row in rows if row["area_code"] in codes]
    if not rows:
        raise InputError("None of these areas has observations.", found=", ".join(wanted))
    return rows


def _kit(settings: Settings, engine: str) -> Kit:
    return Kit(
        notebook_name=settings.notebook.name,
        notebook=settings.notebook.read_text(encoding="utf-8"),
        folder=settings.out.resolve(),
        engine=engine,
        cell_seconds=settings.cell_seconds,
        memory_mib=settings.memory_mib,
        code=code_fingerprint(),
    )


def _made(
    crew: Crew,
    kit: Kit,
    left: Sequence[Job],
    record: Record,
    outcomes: dict[str, Outcome],
    written: "Future[bool]",
    stream: TextIO | None,
) -> BatchResult:
    """Make the reports that are left, tell progress and keep the record; outcomes stay in their order."""
    out = record.settings.out
    progress, stopped = Progress(len(left), stream), ""
    try:
        for job, made in as_they_end(crew, kit, left):
            outcomes[job.area_code] = outcome = _written(made, out)
            progress.tell(outcome.area_name, bool(outcome.reason))
            record.keep_up(outcomes.values())
            if written.done():
                written.result()  # without results, the rest is not made either
        written.result()
    except KeyboardInterrupt:
        stopped = "Stopped."
    except ClusterLostError as lost:
        stopped = str(lost)
    except NotDoneError:
        record.write(tuple(outcomes.values()), STOPPED)
        raise
    finally:
        progress.close()
    record.write(tuple(outcomes.values()), STOPPED if stopped else FINISHED)
    left_out = tuple(problem for _, problem in record.results.about.get("targets_left_out", ()))
    return BatchResult(out, tuple(outcomes.values()), stopped, left_out)


def _written(made: Made, out: Path) -> Outcome:
    """Write a report, the notebook last: it says that its page is there."""
    outcome = made.outcome
    page, notebook = page_path(out, outcome.stem), notebook_path(out, outcome.stem)
    try:
        if made.page:
            write_whole(page, made.page)
        else:
            page.unlink(missing_ok=True)  # a page of an earlier run would not be this run's
        if made.notebook:
            write_whole(notebook, made.notebook)
    except (OSError, NotDoneError) as error:
        return replace(outcome, reason=f"The report could not be written: {error}")
    return outcome
