"""A section of the index or the overview: counts by metric and region, maps, and the table of the maps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.judge.results import AGAINST_NOISE
from bcfstats.show.page import fill
from bcfstats.show.parts import html_table
from bcfstats.show.tallies import ALL_AREAS, LOCAL, Kind, comparison, count, in_order, payment_words, told
from bcfstats.show.tile_map import SEVERAL, Layout, tile_map
from bcfstats.words import number

NOISE_ONLY = "Against noise only"
NOUNS = {"finding": ("areas", "comparisons", "no result"), "verdict": ("targets", "targets", "no target")}


@dataclass(frozen=True)
class Mapped:
    """What one map shows: its title, and a case an area."""

    title: str
    cases: pd.DataFrame

    def answers(self) -> dict[str, str]:
        """Give each area's category; areas with different ones have several."""
        found = self.cases.groupby("area_code")["category"]
        answers = found.first().where(found.nunique() == 1, SEVERAL)
        return {str(code): str(name) for code, name in answers.items()}


def tally_section(
    cases: pd.DataFrame,
    of: Kind,
    areas: pd.DataFrame,
    plan: Layout,
    metrics: Mapping[str, Metric],
    reports: Mapping[str, str] | None = None,
) -> Markup:
    """Count the cases by metric and by region, and draw them on maps.

    Parameters
    ----------
    cases : DataFrame
        From `findings` or `verdicts`.
    of : Kind
        What they are.
    areas : DataFrame
        With `area_code`, `area_name` and `region`: rows of the table of the maps.
    plan : Layout
        Of these areas; its parts must stand on the page.
    metrics : mapping of str to Metric
        In the order they are to be shown in.
    reports : mapping of str to str, optional
        By area code: the address of its report, for the table of the maps to link.

    Returns
    -------
    Markup
        A heading of the second level and what belongs to it.
    """
    cases = in_order(cases, metrics)
    mapped = list(_mapped(cases, of, metrics)) if len(cases) else []
    return fill(
        "tally.html.j2",
        kind=of,
        tables=_tables(cases, of, metrics) if len(cases) else [],
        maps=[_map(one, of, plan) for one in mapped],
        data=_data(mapped, of, areas, reports or {}) if mapped else "",
        plan=plan,
    )


def _tables(cases: pd.DataFrame, of: Kind, metrics: Mapping[str, Metric]) -> list[Markup]:
    by_metric = count(cases, ["metric", "payment"], of)
    if of.id == "finding":
        by_metric[NOISE_ONLY] = _noise_only(cases).groupby([cases["metric"], cases["payment"]]).sum()
    by_metric.index = pd.Index(
        [comparison(metrics[metric], payment) for metric, payment in by_metric.index], name="Metric"
    )
    noun = NOUNS[of.id][1]
    return [
        _count_table(by_metric, f"{of.id.title()}s by metric: number of {noun}", of, "Metric"),
        _region_table(cases, of, f"{of.id.title()}s by region: number of {noun}, all metrics together"),
    ]


def _region_table(cases: pd.DataFrame, of: Kind, caption: str) -> Markup:
    counts = count(cases, ["region"], of).sort_index()
    counts.loc[ALL_AREAS] = counts.sum()
    return _count_table(counts, caption, of, "Region")


def _count_table(counts: pd.DataFrame, caption: str, of: Kind, first: str) -> Markup:
    headings = [first, *(_capital(category.words) for category in of.categories), "All"]
    rows = [[name, *map(number, row), number(row.sum())] for name, row in counts[of.names].iterrows()]
    if NOISE_ONLY in counts:
        headings.append(NOISE_ONLY)
        rows = [[*row, number(noise)] for row, noise in zip(rows, counts[NOISE_ONLY], strict=True)]
    return html_table(headings, rows, caption, numeric=range(1, len(headings)))


def _mapped(cases: pd.DataFrame, of: Kind, metrics: Mapping[str, Metric]) -> Iterator[Mapped]:
    """Choose what is mapped: what says something; targets on metrics of the local menu together."""
    local = cases["metric"].map(lambda name: metrics[name].group == "local")
    for (metric, payment), rows in cases.loc[~local].groupby(["metric", "payment"], sort=False):
        if (rows["category"] != of.nothing).any():
            yield Mapped(comparison(metrics[metric], payment), rows)
    if of.id == "verdict":
        for payment, rows in cases.loc[local].groupby("payment"):
            if (rows["category"] != of.nothing).any():
                yield Mapped(f"{LOCAL}, {payment_words(str(payment))}", rows)


def _map(one: Mapped, of: Kind, plan: Layout) -> dict[str, object]:
    counts, noun = one.cases["category"].value_counts(), NOUNS[of.id][0]
    shares = [f"{number(counts.get(name, 0))} {name.replace('_', ' ')}" for name in of.headline]
    heading = f"{one.title}: of {number(len(one.cases))} {noun}, {', '.join(shares)}"
    answers = one.answers()
    without = sum(code not in answers for code in plan.spots)
    missing = f"; {number(without)} with {NOUNS[of.id][2]}" if without else ""
    counted = told(count(one.cases.assign(all=""), ["all"], of).iloc[0])
    noise = _noise_told(int(_noise_only(one.cases).sum()), len(one.cases))
    parts = [
        f"Tile map. {heading}.",
        *_regions_told(one.cases, of),
        noise,
        "Each area is in the table of the maps.",
    ]
    alt = " ".join(filter(None, parts))
    caption = " ".join(filter(None, [f"{_capital(counted)}{missing}.", _periods(one.cases), noise]))
    return {
        "heading": heading,
        "picture": tile_map(plan, answers, of, alt),
        "caption": caption,
        "table": _region_table(one.cases, of, f"{one.title}: number of {noun} by region"),
    }


def _noise_only(cases: pd.DataFrame) -> "pd.Series[bool]":
    """Say which findings allow for the noise within the two periods only."""
    return cases["against"] == AGAINST_NOISE


def _noise_told(some: int, of: int) -> str:
    if some == 0:
        return ""
    which = "All are" if some == of else f"{number(some)} of these {'is' if some == 1 else 'are'}"
    why = "months are missing, or usual movement is not known"
    return f"{which} held against noise within the two periods only: {why}."


def _regions_told(cases: pd.DataFrame, of: Kind) -> Iterator[str]:
    """Say of each answer to be told first how many there are in which region."""
    counts = count(cases, ["region"], of).sort_index()
    for name in of.headline:
        some = counts.loc[counts[name] > 0]
        shares = [f"{region} {row[name]} of {row.sum()}" for region, row in some.iterrows()]
        yield f"{_capital(name.replace('_', ' '))}: {', '.join(shares) or 'none'}."


def _periods(cases: pd.DataFrame) -> str:
    """Say which period is held against which, where all cases have the same."""
    pairs = cases[["period", "baseline_period"]].replace("", None).dropna().drop_duplicates()
    if len(pairs) != 1:
        return ""
    after, before = (Period.parse(text).label for text in pairs.iloc[0])
    return f"{after} against {before}."


def _data(mapped: list[Mapped], of: Kind, areas: pd.DataFrame, reports: Mapping[str, str]) -> Markup:
    """Write the table of the maps: what each area's tile shows, in words."""
    shown = [one.answers() for one in mapped]
    words = {category.name: category.words for category in of.categories} | {
        SEVERAL: "several, see the report"
    }
    rows = [
        [_linked(area.area_name, reports.get(area.area_code)), area.region or "not known"]
        + [words.get(answers.get(area.area_code, ""), NOUNS[of.id][2]) for answers in shown]
        for area in areas.fillna("").sort_values("area_name").itertuples()
    ]
    headings = ["Area", "Region", *(one.title for one in mapped)]
    return html_table(headings, rows, f"{of.id.title()}s of each area, as the maps show them")


def _linked(name: str, report: str | None) -> str:
    return Markup('<a href="{}">{}</a>').format(report, name) if report else name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
