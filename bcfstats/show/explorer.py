"""Pickers for a notebook: move the ambition and see what it would mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.periods import Period
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import BcfStatsError, InputError
from bcfstats.judge.assessment import latest_year, published
from bcfstats.judge.verdicts import UNKNOWN, words_of
from bcfstats.judge.what_if import Assessment, WhatIf
from bcfstats.read.data import Data
from bcfstats.read.targets import keep_targets
from bcfstats.show import sentences
from bcfstats.show.page import fill, html_table
from bcfstats.show.palettes import palette
from bcfstats.words import EXAMPLE, capital, number, with_unit

FIRST = "delayed_transfers"
SOURCE = "explore notebook"
PICK_AREA = "Pick an area from the list."
NO_WINDOW = "No window of this metric can be judged: no payment rests on it, and no two years compare."
ENGLAND = {"one usual movement worse": -1.0, "as usual": 0.0, "one usual movement better": 1.0}
CHANCE_BARS = (
    ("p_paid_do_nothing", "would be paid if nothing is done", "alert"),
    ("p_paid_if_half_delivered", "would be paid if the plan delivers half", "comparison"),
    ("p_paid_if_delivered", "would be paid if the plan delivers in full", "series"),
    ("reach", "yearly changes of areas on record were as good", "emphasis"),
)


class Explorer:
    """Area, metric, window and ambition to pick, where ipywidgets are shown; the verdict follows at once.

    It opens on a metric and an area that can be assessed. "Keep this target" keeps a row in `targets_file`,
    one for each area, metric and window. Moving a picker judges one target (about 10 ms) by an outlook that
    was computed when its metric and window were first picked.
    """

    def __init__(
        self,
        data: Data,
        rules: Scheme | str = DEFAULT_SCHEME,
        *,
        targets_file: str | Path = "targets.csv",
        metrics: Mapping[str, Metric] = METRICS,
    ) -> None:
        import ipywidgets as widgets

        self.what_if, self.targets_file = WhatIf(data, rules, metrics=metrics), Path(targets_file)
        wide = {"style": {"description_width": "7em"}, "layout": {"width": "48em"}}
        areas = data.areas.sort_values("area_name")
        self._codes = dict(zip(areas["area_name"], areas["area_code"], strict=True))
        metric, area = _opening(self.what_if, self._codes)
        self.area = widgets.Combobox(options=list(self._codes), value=area, description="Area", **wide)
        names = [(metric.short_name, metric.id) for metric in self.what_if.metrics]
        self.metric = widgets.Dropdown(options=names, value=metric, description="Metric", **wide)
        self.window = widgets.Dropdown(description="Window", **wide)
        self.ambition = widgets.FloatSlider(
            min=-60, max=60, step=0.5, readout_format=".1f", description="Change, %", **wide
        )
        self.england = widgets.SelectionSlider(
            options=ENGLAND, value=ENGLAND["as usual"], description="England", **wide
        )
        self.verdict = widgets.HTML()
        self.keep = widgets.Button(
            description="Keep this target", tooltip="Add it as a row to a targets file"
        )
        self.kept = widgets.HTML()
        self.metric.observe(self._new_metric, "value")
        for picker in (self.area, self.window, self.ambition, self.england):
            picker.observe(self._show, "value")
        self.keep.on_click(self._keep)
        self._new_metric()
        pickers = [self.area, self.metric, self.window, self.ambition, self.england]
        self.box = widgets.VBox([*pickers, self.verdict, widgets.HBox([self.keep, self.kept])])

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.box._repr_mimebundle_(**kwargs)

    def judged(self) -> Assessment | None:
        """Judge what is picked; None while the name of the area is not complete."""
        code = self._codes.get(self.area.value)
        if code is None or self.window.value is None:
            return None
        picked = self.metric.value, self.window.value
        self.england.disabled = not self.what_if.moves_with_england(*picked)
        england = 0.0 if self.england.disabled else self.england.value
        return self.what_if.judge(code, *picked, self.ambition.value, england)

    def _new_metric(self, _change: object = None) -> None:
        lower = self._metric().polarity == "lower"
        windows = self.what_if.payments(self.metric.value)
        self.window.options = windows
        self.window.value = windows[0][1] if windows else None
        self.ambition.value = -5.0 if lower else 5.0
        self._show()

    def _metric(self) -> Metric:
        return next(metric for metric in self.what_if.metrics if metric.id == self.metric.value)

    def _show(self, _change: object = None) -> None:
        row = self.judged()
        self.kept.value = ""
        if row is None:
            why = PICK_AREA if self.window.value else self.what_if.rules.said(NO_WINDOW)
            self.verdict.value = f"<p>{why}</p>"
            return
        others = len(self.what_if.assessable(row["metric"], row["payment"]))
        note = EXAMPLE if self.what_if.data.is_example else ""
        if self.england.value and not self.england.disabled:
            note = f"England is taken to be {self.england.label} than expected. {note}".rstrip()
        self.verdict.value = str(
            verdict_html(row, self._metric(), self.what_if.rules, note=note, n_assessable=others)
        )

    def _keep(self, _button: object = None) -> None:
        row = self.judged()
        if row is None:
            return
        target = {name: row[name] for name in ("metric", "payment")}
        target |= {"area": row["area_code"], "change_percent": f"{self.ambition.value:g}", "source": SOURCE}
        try:
            keep_targets(self.targets_file, [target], self.what_if.data.areas)
        except BcfStatsError as error:
            self.kept.value = f"<p>{Markup.escape(error)}</p>"
        else:
            self.kept.value = f"<p>Kept in {Markup.escape(self.targets_file)}.</p>"


def first_asked(
    data: Data, rules: Scheme | str = DEFAULT_SCHEME, metric: str | None = None
) -> tuple[str, Period]:
    """Give the metric named, or the first that the scheme asks for and there are figures of, and its window.

    A window without figures, and a scheme that asks for nothing, give the latest year that there is.
    """
    asked = [(name, one) for pay in scheme(rules).payments for name, one in pay.metrics.items() if one]
    rows = data.observations
    names = [get_metric(metric).id] if metric else [*(name for name, _ in asked), *rows["metric"].unique()]
    found = ((name, published(rows.loc[rows["metric"] == name], METRICS[name])) for name in names)
    name, there = next((pair for pair in found if pair[1]), (names[0] if names else "", []))
    if not there:
        raise InputError("There are no figures of this metric.", found=name)
    for of, window in asked:
        if of == name and any(window.contains(period) for period in there):
            return name, window
    latest = latest_year(rows.loc[rows["metric"] == name], METRICS[name])
    return name, latest[1] if latest else there[-1]


def _opening(what_if: WhatIf, codes: Mapping[str, str]) -> tuple[str, str]:
    """Find a metric and the first area, by name, that can be assessed; else the first of each."""
    for metric in sorted(what_if.metrics, key=lambda found: found.id != FIRST):
        for _, payment in what_if.payments(metric.id)[:1]:
            known = set(what_if.assessable(metric.id, payment))
            names = [name for name, code in codes.items() if code in known]
            if names:
                return metric.id, names[0]
    return what_if.metrics[0].id, next(iter(codes))


def verdict_html(
    row: Assessment, metric: Metric, rules: Scheme, *, note: str = "", n_assessable: int = 0
) -> Markup:
    """Write one assessment for a notebook: sentences, values and chances.

    Where it cannot be assessed, the number of areas that can be is said instead.
    """
    colour = palette()
    unknown = row["verdict"] == UNKNOWN and not np.isfinite(row["p_paid_do_nothing"])
    levels = [
        ("Baseline", row["baseline_value"]),
        (rules.said("Target"), row["target_value"]),
        (f"Payment line, {rules.line_words} of the way", row["payment_line"] if rules.pays else np.nan),
        ("Expected if nothing is done", row["do_nothing_value"]),
        ("Just significant against usual movement", row["minimum_significant_value"]),
        (f"Found significant with {sentences.POWER}", row["detectable_value"]),
    ]
    known = [[name, sentences.value(value, metric)] for name, value in levels if np.isfinite(value)]
    return fill(
        "verdict.html.j2",
        note=note,
        verdict=capital(words_of(row)),
        ambition=with_unit(row["ambition_percent"], "%"),
        reasons=row["reasons"],
        chances=[
            (number(100 * row[name]), rules.said(words), round(100 * row[name]), colour[part])
            for name, words, part in CHANCE_BARS
            if np.isfinite(row[name])
        ],
        edge=colour["text"],
        instead=_instead(n_assessable) if unknown else "",
        levels=html_table(
            ["Level", "Value"], known, f"{metric.short_name}: levels to compare, {metric.unit}", numeric=(1,)
        )
        if known
        else "",
    )


def _instead(n_assessable: int) -> str:
    if n_assessable:
        return f"For this metric and window {n_assessable:,} other areas can be assessed: pick one of them."
    return "For this metric and window no area can be assessed: pick another metric or window."
