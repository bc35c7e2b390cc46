"""What there is and what is wrong, targets judged and added up, methods tried."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import LOCAL, Scheme, schemes_with
from bcfstats.errors import InputError
from bcfstats.files import fitting, write_csv, write_whole
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.interventions import ADDS_UP, BY_ITSELF, goals_from_work
from bcfstats.judge.kinds import counted_by_month
from bcfstats.judge.national import ENGLAND, Overview, national_overview
from bcfstats.judge.tracking import MISSED, OFF_TRACK, latest, phase_plan, track
from bcfstats.judge.validation import Validation, validate_observations
from bcfstats.judge.verdicts import GOOD, UNKNOWN, VERDICTS, counted, in_short_sentences, words_of
from bcfstats.read.data import Data
from bcfstats.read.formats import plain
from bcfstats.read.observations import check_observations, problems_by_area
from bcfstats.read.papers import read_allocations, read_work
from bcfstats.read.prepare import Prepared
from bcfstats.read.recognise import KNOWN_KINDS, NOT_USED
from bcfstats.read.targets import read_rows_of_targets
from bcfstats.run.settings import Evidence, Settings, all_metrics, evidence, only, prepared_data
from bcfstats.show.all_areas import left_out, overview_page, tracking_page
from bcfstats.show.decisions import recommended_words
from bcfstats.show.sentences import value
from bcfstats.show.validation_page import reliability_svg, validation_page
from bcfstats.words import file_stem, in_10, listed, number, plural, signed

NOTHING = (
    "There is nothing to make reports from: put files as they were published into the folder of raw files. "
    f"Known are: {'; '.join(KNOWN_KINDS)}."
)
SHOWN = 20  # lines of detail; the manifest has them all


def describe_prepared(prepared: Prepared) -> list[str]:
    """Say what `prepare` read, refused and wrote; the manifest has all of it."""
    totals, files = prepared.manifest["totals"], prepared.manifest["files"]
    known = [entry for entry in files if "kind" in entry]
    read = [entry for entry in known if entry["kind"] != NOT_USED and "warnings" in entry]
    unused = [
        f"Not used: {entry['file']}: {'; '.join(entry.get('warnings', [entry['kind']]))}"
        for entry in known
        if entry not in read
    ]
    kinds = pd.Series([entry["kind"] for entry in read], dtype=object).value_counts(sort=False)
    observations = prepared.data.observations
    refused = [
        f"Row refused: {_place(entry['file'], row['where'])}: {row['reason']}"
        + (f" (found {row['found']})" if row["found"] not in row["reason"] else "")
        for entry in read
        for row in entry.get("refused_rows", [])
    ]
    failed = [
        f"Check failed: {entry['file']}: {check['name']}: {check['detail']}"
        for entry in read
        for check in entry.get("checks", [])
        if not check["passed"]
    ]
    decided = prepared.manifest["decisions"]
    notes = [
        f"Note: {entry['file']}: {warning}"
        for entry in read
        if entry["kind"] == plain.KIND
        for warning in entry.get("warnings", [])
    ]
    return [
        *(f"{count:>5} {kind}" for kind, count in kinds.items()),
        *_some([f"Not read: {name}: {why}" for name, why in prepared.manifest["not_read"].items()]),
        *_some(unused),
        *(f"File refused: {name}: {reason}" for name, reason in prepared.refused_files.items()),
        *_some(refused),
        *_some(failed),
        *_some([f"Set apart: {sentence}" for sentence in decided["set_apart"]]),
        *_some([f"Left out: {sentence}" for sentence in decided["conflicts"]]),
        *_some([*notes, *(f"Note: {sentence}" for sentence in decided["areas"])]),
        f"{plural(len(read), 'file')} read, {number(len(unused))} not used, "
        f"{number(totals['files_refused'])} refused; "
        f"{plural(totals['rows_read'], 'row')} read, {number(totals['rows_refused'])} refused; "
        f"{len(observations):,} observations of {plural(observations['metric'].nunique(), 'metric')} "
        f"in {plural(observations['area_code'].nunique(), 'area')}.",
        *([] if len(observations) else [NOTHING]),
    ]


def _place(file: str, where: str) -> str:
    """Name a file and a place in it; most places name their file themselves."""
    return f"{file}, {where.removeprefix(f'{Path(file).name}, ')}"


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    return lines if more <= 0 else [*lines[:SHOWN], f"... and {more} more like these: see manifest.json"]


def describe_data(settings: Settings) -> tuple[int, list[str]]:
    """Say, per metric, what there is and what is broken; exit code 1 where an area's data are broken."""
    data = prepared_data(settings)
    metrics = all_metrics(settings)
    data = replace(data, observations=only(settings, data.observations, data.areas))
    broken = problems_by_area(check_observations(data.observations, metrics))
    lines = list(_metric_lines(data))
    for code, problems in list(broken.items())[:SHOWN]:
        lines.append(f"Broken: {code}: {problems[0]}" + (" and more" if len(problems) > 1 else ""))
    if not broken:
        lines.append("No area's data are broken.")
    return (1 if broken else 0), lines


def describe_targets(
    settings: Settings,
    targets: Path,
    *,
    allocations: Path | None = None,
    out: Path | None = None,
    why: bool = False,
) -> tuple[int, list[str]]:
    """Judge a file of targets, one line each and a total, with the sentences that say why where asked."""
    read = _read(settings, targets)
    table = _assessed(read, allocations)
    if out is not None:
        write_csv(out, table)
    lines = [read.rules.no_plan] if read.rules.no_plan else []
    for row in table.to_dict("records"):
        lines.append(_target_line(row, read.metrics[row["metric"]]))
        lines += [f"  {row['reasons']}"] if why else []
        lines += [f"  Note: {row['warnings']}."] if why and row["warnings"] else []
    lines += [*read.problems, *_other_schemes(read)]
    lines.append(f"{plural(len(table), 'target')}: {counted(table['verdict'])}.")
    noted = int((table["warnings"] != "").sum())
    lines += [] if why or not noted else [f"{plural(noted, 'target')} with notes: --why shows them."]
    lines += [] if out is None else [f"Reasons and all columns: {out}"]
    bad = (table["verdict"] != GOOD).any() or read.problems
    return (1 if bad else 0), [read.rules.said(line) for line in lines]


@dataclass(frozen=True, eq=False)
class _Proposed(Evidence):
    """What targets are judged by, and the rows of a file of them."""

    targets: pd.DataFrame
    problems: list[str]

    @property
    def given(self) -> tuple[pd.DataFrame, pd.DataFrame, Scheme]:
        """Usable observations, targets and scheme, as every judgement takes them."""
        return self.usable, self.targets, self.rules


def _read(settings: Settings, targets: Path) -> _Proposed:
    """Read prepared data and a file of targets, or a plan of goals in the same form."""
    by = evidence(settings)
    read = read_rows_of_targets(targets, areas=by.data.areas, metrics=by.metrics, scheme=by.rules)
    rows = only(settings, read.rows, by.data.areas)
    problems = [f"Left out: {problem}" for problem in read.problems]
    return _Proposed(**vars(by), targets=rows, problems=problems)


def _assessed(read: _Proposed, allocations: Path | None) -> pd.DataFrame:
    """Judge the targets, every area named."""
    areas = read.data.areas
    money = None if allocations is None else read_allocations(allocations, read.rules, areas=areas)
    table = assess_ambitions(*read.given, allocations=money, metrics=read.metrics)
    codes = read.targets["area_code"]
    named = codes.map(areas.set_index("area_code")["area_name"]).fillna(codes)
    table["area_name"] = table["area_name"].where(table["area_name"] != "", named)
    return table


def _target_line(row: Mapping[str, Any], metric: Metric) -> str:
    """Tell a target in a line: verdict, value, what is recommended, the chance if nothing is done."""
    start = f"{row['area_name']}, {metric.short_name}, {row['payment']}"
    if row["verdict"] == UNKNOWN and not np.isfinite(row["p_paid_do_nothing"]):
        why = " ".join(islice(in_short_sentences(row["why_unknown"]), 2))
        return f"{start}: {words_of(row)}. {why}"
    size, chance = row["ambition_percent"], row["p_paid_do_nothing"]
    advice, ends = row["recommended"], (row["challenging_value"], row["achievable_value"])
    clauses = [
        f"target {value(row['target_value'], metric)}" + (f" ({signed(size)}%)" if np.isfinite(size) else ""),
        *([f"recommended: {recommended_words(advice, *ends, metric)}"] if advice else []),
        *([f"{in_10(chance)} paid for doing nothing"] if np.isfinite(chance) else []),
    ]
    return f"{start}: {words_of(row)}: {'; '.join(clauses)}"


def _other_schemes(read: _Proposed) -> Iterator[str]:
    """Name the schemes that ask for a metric which the one in use does not."""
    asked = {name for payment in read.rules.payments for name in payment.metrics}
    for name in dict.fromkeys(read.targets["metric"]):
        metric = read.metrics[name]
        fit = [] if name in asked or metric.group == LOCAL else schemes_with(metric)
        if fit:
            yield (
                f"{metric.short_name} is not a metric of scheme {read.rules.id}, but of {listed(fit)}. "
                "To judge by one of them, name it with --scheme."
            )


def _metric_lines(data: Data) -> Iterator[str]:
    for metric, rows in data.observations.groupby("metric", sort=True):
        usable = rows["status"].isin(["ok", "rounded"]) & np.isfinite(rows["value"].to_numpy(dtype=float))
        span = Period(rows["period_start"].min().date(), rows["period_end"].max().date())
        marks = rows["status"].value_counts()
        odd = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in marks.items() if name != "ok")
        areas, figures = rows["area_code"].nunique(), int(usable.sum())
        yield f"{metric}: {areas} areas, {span.label}, {figures:,} usable figures" + (
            f" ({odd})" if odd else ""
        )


OVERVIEW_PAGE = "overview.html"
OVERVIEW_TABLES = ("composite", "verdicts", "plans")


def describe_overview(
    settings: Settings, targets: Path, *, allocations: Path | None = None, out: Path | None = None
) -> tuple[int, list[str]]:
    """Add up a file of targets, say what stands out, and write page and tables where asked."""
    read = _read(settings, targets)
    data, table = read.data, _assessed(read, allocations)
    overview = national_overview(table, data.areas)
    if out is not None:
        for name in OVERVIEW_TABLES:
            write_csv(out / f"{name}.csv", getattr(overview, name))
        page = overview_page(overview, data.areas, read.metrics, is_example=data.is_example)
        write_whole(out / OVERVIEW_PAGE, page)
    lines = [*_composite_lines(overview, read.metrics), *overview.notes, *_outlying_lines(overview.plans)]
    lines += read.problems
    lines += [] if out is None else [f"Page and tables: {out / OVERVIEW_PAGE}"]
    return (1 if (table["verdict"] == UNKNOWN).any() or read.problems else 0), lines


def _composite_lines(overview: Overview, metrics: Mapping[str, Metric]) -> list[str]:
    """Give each metric and payment a line for England, then one for each region."""
    verdicts = overview.verdicts.set_index(["metric", "payment", "region"])
    regions = overview.composite["region"] != ENGLAND
    ordered = overview.composite.assign(is_region=regions).sort_values(
        ["metric", "payment", "is_region", "region"], kind="stable"
    )
    lines = []
    for row in ordered.loc[~ordered["is_region"] | (ordered["assessed"] > 0)].to_dict("records"):
        metric = metrics[row["metric"]]
        counts = verdicts.loc[(row["metric"], row["payment"], row["region"])]
        judged = ", ".join(f"{count} {VERDICTS[str(name)].words}" for name, count in counts.items() if count)
        start = "    " if row["is_region"] else f"{metric.short_name}, {row['payment']}, "
        values = (
            f": {value(row['baseline_value'], metric)} to {value(row['target_value'], metric)} "
            f"({signed(row['ambition_percent'])}%)"
        )
        shown = values if np.isfinite(row["target_value"]) else ""
        some = "" if row["assessed"] in (0, row["boards"]) else f"{number(row['assessed'])} of "
        boards = "board" if row["boards"] == 1 else "boards"
        missing = f"; left out: {left_out(row)}" if some else ""
        of = f"{some}{number(row['boards'])} {boards}"
        lines.append(f"{start}{row['region']}, {of}{shown}: {judged}{missing}")
    return lines


def _outlying_lines(plans: pd.DataFrame) -> list[str]:
    odd = plans.loc[plans["outlying"] != ""]
    return [
        f"Outlying: {row.area_name or row.area_code}, {row.metric}, {row.payment}: {row.outlying}"
        for row in odd.itertuples()
    ]


PLAN_PAGE = "plan.html"


def describe_tracking(
    settings: Settings, plan: Path, *, until: str | None = None, out: Path | None = None
) -> tuple[int, list[str]]:
    """Follow the goals of a plan, one line each, and write pages and the return's table where asked."""
    read = _read(settings, plan)
    tracked = track(*read.given, known_until=until, metrics=read.metrics)
    last = latest(tracked)
    named = (last["area_name"].where(last["area_name"] != "", last["area_code"])).tolist()
    lines = [
        f"{name}: {status}. {why}"
        for name, status, why in zip(named, last["status"], last["why"], strict=True)
    ]
    if out is not None:
        write_csv(out / "plan.csv", tracked)
        is_example, word = read.data.is_example, read.rules.word
        write = partial(tracking_page, metrics=read.metrics, is_example=is_example, word=word)
        links = {}
        for code, rows in tracked.groupby("area_code", sort=False):
            name = str(rows["area_name"].iloc[0] or code)
            links[str(code)] = fitting(out, file_stem(str(code), name), ".html") + ".html"
            write_whole(out / links[str(code)], write(rows, board=name))
        write_whole(out / PLAN_PAGE, write(tracked, links=links))
        lines.append(f"Pages and table: {out / PLAN_PAGE}")
    lines += read.problems
    return (1 if last["status"].isin([OFF_TRACK, MISSED]).any() or read.problems else 0), lines


def describe_phases(
    settings: Settings, plan: Path, out: Path, *, by: str, path: str, start: str | None
) -> tuple[int, list[str]]:
    """Phase the goals of a plan by month or quarter, and write them as a plan that `track` follows."""
    read = _read(settings, plan)
    table = phase_plan(*read.given, by=by, path=path, start=start, metrics=read.metrics)
    phased = table.loc[table["reason"] == ""].drop(columns="reason")
    write_csv(out, phased)
    failed = table.loc[table["reason"] != ""]
    lines = [f"Not phased: {row.area}, {row.metric}: {row.reason}" for row in failed.itertuples()]
    lines += read.problems
    return (1 if lines else 0), [*lines, f"{len(phased):,} rows, whole people: {out}"]


def describe_goals(
    settings: Settings, work: Path, plan: Path, *, out: Path | None = None
) -> tuple[int, list[str]]:
    """Add schemes of work up to goals, one line each, and write the table where asked."""
    read = _read(settings, plan)
    metrics, areas = read.metrics, read.data.areas
    schemes = read_work(work, areas, metrics)
    table = goals_from_work(read.usable, schemes, read.targets, read.rules, metrics=metrics)
    names = areas.set_index("area_code")["area_name"]
    lines = [
        f"{names.get(row['area_code'], row['area_code'])}, {metrics[row['metric']].short_name}, "
        f"{Period.parse(row['period']).label}: {row['finding']}. {row['why']}"
        for row in table.to_dict("records")
    ]
    if out is not None:
        write_csv(out, table)
        lines.append(f"All columns: {out}")
    lines += read.problems
    is_good = table["finding"].isin([ADDS_UP, BY_ITSELF]).all() and not read.problems
    return (0 if is_good else 1), lines


VALIDATION_PAGE = "validation.md"


def write_validation(settings: Settings, *, until: date | None = None) -> tuple[Path, list[Validation]]:
    """Validate every monthly metric that has enough months, up to a day, and write the page."""
    data, metrics = prepared_data(settings), all_metrics(settings)
    observations = only(settings, data.observations, data.areas)
    monthly = observations.loc[observations["frequency"] == "month", "metric"].unique()
    rates = [name for name, metric in metrics.items() if counted_by_month(metric)]
    names = {name: metrics[name].name for name in sorted(set(monthly) & set(rates))}
    tried = [
        validate_observations(data.observations, metrics[metric], name=name, until=until)
        for metric, name in names.items()
    ]
    validations = [validation for validation in tried if validation is not None]
    if not validations:
        raise InputError(
            "No monthly metric has enough months to validate.",
            where=str(settings.processed),
            do="Prepare at least two and a half years of months without a gap.",
        )
    page = settings.out / VALIDATION_PAGE
    write_whole(page, "# Validation\n\n" + validation_page(validations))
    for i, validation in enumerate(validations, start=1):
        if not validation.reliability.empty:
            picture = reliability_svg(validation.reliability, f"Reliability: {validation.name}")
            write_whole(settings.out / f"reliability-{i}.svg", picture)
    return page, validations
