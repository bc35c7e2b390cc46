"""Measure how the example data behave, beside what was measured on published data.

python -m tests.example.measures        prints the tables of docs/example-data.md
python -m tests.example.measures write  writes them into that page
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

from bcfstats.example.data import example_observations

PAGE = Path(__file__).parents[2] / "docs" / "example-data.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def monthly(table, metric):
    """Counts (months, areas) and days of each month, of areas with all months and a median of 60."""
    rows = table[(table["metric"] == metric) & ~_false(table)]
    wide = rows.pivot(index="period_start", columns="area_code", values="numerator")
    wide = wide.loc[:, wide.notna().all() & wide.median().ge(60)]
    return wide, wide.index.days_in_month.to_numpy()


def yearly_change(table, metric, *, years=1, log=False):
    """Changes of value between years `years` apart, centred on the median area of each pair of years."""
    wide = table[table["metric"] == metric].pivot(index="period_start", columns="area_code", values="value")
    wide = wide[wide.index < "2014-04-01"] if metric == "care_home_admissions" else wide
    change = (np.log(wide) if log else wide).diff(years).iloc[years:]
    change = change.sub(change.median(axis=1), axis=0).to_numpy().ravel()
    return change[~np.isnan(change)]


def robust_sd(changes):
    return float(np.median(np.abs(changes)) / 0.6744898)


def dispersion(counts, days):
    """Pearson dispersion and lag-1 residual autocorrelation of each area: Poisson trend + month model."""
    month, years = counts.index.month.to_numpy(), np.arange(len(counts)) / 12
    design = np.column_stack([month[:, None] == np.arange(1, 13), years]).astype(float)
    found = []
    for area in counts:
        model = sm.GLM(counts[area].to_numpy(), design, family=sm.families.Poisson(), offset=np.log(days))
        residual = np.asarray(model.fit().resid_pearson)
        centred = residual - residual.mean()
        found.append(
            ((residual**2).sum() / (len(counts) - 13), centred[1:] @ centred[:-1] / (centred @ centred))
        )
    phi, lag_1 = np.array(found).T
    return phi, lag_1


def window_changes(counts, days, window, lag=12):
    """Log change of each window of months against the same months `lag` earlier: (windows, areas)."""
    total = (counts.rolling(window).sum() + 0.5).to_numpy()[window - 1 :]
    per_day = total / pd.Series(days).rolling(window).sum().to_numpy()[window - 1 :, None]
    return np.log(per_day[lag:] / per_day[:-lag])


def wander(counts, days, window, lag=12):
    """SD of those changes, each window centred on its median area."""
    change = window_changes(counts, days, window, lag)
    return float((change - np.median(change, axis=1, keepdims=True)).std())


def season(counts, days):
    """National index of each month per day, April to March, from whole years with a log-linear trend out."""
    daily = np.log(counts.sum(axis=1).to_numpy() / days)[: len(counts) // 12 * 12]
    daily = daily - np.polyval(np.polyfit(np.arange(len(daily)), daily, 1), np.arange(len(daily)))
    index = np.exp(daily.reshape(-1, 12).mean(axis=0))
    return index / index.mean()


def poisson_significant(counts, days, baseline, target):
    """Share of areas a Poisson test calls significantly changed between two runs of months, two-sided 5 %."""
    (a, b) = (counts.loc[first:last].sum().to_numpy() for first, last in (baseline, target))
    at = pd.Series(days, counts.index)
    d_a, d_b = (at.loc[first:last].sum() for first, last in (baseline, target))
    z = np.log((b / d_b) / (a / d_a)) / np.sqrt(1 / a + 1 / b)
    return float((np.abs(z) > 1.959964).mean())


def describe(table):
    """One row per behaviour: what, published, measured."""
    rows = [*_delays(table), *_admissions(table), *_years(table)]
    return pd.DataFrame(rows, columns=["what", "published", "example"])


def _spread(values, digits, low=25, high=75):
    middle, bottom, top = np.percentile(values, [50, low, high])
    return f"{middle:.{digits}f} ({bottom:.{digits}f} to {top:.{digits}f})"


def _delays(table):
    counts, days = monthly(table, "delayed_transfers")
    phi, lag_1 = dispersion(counts["2011-04":"2014-03"], days[12:48])
    indices = season(counts, days)
    like = ("2012-04", "2012-12"), ("2013-04", "2013-12")
    yield "Delayed days a month in an area, median (quartiles)", "451 (272 to 880)", _spread(counts.mean(), 0)
    yield "... Pearson dispersion, median (10 and 90 % points)", "33 (16 to 91)", _spread(phi, 0, 10, 90)
    yield "... lag-1 autocorrelation, median (quartiles)", "0.45 (0.30 to 0.61)", _spread(lag_1, 2)
    for window, published in ((6, 0.378), (9, 0.344), (12, 0.315)):
        found = f"{wander(counts, days, window):.3f}"
        yield f"... SD of the log change over a year, {window} months", f"{published}", found
    ratio = wander(counts, days, 9, 24) / wander(counts, days, 9)
    yield "... the same over two years, times that over one", "1.3 to 1.4", f"{ratio:.2f}"
    yield "... national month index, lowest and highest", "0.944 and 1.036", _ends(indices)
    yield (
        "... areas a Poisson test calls changed, Apr-Dec 2012 to 2013",
        "93 %",
        f"{poisson_significant(counts, days, *like):.0%}".replace("%", " %"),
    )


def _ends(indices):
    return f"{indices.min():.3f} and {indices.max():.3f}"


def _admissions(table):
    counts, days = monthly(table, "non_elective_admissions")
    phi, lag_1 = dispersion(counts["2013-04":], days[36:])
    drift = np.expm1(np.median(window_changes(counts, days, 12)))
    yield (
        "Non-elective admissions: Pearson dispersion, median (quartiles)",
        "4.35 (3.1 to 7.4)",
        _spread(phi, 1),
    )
    yield "... lag-1 autocorrelation, median", "0.45", f"{np.median(lag_1):.2f}"
    for window, published in ((6, 0.066), (9, 0.061), (12, 0.057)):
        found = f"{wander(counts, days, window):.3f}"
        yield f"... SD of the log change over a year, {window} months", f"{published}", found
    yield "... change a year of the median area", "+3.2 %", f"{drift:+.1%}".replace("%", " %")
    yield "... national month index, lowest and highest", "0.951 and 1.022", _ends(season(counts, days))
    avoidable = season(*monthly(table, "avoidable_emergency_admissions"))
    yield "Avoidable admissions: national month index", "not measured (winter peak)", _ends(avoidable)


def _years(table):
    admitted = table[table["metric"] == "care_home_admissions"]
    change = yearly_change(table, "care_home_admissions", log=True)
    yield "Care home admissions: people a year, median", "275", f"{admitted['numerator'].median():.0f}"
    yield (
        "... SD of the yearly log change (robust)",
        "0.26 (0.165)",
        f"{change.std():.2f} ({robust_sd(change):.3f})",
    )
    sample = table.loc[table["metric"] == "reablement", "denominator"].dropna()
    change = yearly_change(table, "reablement")
    yield "Reablement: people, median (10 and 90 % points)", "200 (85 to 540)", _spread(sample, 0, 10, 90)
    yield "... SD of the yearly change", "7.0 points", f"{change.std():.1f} points"
    for metric, years, published in (
        ("care_related_quality_of_life", 1, "0.33 (0.40)"),
        ("carer_quality_of_life", 1, "0.35 (0.30)"),
        ("social_contact", 1, "3.95 (4.5)"),
        ("patient_experience", 2, "4.52 (4.35), ASCOF 3A"),
    ):
        rows = table[table["metric"] == metric]
        change = yearly_change(table, metric, years=years)
        margin = ((rows["upper_ci"] - rows["lower_ci"]) / 2).median()
        name = metric.replace("_", " ").capitalize()
        yield f"{name}: SD of change (margin of error)", published, f"{change.std():.2f} ({margin:.2f})"


def faults(table):
    """One row per kind of row that is not plain: how many, and in which areas."""
    kind = table["status"].mask(table["status"].eq("ok") & _false(table), "ok (false, not marked)")
    rows = table.assign(status=kind)[kind != "ok"].groupby(["status", "metric", "status_note"])
    found = rows.agg(rows=("area_code", "size"), areas=("area_code", _first_codes)).reset_index()
    return pd.concat([found.rename(columns={"status_note": "note"}), _absent(table)])


def _false(table):
    """Delayed days of 0, and admissions under a sixth of the area's median, in areas too large for that."""
    usual = table.groupby(["area_code", "metric"])["numerator"].transform("median")
    floor = usual.where(table["metric"].eq("non_elective_admissions"), 0) / 6
    return table["frequency"].eq("month") & usual.ge(60) & table["numerator"].le(floor)


def _absent(table):
    delays = table[table["metric"] == "delayed_transfers"]
    rows = delays.groupby("area_code").size()
    short = rows[rows < delays["period_start"].nunique()]
    lost = int((delays["period_start"].nunique() - short).sum())
    line = ["absent", "delayed_transfers", "no row at all", lost, _first_codes(short.index)]
    return pd.DataFrame([line], columns=["status", "metric", "note", "rows", "areas"])


def _first_codes(codes):
    codes = sorted(set(codes))
    return ", ".join(codes[:4]) + (f" and {len(codes) - 4} more" if len(codes) > 4 else "")


def markdown(frame):
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * frame.shape[1]]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in frame.to_numpy())])


def measured():
    """The two tables of the page."""
    table = example_observations()
    return markdown(describe(table)) + "\n\nRows that are not plain:\n\n" + markdown(faults(table))


if __name__ == "__main__":
    print(measured())
    if sys.argv[1:] == ["write"]:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n{measured()}\n{END}{tail}", encoding="utf-8", newline="\n")
