"""Proposed ambitions judged: improvement, trend, noise, history, chances of payment, reach, verdict."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bcfstats.define.levels import LEVELS
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme
from bcfstats.define.schemes import scheme as rules_of
from bcfstats.errors import ParameterError
from bcfstats.judge.ladder import recommended
from bcfstats.judge.outlook import Floats, NoOutlook, Outlook, Texts, joined
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.payment import with_money
from bcfstats.judge.targets import (
    USUAL_CUTOFFS,
    Cutoffs,
    Peers,
    Proposal,
    least_challenging,
    possible,
    proposal,
    reach,
)
from bcfstats.judge.verdicts import (
    BEATEN,
    EASY,
    GOOD,
    NOISE,
    NOT_BETTER,
    UNKNOWN,
    UNPRECEDENTED,
    Missing,
    cannot,
    sentences,
)
from bcfstats.read.observations import as_frame

NEEDED = ("area_code", "metric", "payment", "target_value", "target_numerator", "change_percent", "against")
RARE_AT_MOST = 0.10
NO_NOISE = "chance within the two periods cannot be measured"
TOO_LITTLE = "there is too little history to tell what is achievable"
NO_LINE = "this scheme pays by degrees: the line used here is the target in full"

ANSWERS = ("significant_vs_noise", "significant_vs_history", "beats_trend")
OF_TARGET = [  # what is not told where the target itself cannot be used
    *("ambition_percent", "ambition_per_month", "noise_p", "significant_vs_noise", "history_p"),
    *("significant_vs_history", "beats_trend", "reach", "reach_lower", "reach_upper"),
    *("reach_changes", "reach_areas"),
]
COLUMNS = [
    *("area_code", "area_name", "metric", "payment", "baseline_value", "baseline_numerator"),
    *(
        "baseline_denominator",
        "baseline_period",
        "target_period",
        "target_value",
        "against",
        "ambition_percent",
    ),
    *("events_better", "ambition_per_month", "do_nothing_value", "do_nothing_lower", "do_nothing_upper"),
    *("noise_p", "significant_vs_noise", "history_p", "significant_vs_history", "noise_significant_value"),
    *("minimum_significant_value", "detectable_value", "beats_trend", "payment_line", "p_paid_no_change"),
    *("p_paid_do_nothing", "p_paid_england_better", "p_paid_england_worse"),
    *("p_paid_if_half_delivered", "p_paid_if_delivered", "reach", "reach_lower"),
    *("reach_upper", "reach_changes", "reach_areas", "challenging_value", "achievable_value"),
    *("recommended", "money_at_stake", "money_is_estimate", "verdict", "why_unknown", "reasons"),
    *("peers", "method", "warnings"),
]


_PROPOSED = {
    **dict.fromkeys(("area_code", "metric", "payment", "against", "source"), "str"),
    **dict.fromkeys(("target_value", "target_numerator", "change_percent", "baseline_value"), "float64"),
}


def assess_ambitions(
    observations: pd.DataFrame,
    targets: pd.DataFrame,
    scheme: Scheme | str = DEFAULT_SCHEME,
    *,
    known_until: Period | str | None = None,
    england: float | None = None,
    allocations: pd.DataFrame | None = None,
    peers: Peers | None = None,
    metrics: Mapping[str, Metric] = METRICS,
    cutoffs: Cutoffs = USUAL_CUTOFFS,
) -> pd.DataFrame:
    """Judge proposed ambitions.

    It answers: is each target an improvement, more than noise, more than usual movement, more than would come
    by itself, and within what peers have ever done?

    Parameters
    ----------
    observations : DataFrame
        With the observation columns.
    targets : DataFrame
        From `read_targets`: one row per area, metric and payment, with one of `target_value`,
        `target_numerator` and `change_percent`; `against` the baseline or the projection.
    scheme : Scheme or str
        Which months each payment rests on, and its 70 %.
    known_until : Period or str, optional
        What may be known, such as "Dec 2013"; everything before each payment's months if not given.
    england : float, optional
        Let the nation's total move by this share from the baseline, 0.05 for a rise of 5 %, in place of the
        forecast's own national movement; monthly metrics only.
    allocations : DataFrame, optional
        From `read_allocations`.
    peers : mapping of area code to codes, optional
        Whose history counts for reach; all areas if not given.
    metrics : mapping of str to Metric, optional
        The registry, with metrics of one's own added.
    cutoffs : Cutoffs
        Where an ambition becomes too easy or unheard of.

    Returns
    -------
    DataFrame
        One row per target, in their order, with the columns `COLUMNS` names: values in the metric's unit,
        chances from 0 to 1, `events_better` over the window (admissions or days fewer, or people more, than
        the baseline rate would bring), `do_nothing_lower` and `do_nothing_upper` 80 % limits, `verdict`, and
        `reasons` in sentences.

    Raises
    ------
    InputError
        If a column is missing from the targets.
    ParameterError
        If a metric or payment is not known.

    Notes
    -----
    **Method.** Baseline: the same months a year before. Noise: the metric's own test (`compare_rates` and its
    like). History: Student's t on the moderated scale of past like-for-like changes (`history_scale`,
    `annual_scale`), 2.5 % in the improving direction. Chances of payment: the forecast's own past errors, at
    the line 70 % of the way, with England as it is usually; beside it with England one usual movement better
    or worse than expected, which moves all areas together. Counts too small get no chance.

    **When not to use.** For targets whose outcome is known (`payment`), and for changes of definition.

    Examples
    --------
    >>> from bcfstats import example_data
    >>> data = example_data(n_areas=40)
    >>> rows = data.areas[["area_code"]].assign(metric="delayed_transfers", payment="2015-04",
    ...     target_value=float("nan"), target_numerator=float("nan"), change_percent=-3.5, against="baseline")
    >>> found = assess_ambitions(data.observations, rows)
    >>> found["verdict"].isin(["within_noise", "beaten_by_trend", "cannot_be_assessed"]).all()
    np.True_
    """
    rules = rules_of(scheme)
    targets = as_frame(targets, "targets", _PROPOSED, NEEDED)
    unknown = sorted(set(targets["metric"]) - set(metrics))
    if unknown:
        raise ParameterError("There is no such metric.", found=", ".join(unknown))
    outlooks = Outlooks(observations, rules, known_until=known_until, england=england, metrics=metrics)
    return assess_targets(targets, outlooks, allocations, peers, cutoffs)


def assess_targets(
    targets: pd.DataFrame,
    outlooks: Outlooks,
    allocations: pd.DataFrame | None = None,
    peers: Peers | None = None,
    cutoffs: Cutoffs = USUAL_CUTOFFS,
) -> pd.DataFrame:
    """Judge targets by outlooks that may be at hand already."""
    rules, metrics = outlooks.rules, outlooks.metrics
    given = targets.reset_index(drop=True)
    given["payment"] = given["payment"].map(rules.payment_id)
    if "baseline_value" not in given:
        given["baseline_value"] = np.nan
    pieces = []
    for (name, payment), rows in given.groupby(["metric", "payment"], sort=False):
        metric = metrics[str(name)]
        seen = outlooks.of(metric, str(payment))
        pieces.append(assess_against(rows, metric, seen, rules, peers, cutoffs))
    table = pd.concat(pieces).sort_index() if pieces else pd.DataFrame(columns=COLUMNS)
    weight = [_weight(metrics[row.metric], row.payment, rules) for row in table.itertuples()]
    return _with_names(with_money(table, weight, allocations), outlooks.observations, peers)[COLUMNS]


def assess_against(
    rows: pd.DataFrame,
    metric: Metric,
    seen: Outlook | NoOutlook,
    rules: Scheme,
    peers: Peers | None = None,
    cutoffs: Cutoffs = USUAL_CUTOFFS,
) -> pd.DataFrame:
    """Judge targets of one metric and payment by an outlook that is at hand, as `assess_ambitions` does."""
    known = {} if isinstance(seen, NoOutlook) else {code: i for i, code in enumerate(seen.area_codes)}
    inside = rows["area_code"].isin(list(known))
    tables = []
    if not isinstance(seen, NoOutlook) and inside.any():
        judged = rows.loc[inside]
        places = np.array([known[code] for code in judged["area_code"]])
        tables.append(_judged(judged, seen.take(places), rules, peers, cutoffs))
    if not inside.all():
        why = seen.reason if isinstance(seen, NoOutlook) else "there are no figures for this area"
        tables.append(_unknown(rows.loc[~inside], metric, why))
    return pd.concat(tables)


def _judged(
    rows: pd.DataFrame, view: Outlook, rules: Scheme, peers: Peers | None, cutoffs: Cutoffs
) -> pd.DataFrame:
    frame, target, missing = weigh(rows, view, rules, peers, cutoffs)
    texts = sentences(frame, view, target, missing, cutoffs)
    frame["reasons"] = [rules.said(text) for text in texts]
    return frame


def weigh(
    rows: pd.DataFrame,
    view: Outlook,
    rules: Scheme,
    peers: Peers | None = None,
    cutoffs: Cutoffs = USUAL_CUTOFFS,
) -> tuple[pd.DataFrame, Proposal, Missing]:
    """Judge targets lined up with an outlook, in numbers and verdicts, without the sentences."""
    target = proposal(view, rows)
    share = rules.line_share
    line = np.where(target.improves, target.start - share * (target.start - target.value), np.nan)
    size = view.improvement(view.value, target.value)
    past = reach(view.history, size, view.direction, view.area_codes, peers)
    low, high = view.expected_interval()
    noise_p = view.noise_test(view.places, target.value)
    history_p = view.usual_p(target.value)
    challenging, why_no_challenge = least_challenging(view, share, cutoffs.good_luck)
    advised = recommended(view, share, peers, cutoffs)
    frame = pd.DataFrame(
        {
            "area_code": view.area_codes,
            "metric": view.metric.id,
            "payment": rows["payment"].to_numpy(),
            "baseline_value": view.value,
            "baseline_numerator": view.numerator,
            "baseline_denominator": view.denominator,
            "baseline_period": str(view.before),
            "target_period": str(view.window),
            "target_value": target.value,
            "against": np.where(target.from_projection, "projected", "baseline"),
            "ambition_percent": 100 * (_ratio(target.value, view.value) - 1),
            "events_better": target.events,
            "ambition_per_month": view.per_month(target.events),
            "do_nothing_value": view.expected,
            "do_nothing_lower": low,
            "do_nothing_upper": high,
            "noise_p": noise_p,
            "significant_vs_noise": _answer(noise_p <= LEVELS.tail, noise_p),
            "history_p": history_p,
            "significant_vs_history": _answer(history_p <= LEVELS.tail, history_p),
            "noise_significant_value": possible(view, view.noise_least),
            "minimum_significant_value": possible(view, view.minimum_significant()),
            "detectable_value": possible(view, view.detectable()),
            "beats_trend": _answer(target.beats_forecast, target.value - view.expected),
            "payment_line": line,
            "p_paid_no_change": view.chance_if_nothing_changes(line),
            "p_paid_do_nothing": view.chance(line),
            "p_paid_england_better": view.with_england(1.0).chance(line),
            "p_paid_england_worse": view.with_england(-1.0).chance(line),
            "p_paid_if_half_delivered": view.chance(line, _delivered(view, target, 0.5)),
            "p_paid_if_delivered": view.chance(line, _delivered(view, target, 1.0)),
            "reach": past.share,
            "reach_lower": past.lower,
            "reach_upper": past.upper,
            "reach_changes": past.n_changes,
            "reach_areas": past.n_areas,
            "challenging_value": challenging,
            **{name: advised[name].to_numpy() for name in ("achievable_value", "recommended")},
            "method": view.method,
        },
        index=rows.index,
    )
    reason = np.where(view.reason != "", view.reason, target.reason)
    frame.loc[target.reason != "", OF_TARGET] = np.nan
    frame.loc[view.reason != "", _judgements(frame)] = np.nan
    frame["verdict"], why = _verdicts(frame, target, reason, view.no_chance, cutoffs)
    frame["why_unknown"] = why
    no_line = np.full(len(frame), NO_LINE if rules.pays and rules.pass_share is None else "", dtype=object)
    frame["warnings"] = joined(view.warnings, target.warnings, no_line)
    return frame, target, Missing(why, why_no_challenge)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(top / bottom)


def _judgements(frame: pd.DataFrame) -> list[str]:
    """Columns that mean nothing where there is no outlook."""
    first = frame.columns.get_loc("do_nothing_value")
    return list(frame.columns[first : frame.columns.get_loc("method")])


def _answer(answer: np.ndarray, number: Floats) -> "pd.arrays.BooleanArray":
    """Give yes or no, and neither where the number it rests on could not be computed."""
    return pd.arrays.BooleanArray(answer, np.isnan(number))


def _delivered(view: Outlook, target: Proposal, share: float) -> Floats:
    """How much better than the forecast the outcome is if a share of the plan is delivered."""
    reached = target.start + share * (target.value - target.start)
    return view.improvement(target.start, reached)


def _verdicts(
    frame: pd.DataFrame, target: Proposal, reason: Texts, no_chance: Texts, cutoffs: Cutoffs
) -> tuple[Texts, Texts]:
    """Name the verdict of each target, and why it cannot be judged where it cannot."""
    names = ("noise_p", "p_paid_do_nothing", "reach", "reach_upper")
    noise_p, luck, seen, most_seen = (frame[name].to_numpy(dtype=float) for name in names)
    verdict = np.select(
        [
            (reason != "") | np.isnan(frame["baseline_value"]),
            ~target.beats_baseline,
            frame["beats_trend"].isna() | (no_chance != ""),
            frame["beats_trend"].eq(False).to_numpy(dtype=bool, na_value=False),
            np.isnan(luck),
            noise_p > LEVELS.tail,
            luck > cutoffs.luck,
            np.isnan(noise_p),
            np.isnan(seen) | ((seen < cutoffs.reach) & (most_seen > RARE_AT_MOST)),
            seen < cutoffs.reach,
        ],
        [UNKNOWN, NOT_BETTER, UNKNOWN, BEATEN, UNKNOWN, NOISE, EASY, UNKNOWN, UNKNOWN, UNPRECEDENTED],
        default=GOOD,
    ).astype(object)
    why = np.select(
        [reason != "", verdict != UNKNOWN, no_chance != "", np.isfinite(luck) & np.isnan(noise_p)],
        [reason, "", no_chance, NO_NOISE],
        default=TOO_LITTLE,
    )
    return verdict, why.astype(object)


def _unknown(rows: pd.DataFrame, metric: Metric, reason: str) -> pd.DataFrame:
    """Give targets of which nothing can be said."""
    frame = pd.DataFrame({name: rows[name] for name in ("area_code", "metric", "payment", "against")})
    frame["target_value"] = rows["target_value"]
    frame["ambition_percent"] = rows["change_percent"]
    text = " ".join(cannot(reason))
    frame = frame.assign(
        verdict=UNKNOWN,
        why_unknown=reason,
        reasons=text,
        method="",
        warnings="",
    ).reindex(columns=COLUMNS)
    return frame.astype(dict.fromkeys(ANSWERS, "boolean"))


def _weight(metric: Metric, payment: str, rules: Scheme) -> float:
    """Share of a payment's money that rests on a metric; nothing where a period stands for the payment."""
    return float(sum(paid.weight(metric) for paid in rules.payments if paid.id == payment))


def _with_names(table: pd.DataFrame, observations: pd.DataFrame, peers: Peers | None) -> pd.DataFrame:
    named = observations.drop_duplicates("area_code", keep="last")
    names = dict(zip(named["area_code"], named["area_name"], strict=True))

    def told(code: str) -> str:
        own = [names[peer] for peer in (peers or {}).get(code, ()) if peer in names]
        return ", ".join(own) if own else "all areas"

    codes = table["area_code"]
    return table.assign(
        area_name=[names.get(code, "") for code in codes], peers=[told(code) for code in codes]
    )
