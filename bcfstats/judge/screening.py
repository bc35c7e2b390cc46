"""Submissions that look wrong and levels that changed at once, found before anything is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.metrics import METRICS, UNUSUAL, Metric, get_metric
from bcfstats.define.periods import Period, parse_date
from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.panel import Panel, longest_run, monthly_panel
from bcfstats.judge.windows import USABLE
from bcfstats.read.observations import as_observations, check_observations, problems_by_area
from bcfstats.stats.breaks import SHIFT_DOWN, SHIFT_UP, SWAP, find_breaks
from bcfstats.words import day as long_day
from bcfstats.words import signed

EVERY = "every"  # area, in an overrule
A_QUARTER = 0.25  # of the days of a period in an unusual time, and it is no guide either
COVERED = 0.8  # of the usual number of people counted, without which months are not alike
FEW_COVERED = "drop in the discharges covered"
LEVELS = (SHIFT_DOWN, SHIFT_UP, SWAP)
COLUMNS = ["area_code", "area_name", "metric", "period", "what", "change_percent", "consequence"]


@dataclass(frozen=True)
class Trusted:
    """Months of one area and metric that the analyst vouches for."""

    area_code: str
    metric: str
    period: Period


@dataclass(frozen=True)
class Screened:
    """Observations with what looks wrong marked "suspect", and one finding a row."""

    observations: pd.DataFrame
    findings: pd.DataFrame


def screen(
    observations: pd.DataFrame, metrics: Mapping[str, Metric], trusted: Sequence[Trusted] = ()
) -> Screened:
    """Find movements of monthly metrics too sudden to be care, and keep them out of every judgement.

    A month found bad takes no part in anything; a window on one side of a level shift is not compared with
    one on the other. Found by `find_breaks` in the longest stretch of months without a gap, from the series
    alone. A finding is a question to the provider, not proof; `trusted` is the analyst's overrule.
    """
    observations = _without_unusual(observations, trusted)
    frame = observations
    tables: list[pd.DataFrame] = []
    monthly = observations.loc[observations["frequency"] == "month", "metric"].unique()
    for name in sorted(set(monthly) & set(metrics)):
        whole = monthly_panel(observations, metrics[name])
        run = longest_run(whole)
        if run is None:
            continue
        panel = whole.within(run)
        breaks = find_breaks(
            panel.counts,
            panel.exposure,
            panel.calendar_months,
            trusted=_vouched(panel, [entry for entry in trusted if entry.metric == name]),
        )
        table = pd.DataFrame(
            {
                "area_code": np.array(panel.area_codes, dtype=object)[breaks.area],
                "metric": name,
                "period": [str(panel.months[i]) for i in breaks.month],
                "what": np.asarray(breaks.kind, dtype=object),
                "change_percent": breaks.change_percent,
            }
        )
        tables.append(table)
        frame = _marked(frame, table)
    for name in [name for name, metric in metrics.items() if metric.parts and name in monthly]:
        for table in _thinly_covered(observations, metrics[name], trusted):
            tables.append(table)
            frame = _marked(frame, table)
    findings = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    names = observations.drop_duplicates("area_code").set_index("area_code")["area_name"]
    findings["area_name"] = findings["area_code"].map(names)
    shift = findings["what"].isin(LEVELS)
    findings["consequence"] = np.where(shift, "not compared across it", "left out")
    return Screened(frame, findings[COLUMNS])


def sound(
    observations: pd.DataFrame, metrics: Mapping[str, Metric] = METRICS, trusted: Sequence[Trusted] = ()
) -> Screened:
    """Keep what may be judged: areas whose observations break no rule, screened for bad submissions.

    Every way to a verdict (the command, a notebook, a slider) starts from this, so that all of them agree.

    Parameters
    ----------
    observations : DataFrame
        With the observation columns.
    metrics : mapping of str to Metric
        An observation of any other metric breaks a rule.
    trusted : sequence of Trusted
        As in `screen`.

    Returns
    -------
    Screened

    Examples
    --------
    >>> from bcfstats import example_data
    >>> data = example_data(n_areas=20)
    >>> len(sound(data.observations).observations) == len(data.observations)
    True
    """
    observations = as_observations(observations)
    broken = problems_by_area(check_observations(observations, metrics))
    return screen(observations.loc[~observations["area_code"].isin(list(broken))], metrics, trusted)


def parse_trusted(text: str, metrics: Mapping[str, Metric]) -> Trusted:
    """Read an overrule as it stands in the settings: area code or "every", metric, period."""
    words = text.split(maxsplit=2)
    if len(words) != 3:
        raise ParameterError(
            "An entry of 'trusted' is not understood.",
            found=f"'{text}'",
            do="Write an area code, a metric and a period, such as 'E08000019 delayed_transfers Aug 2013'.",
        )
    return Trusted(words[0], get_metric(words[1], metrics).id, Period.parse(words[2]))


@dataclass(frozen=True)
class Break:
    """A day from which what an area, or "every" one, counts in a metric is something else."""

    area_code: str
    metric: str
    day: date
    what: str

    def of(self, observations: pd.DataFrame) -> pd.DataFrame:
        """Give the figures from that day on, and those it lies in, a basis of their own."""
        mine = observations["metric"].eq(self.metric)
        mine &= observations["area_code"].eq(self.area_code) | (self.area_code == EVERY)
        ends = mine & (observations["period_end"] >= pd.Timestamp(self.day))
        if not ends.any():
            raise InputError(
                "There is no figure that this break could part from those before.",
                where="breaks",
                found=f"{self.area_code}, {self.metric}, {long_day(self.day)}",
                do="Look at its area code, metric and day.",
            )
        whole = observations["period_start"] >= pd.Timestamp(self.day)
        since = np.where(whole, f"{self.what} since {long_day(self.day)}", f"{self.what} in a part of it")
        basis = observations["basis"].fillna("").astype(str)
        joined = (basis + " [" + since + "]").str.strip()
        return observations.assign(basis=basis.mask(ends, joined))


def parse_break(text: str, metrics: Mapping[str, Metric]) -> Break:
    """Read a break as it stands in the settings: area code or "every", metric, day, what changed."""
    words = text.split(maxsplit=3)
    day = parse_date(words[2]) if len(words) == 4 else None
    if day is None:
        raise ParameterError(
            "An entry of 'breaks' is not understood.",
            found=f"'{text}'",
            do="Write an area code, a metric, a day and what changed, such as "
            "'E08000019 emergency_admissions_65 2024-10-01 same-day emergency care recorded elsewhere'.",
        )
    return Break(words[0], get_metric(words[1], metrics).id, day, words[3])


def _without_unusual(observations: pd.DataFrame, trusted: Sequence[Trusted]) -> pd.DataFrame:
    """Mark figures of times that are no guide to ordinary ones, of which a quarter or more lies in them."""
    starts, ends = observations["period_start"], observations["period_end"]
    for time in UNUSUAL:
        inside = ends.clip(upper=pd.Timestamp(time.end)) - starts.clip(lower=pd.Timestamp(time.start))
        share = (inside.dt.days + 1) / ((ends - starts).dt.days + 1)
        out = (share >= A_QUARTER) & observations["status"].isin(USABLE)
        for entry in trusted:
            vouched = (starts >= pd.Timestamp(entry.period.start)) & (ends <= pd.Timestamp(entry.period.end))
            mine = observations["area_code"].eq(entry.area_code) | (entry.area_code == EVERY)
            out &= ~(vouched & mine & observations["metric"].eq(entry.metric))
        if out.any():
            columns = {"status": "suspect", "status_note": time.words}
            observations = observations.assign(
                **{name: observations[name].mask(out, told) for name, told in columns.items()}
            )
    return observations


def _thinly_covered(
    observations: pd.DataFrame, metric: Metric, trusted: Sequence[Trusted]
) -> list[pd.DataFrame]:
    """Find months with far fewer people counted than is usual: of a metric, and so of each of its parts."""
    panel = monthly_panel(observations, metric)
    usual = np.nanmedian(np.where(panel.denominators > 0, panel.denominators, np.nan), axis=1, keepdims=True)
    thin = panel.denominators < COVERED * usual
    tables = []
    for name in sorted({metric.id, *metric.parts} & set(observations["metric"])):
        own = thin & ~_vouched(panel, [entry for entry in trusted if entry.metric == name])
        area, month = np.nonzero(own)
        tables.append(
            pd.DataFrame(
                {
                    "area_code": np.array(panel.area_codes, dtype=object)[area],
                    "metric": name,
                    "period": [str(panel.months[i]) for i in month],
                    "what": FEW_COVERED,
                    "change_percent": 100 * (panel.denominators / usual - 1)[area, month],
                }
            )
        )
    return tables


def _vouched(panel: Panel, trusted: Sequence[Trusted]) -> NDArray[np.bool_]:
    vouched = np.zeros(panel.counts.shape, dtype=bool)
    place = {code: i for i, code in enumerate(panel.area_codes)}
    for entry in trusted:
        rows = np.array([place[code] for code in place if entry.area_code in (code, EVERY)], dtype=np.int64)
        vouched[np.ix_(rows, panel.columns(entry.period))] = True
    return vouched


def _marked(observations: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """Mark bad months suspect, and give the months from a level shift on a basis of their own."""
    if findings.empty:
        return observations
    names = ["basis", "status", "status_note"]
    basis, status, note = (observations[name].to_numpy(dtype=object, copy=True) for name in names)
    starts = observations["period_start"].to_numpy()
    of_metric = np.flatnonzero(observations["metric"] == findings["metric"].iloc[0])
    codes = observations["area_code"].iloc[of_metric]
    places = codes.groupby(codes.to_numpy()).indices  # looked up once, however many months are marked
    for row in findings.to_dict("records"):
        month = Period.parse(row["period"])
        here = of_metric[places.get(row["area_code"], [])]
        what = f"{row['what']} ({signed(row['change_percent'], 0)} %)"
        start = np.datetime64(month.start)
        if row["what"] in LEVELS:
            for i in here:
                before = "one level" if pd.isna(basis[i]) or basis[i] == "" else basis[i]
                basis[i] = f"{before} [{what} from {month.label}]" if starts[i] >= start else before
        else:
            there = here[starts[here] == start]
            status[there] = "suspect"
            note[there] = f"{what} that looks like a submission gone wrong; left out"
    columns = {
        name: pd.Series(cells, index=observations.index, dtype=observations[name].dtype)
        for name, cells in zip(names, (basis, status, note), strict=True)
    }
    return observations.assign(**columns)
