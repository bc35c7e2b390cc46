"""What a run leaves behind besides its reports: results, failures, the index and the record."""

import csv
import io
import json
import platform
import time
import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

import bcfstats
from bcfstats.define.datafiles import read_toml
from bcfstats.files import now, safe_text, write_whole
from bcfstats.judge.columns import HEADINGS, data_dictionary
from bcfstats.judge.decision import KEYS, decision_table
from bcfstats.judge.results import PER_CENT, Results
from bcfstats.run.report import Job, Outcome
from bcfstats.run.resume import PACKAGES
from bcfstats.run.settings import Settings
from bcfstats.show.all_areas import areas_page
from bcfstats.words import EXAMPLES, day, number

TREND = ["slope", "slope_lower", "slope_upper", "slope_p", "q_value", "slope_unit", "n", "period", "method"]
TREND += ["note", "reason"]
SOURCE_LINE_LIMIT = 300


def results_table(results: Results) -> pd.DataFrame:
    """Lay every comparison and target of every area out as one tidy table, with the trend of its metric."""
    if results.windows.empty:
        return pd.DataFrame(columns=["area_code", "area_name", "metric", "payment"])
    names = {metric.id: metric for metric in results.metrics}
    slopes = results.trends.reindex(columns=["area_code", "metric", *TREND]).rename(
        columns={name: f"trend_{name}" for name in TREND}
    )
    decided = decision_table(results)
    known = pd.MultiIndex.from_frame(results.windows[KEYS])
    is_extra = (decided["verdict"] != "") & ~pd.MultiIndex.from_frame(decided[KEYS]).isin(known)
    extra = decided.loc[is_extra, [*KEYS, "period"]].rename(columns={"period": "outcome_period"})
    areas = results.areas.set_index("area_code")["area_name"]
    extra["area_name"] = extra["area_code"].map(areas).fillna("")
    frame = pd.concat([results.windows, extra], ignore_index=True) if len(extra) else results.windows.copy()
    frame.insert(3, "metric_name", [names[metric].short_name for metric in frame["metric"]])
    frame.insert(4, "unit", [names[metric].unit for metric in frame["metric"]])
    frame.insert(5, "polarity", [names[metric].polarity for metric in frame["metric"]])
    order = {metric: place for place, metric in enumerate(names)}
    return (
        frame.merge(slopes, on=["area_code", "metric"], how="left")
        .merge(decided.drop(columns=["period", "outcome_value"]), on=KEYS, how="left")
        .sort_values(
            ["area_code", "metric", "payment"], key=lambda c: c.map(order) if c.name == "metric" else c
        )
        .reset_index(drop=True)
    )


def failures_table(outcomes: Sequence[Outcome]) -> str:
    """Write the reports that could not be made as CSV: area, cell, the cell's first line, reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["area_code", "area_name", "cell", "source", "reason"])
    for outcome in outcomes:
        if outcome.reason:
            source = outcome.source.strip()[:SOURCE_LINE_LIMIT]
            cells = [outcome.area_code, outcome.area_name, outcome.cell, source, outcome.reason]
            writer.writerow(map(safe_text, cells))
    return out.getvalue()


UNDER_WAY, FINISHED, STOPPED = "under way", "finished", "stopped"
SECONDS_BETWEEN_RECORDS, RECORDS_SHARE = 20.0, 30  # one second in so many is spent on them at most


class Record:
    """The files that say what has come of a run: written before, during and after it."""

    def __init__(
        self, settings: Settings, results: Results, jobs: Sequence[Job], started: datetime, kept: int
    ) -> None:
        self.settings, self.results, self.jobs = settings, results, jobs
        self.started, self.kept = started, kept
        self.due = 0.0

    def write(self, outcomes: Sequence[Outcome], state: str) -> None:
        """Write `run.json`, `failures.csv` and the index as things stand."""
        began = time.monotonic()
        texts = {
            "run.json": self._facts(outcomes, state),
            "failures.csv": failures_table(outcomes),
            "index.html": self._index(outcomes, state),
        }
        for name, text in texts.items():
            encoding = "utf-8-sig" if name.endswith("csv") else "utf-8"
            write_whole(self.settings.out / name, text, encoding=encoding)
        ended = time.monotonic()
        self.due = ended + max(SECONDS_BETWEEN_RECORDS, RECORDS_SHARE * (ended - began))

    def keep_up(self, outcomes: Iterable[Outcome]) -> None:
        """Write them again where that was some time ago."""
        if time.monotonic() > self.due:
            self.write(tuple(outcomes), UNDER_WAY)

    def _facts(self, outcomes: Sequence[Outcome], state: str) -> str:
        """What was run: versions, settings, inputs with their checksums, and what has come of it."""
        waiting = sum(outcome.is_waiting for outcome in outcomes)
        failed = sum(bool(outcome.reason) for outcome in outcomes) - waiting
        written = now().isoformat(timespec="seconds")
        record = {
            "state": state,
            "reports": {
                "of": len(outcomes),
                "made": len(outcomes) - failed - waiting,
                "failed": failed,
                "not_made_yet": waiting,
                "kept_from_before": self.kept,
            },
            "bcfstats": bcfstats.__version__,
            "python": platform.python_version(),
            "system": platform.system(),
            "packages": {name: version(name) for name in PACKAGES},
            "started": self.started.isoformat(timespec="seconds"),
            "written": written,
            "ended": None if state == UNDER_WAY else written,
            "settings": self.settings.as_record(),
            "about": self.results.about,
            "areas": [outcome.area_code for outcome in outcomes],
            "fingerprints": {job.area_code: job.fingerprint for job in self.jobs},
        }
        return json.dumps(record, indent=1, default=str, ensure_ascii=False)

    def _index(self, outcomes: Sequence[Outcome], state: str) -> str:
        """The page that lists every area with a link to its report, or why there is none."""
        reports = {made.area_code: f"areas/{made.stem}.html" for made in outcomes if not made.reason}
        failures = {one.area_code: one.reason for one in outcomes if one.reason and not one.is_waiting}
        waiting = [one.area_code for one in outcomes if one.is_waiting]
        progress = ""
        if waiting:
            written = now()
            progress = (
                f"{number(len(waiting))} of {number(len(outcomes))} are not made yet: this run was {state} "
                f"on {day(written.date())} at {written:%H:%M}. 'bcfstats run --resume' makes what is left, "
                "unless a run is still at it."
            )
        return areas_page(self.results, reports, failures, waiting, progress)


MISSING, CONFIDENTIAL, NO_TEXT = "[x]", "[c]", "none"
NOTES = {
    "missing": f"{MISSING} means not available: not published, or not computed for the reason given.",
    "suppressed": f"{CONFIDENTIAL} means suppressed: a small number, or a figure that would give one away.",
    "limits": "Limits are of 95% intervals and allow for noise within the period or periods only.",
}
LEGEND = [NOTES["missing"], NOTES["suppressed"], f"{NO_TEXT} means that there is nothing to say."]
HIDDEN = r"suppressed|small[ -]number"
SHEETS: dict[str, dict[str, str]] = read_toml(Path(__file__).with_name("workbook.toml"))
FIGURES = (
    "numerator",
    "denominator",
    "value",
    "lower",
    "upper",
    "change",
)  # what a name of numbers ends with


def write_workbook(results: Results, path: Path) -> None:
    """Write the comparisons, trends and areas of a run as `results.xlsx`.

    Every sheet holds one marked-up table that starts in the first column, without merged or blank cells;
    shorthand says why a number is missing, and the notes explain it.
    """
    names = {metric.id: metric.short_name for metric in results.metrics}
    areas = results.areas.set_index("area_code")["area_name"]
    sheets = {}
    if len(results.windows):  # a table without rows gets no sheet
        comparisons = _comparisons(results)
        sheets["Comparisons"] = _sheet(comparisons, "comparisons", "Every comparison of two periods", results)
    if len(results.trends):
        trends = results.trends.assign(
            metric_name=results.trends["metric"].map(names), area_name=results.trends["area_code"].map(areas)
        )
        shown = _filled(trends, "trends", "reason")
        sheets["Trends"] = _sheet(shown, "trends", "Trend of each metric", results)
    shown = _filled(results.areas, "areas", None)
    sheets["Areas"] = _sheet(shown, "areas", "Areas in this workbook", results)
    sheets["Columns"] = _sheet(_columns(), "columns", "What every column means", results)
    notes = pd.DataFrame({"Note reference": list(NOTES), "Note text": list(NOTES.values())})
    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # gptables' use of pandas
        book = _gptables().produce_workbook(
            filename=out,
            sheets=sheets,
            cover=_cover(results),
            notes_table=notes,
            workbook_options={"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True},
        )
        book.set_properties({"created": now().astimezone(UTC).replace(tzinfo=None)})
        book.close()
    write_whole(path, out.getvalue())


def _cover(results: Results) -> Any:
    about = results.about
    intro = [EXAMPLES] if about["is_example"] else []
    intro += ["Baselines, outcomes, changes and trends of Better Care Fund metrics by area.", *LEGEND]
    made = f"Made by bcfstats {about.get('version', '')} on {about.get('created', 'an unknown date')}."
    scheme = _as_written(f"Payment scheme: {about['scheme_title']} ({about['scheme']}).")
    return _gptables().Cover(
        cover_label="Cover",
        title="Better Care Fund metrics by area",
        intro=intro,
        about=[made, scheme, *about.get("disclosure", [])],
    )


def _sheet(table: pd.DataFrame, name: str, title: str, results: Results) -> Any:
    marks = {heading: "$$limits$$" for heading in table if "limit" in heading}
    first = next((heading for heading in table if heading.endswith(("value", "Slope a year"))), None)
    marks |= {first: "$$missing$$ $$suppressed$$"} if first else {}
    return _gptables().GPTable(
        table=table,
        table_name=name,
        title=title,
        subtitles=[EXAMPLES] if results.about["is_example"] else [],
        legend=LEGEND,
        table_notes=marks,
        index_columns={},
    )


def _comparisons(results: Results) -> pd.DataFrame:
    frame = results_table(results)
    hidden = {
        side: frame[f"{side}_reason"].fillna("").str.contains(HIDDEN, regex=True).to_numpy()
        for side in ("baseline", "outcome")
    }
    hidden["change"] = hidden["baseline"] | hidden["outcome"]
    for start, rows in hidden.items():
        for name in frame.select_dtypes("float"):
            if str(name).startswith(start):
                frame[name] = frame[name].astype(object).mask(frame[name].isna() & rows, CONFIDENTIAL)
    return _filled(frame, "comparisons", None)


def _columns() -> pd.DataFrame:
    """Lay the data dictionary out, with the heading that a column has in this workbook."""
    dictionary = data_dictionary()
    shown = dictionary["tables"].str.contains(r"\b(?:results|trends|areas)\b")
    headings = dictionary["name"].map({**SHEETS["comparisons"], **SHEETS["trends"], **SHEETS["areas"]})
    dictionary.insert(1, "heading", headings.where(shown).fillna(""))
    names = {"heading": "Heading in this workbook", **HEADINGS}
    return pd.DataFrame({names[str(name)]: dictionary[name].map(_text) for name in dictionary})


def _filled(frame: pd.DataFrame, sheet: str, reason: str | None) -> pd.DataFrame:
    """Choose and name columns, and write a shorthand or a word in every cell that would be blank."""
    headings = SHEETS[sheet]
    chosen = frame[list(headings)]
    hidden = (
        frame[reason].fillna("").str.contains(HIDDEN, regex=True) if reason else pd.Series(False, frame.index)
    )
    columns = {}
    for name, heading in headings.items():
        cells = chosen[name].astype(object)
        if chosen[name].dtype == float or name.rpartition("_")[2] in FIGURES:
            marked = cells.mask(chosen[name].isna() & hidden, CONFIDENTIAL)
            columns[heading] = marked.where(marked.notna(), MISSING)
        else:
            columns[heading] = cells.fillna("").map(_text)
    return pd.DataFrame(columns).reset_index(drop=True)


def _text(cell: object) -> object:
    """Write text so that no cell is blank, a formula, or signs alone, which a screen reader may skip."""
    if not isinstance(cell, str):
        return cell
    if any(sign.isalnum() and sign.isascii() for sign in cell):
        return safe_text(_as_written(cell))
    what = "other letters" if any(map(str.isalnum, cell)) else "signs only"
    return {"": NO_TEXT, PER_CENT: "per cent"}.get(cell, f"{what}: {cell}")


def _as_written(text: str) -> str:
    """Keep gptables from taking text for a link or for a reference to a note."""
    return text.replace("](", "] (").replace("$$", "$ $")


def _gptables() -> Any:
    """Import gptables, which leaves the file of its theme open when it is first imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        import gptables

    return gptables
