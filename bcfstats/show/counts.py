"""Findings and verdicts counted by metric and region: the cases, their counts in tables, and the maps."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import payment_key
from bcfstats.judge.national import NO_REGION
from bcfstats.judge.results import AGAINST_NOISE, LATEST, NOT_COMPARED
from bcfstats.show.page import fill, html_table, linked
from bcfstats.show.sentences import payment
from bcfstats.show.tile_map import SEVERAL, Answers, Layout, tile_map
from bcfstats.words import capital, number

COLUMNS = ["area_code", "region", "metric", "payment", "category", "against", "baseline_period", "period"]
ALL_AREAS = "All areas"
LOCAL = "Metrics of the local menu"
NOISE_ONLY = "Against noise only"


def findings(windows: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Choose the comparisons to count, one row each: of each metric the clearest there are."""
    if windows.empty:
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.concat([_clearest(rows) for _, rows in windows.groupby("metric", sort=False)])
    named = {"finding": "category", "finding_against": "against", "outcome_period": "period"}
    return _with_region(rows.rename(columns=named), areas)


def _clearest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep of one metric the payments that could be compared, or else its latest year."""
    paid = rows["payment"] != LATEST
    compared = rows["finding"].ne(NOT_COMPARED).groupby(rows["payment"]).transform("any")
    if (paid & compared).any():
        return rows.loc[paid & compared]
    return rows if paid.all() else rows.loc[~paid]


def verdicts(assessments: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Lay out the verdicts on proposed targets as cases to count, one row a target."""
    named = {"verdict": "category", "target_period": "period"}
    return _with_region(assessments.drop(columns="against", errors="ignore").rename(columns=named), areas)


def _with_region(rows: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    region = areas.drop_duplicates("area_code").set_index("area_code")["region"]
    known = rows["area_code"].map(region).fillna("").replace("", NO_REGION)
    return rows.assign(region=known).reindex(columns=COLUMNS).reset_index(drop=True)


def in_order(cases: pd.DataFrame, metrics: Iterable[str]) -> pd.DataFrame:
    """Sort cases by metric, in the order given, then by payment as time goes by, the latest year last."""
    place = {name: at for at, name in enumerate(metrics)}
    starts = {name: "~" if name == LATEST else payment_key(name) for name in cases["payment"].unique()}
    keys = pd.DataFrame({"metric": cases["metric"].map(place), "payment": cases["payment"].map(starts)})
    return cases.loc[keys.sort_values(["metric", "payment"], kind="stable").index]


def count(cases: pd.DataFrame, by: Sequence[str], of: Answers) -> pd.DataFrame:
    """Count the cases of each category, a column each, apart for each value of the columns `by`."""
    sizes = cases.groupby([*by, "category"]).size().unstack(fill_value=0)
    seen = cases[list(by)].drop_duplicates()
    rows = pd.MultiIndex.from_frame(seen) if len(by) > 1 else pd.Index(seen[by[0]])
    return sizes.reindex(index=rows, columns=of.names, fill_value=0)


def in_line(counts: "pd.Series[int]", of: Answers) -> str:
    """Write counts of categories in a line, leaving out what there is none of."""
    return ", ".join(f"{number(n)} {of.words[str(name)]}" for name, n in counts.items() if n)


def for_payment(metric: Metric, label: str) -> str:
    """Name a metric and the payment it is compared or judged for."""
    return f"{metric.short_name}, {payment(label)}"


@dataclass(frozen=True)
class Mapped:
    """What one map shows: its title, and a case an area."""

    title: str
    cases: pd.DataFrame

    def by_area(self) -> dict[str, str]:
        """Give each area's category; areas with different ones have several."""
        found = self.cases.groupby("area_code")["category"]
        names = found.first().where(found.nunique() == 1, SEVERAL)
        return {str(code): str(name) for code, name in names.items()}


def counts_section(
    cases: pd.DataFrame,
    of: Answers,
    areas: pd.DataFrame,
    plan: Layout,
    metrics: Mapping[str, Metric],
    reports: Mapping[str, str] | None = None,
) -> Markup:
    """Count the cases by metric and by region, and draw them on maps, whose parts must stand on the page.

    `areas` are the rows of the table of the maps, which links the reports by area code.
    """
    cases = in_order(cases, metrics)
    mapped = list(_mapped(cases, of, metrics)) if len(cases) and plan.spots else []
    return fill(
        "counts.html.j2",
        answers=of,
        tables=_tables(cases, of, metrics) if len(cases) else [],
        maps=[_map(one, of, plan) for one in mapped],
        data=_data(mapped, of, areas, reports or {}) if mapped else "",
        plan=plan,
    )


def _tables(cases: pd.DataFrame, of: Answers, metrics: Mapping[str, Metric]) -> list[Markup]:
    by_metric = count(cases, ["metric", "payment"], of)
    if of.id == "finding":
        by_metric[NOISE_ONLY] = _noise_only(cases).groupby([cases["metric"], cases["payment"]]).sum()
    by_metric.index = pd.Index([for_payment(metrics[name], label) for name, label in by_metric.index])
    kind = f"{capital(of.id)}s by"
    return [
        _count_table(by_metric, f"{kind} metric: number of {of.of_all}", of, "Metric"),
        _region_table(cases, of, f"{kind} region: number of {of.of_all}, all metrics together"),
    ]


def _region_table(cases: pd.DataFrame, of: Answers, caption: str) -> Markup:
    counts = count(cases, ["region"], of).sort_index()
    counts.loc[ALL_AREAS] = counts.sum()
    return _count_table(counts, caption, of, "Region")


def _count_table(counts: pd.DataFrame, caption: str, of: Answers, first: str) -> Markup:
    headings = [first, *(capital(words) for words in of.words.values()), "All"]
    rows = [[name, *map(number, row), number(row.sum())] for name, row in counts[of.names].iterrows()]
    if NOISE_ONLY in counts:
        headings.append(NOISE_ONLY)
        rows = [[*row, number(noise)] for row, noise in zip(rows, counts[NOISE_ONLY], strict=True)]
    return html_table(headings, rows, caption, numeric=range(1, len(headings)))


def _mapped(cases: pd.DataFrame, of: Answers, metrics: Mapping[str, Metric]) -> Iterator[Mapped]:
    """Choose what is mapped: what says something; targets on metrics of the local menu together."""
    local = cases["metric"].map(lambda name: metrics[name].group == "local")
    for (metric, label), rows in cases.loc[~local].groupby(["metric", "payment"], sort=False):
        if (rows["category"] != of.nothing).any():
            yield Mapped(for_payment(metrics[metric], label), rows)
    if of.id == "verdict":
        for label, rows in cases.loc[local].groupby("payment"):
            if (rows["category"] != of.nothing).any():
                yield Mapped(f"{LOCAL}, {payment(str(label))}", rows)


def _map(one: Mapped, of: Answers, plan: Layout) -> dict[str, object]:
    sizes = one.cases["category"].value_counts()
    shares = [f"{number(sizes.get(name, 0))} {of.words[name]}" for name in of.headline]
    heading = f"{one.title}: of {number(len(one.cases))} {of.of_one}, {', '.join(shares)}"
    by_area = one.by_area()
    without = sum(code not in by_area for code in plan.spots)
    missing = f"; {number(without)} with {of.none}" if without else ""
    line = in_line(count(one.cases.assign(all=""), ["all"], of).iloc[0], of)
    noise = _noise_words(int(_noise_only(one.cases).sum()), len(one.cases))
    parts = [f"Tile map. {heading}.", *_region_words(one.cases, of), noise]
    alt = " ".join(filter(None, [*parts, "Each area is in the table of the maps."]))
    return {
        "heading": heading,
        "picture": tile_map(plan, by_area, of, alt),
        "caption": " ".join(filter(None, [f"{capital(line)}{missing}.", _periods(one.cases), noise])),
        "table": _region_table(one.cases, of, f"{one.title}: number of {of.of_one} by region"),
    }


def _noise_only(cases: pd.DataFrame) -> "pd.Series[bool]":
    """Say which findings allow for the noise within the two periods only."""
    return cases["against"] == AGAINST_NOISE


def _noise_words(some: int, of: int) -> str:
    if some == 0:
        return ""
    which = "All are" if some == of else f"{number(some)} of these {'is' if some == 1 else 'are'}"
    why = "months are missing, or usual movement is not known"
    return f"{which} held against noise within the two periods only: {why}."


def _region_words(cases: pd.DataFrame, of: Answers) -> Iterator[str]:
    """Say of each answer of the headline how many there are in which region."""
    counts = count(cases, ["region"], of).sort_index()
    for name in of.headline:
        some = counts.loc[counts[name] > 0]
        shares = [f"{region} {row[name]} of {row.sum()}" for region, row in some.iterrows()]
        yield f"{capital(of.words[name])}: {', '.join(shares) or 'none'}."


def _periods(cases: pd.DataFrame) -> str:
    """Say which period is held against which, where all cases have the same."""
    pairs = cases[["period", "baseline_period"]].replace("", None).dropna().drop_duplicates()
    if len(pairs) != 1:
        return ""
    after, before = (Period.parse(text).label for text in pairs.iloc[0])
    return f"{after} against {before}."


def _data(mapped: list[Mapped], of: Answers, areas: pd.DataFrame, reports: Mapping[str, str]) -> Markup:
    """Write the table of the maps: what each area's tile shows, in words."""
    shown = [one.by_area() for one in mapped]
    words = of.words | {SEVERAL: "several, see the report"}
    rows = [
        [linked(area.area_name, reports.get(area.area_code)), area.region or "not known"]
        + [words.get(by_area.get(area.area_code, ""), of.none) for by_area in shown]
        for area in areas.fillna("").sort_values("area_name").itertuples()
    ]
    headings = ["Area", "Region", *(one.title for one in mapped)]
    return html_table(headings, rows, f"{capital(of.id)}s of each area, as the maps show them")
