"""Pickers for a notebook: move the ambition and see what it would mean."""

import csv
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bcfstats.define.metrics import METRICS
from bcfstats.judge.what_if import Assessment, WhatIf
from bcfstats.read.data import Data
from bcfstats.show import sentences
from bcfstats.show.page import fill
from bcfstats.show.tables import html_table
from bcfstats.show.words import EXAMPLE, number, signed

TARGET_COLUMNS = ("area", "metric", "payment", "change_percent", "source")
CHANCES = (
    ("p_paid_do_nothing", "would be paid if nothing is done"),
    ("p_paid_if_half_delivered", "would be paid if the plan delivers half"),
    ("p_paid_if_delivered", "would be paid if the plan delivers in full"),
    ("reach", "yearly changes of areas on record were as good"),
)


class Explorer:
    """Area, metric, window and ambition to pick; the verdict follows at once.

    Parameters
    ----------
    data : Data
        From `load` or `example_data`.
    rules : str
        The payment scheme.
    targets_file : str or Path
        Where "Keep this target" keeps a row, one for each area, metric and window; `bcfstats check` reads it.

    Notes
    -----
    Needs JupyterLab or a notebook that shows ipywidgets. Moving a picker judges one target (about 10 ms)
    by an outlook that was computed when its metric and window were first picked.
    """

    def __init__(
        self, data: Data, rules: str = "bcf-2013-12", *, targets_file: str | Path = "targets.csv"
    ) -> None:
        import ipywidgets as widgets

        self.what_if, self.targets_file = WhatIf(data, rules), Path(targets_file)
        wide = {"style": {"description_width": "7em"}, "layout": {"width": "36em"}}
        areas = data.areas.sort_values("area_name")
        self.area = widgets.Combobox(
            options=areas["area_name"].tolist(), value=areas["area_name"].iloc[0], description="Area", **wide
        )
        self._codes = dict(zip(areas["area_name"], areas["area_code"], strict=True))
        metrics = [(metric.short_name, metric.id) for metric in self.what_if.metrics]
        self.metric = widgets.Dropdown(options=metrics, description="Metric", **wide)
        self.window = widgets.Dropdown(description="Window", **wide)
        self.ambition = widgets.FloatSlider(
            min=-60, max=60, step=0.5, readout_format=".1f", description="Change, %", **wide
        )
        self.verdict = widgets.HTML()
        self.keep = widgets.Button(
            description="Keep this target", tooltip="Add it as a row to a targets file"
        )
        self.kept = widgets.HTML()
        self.metric.observe(self._new_metric, "value")
        for picker in (self.area, self.window, self.ambition):
            picker.observe(self._show, "value")
        self.keep.on_click(self._keep)
        self._new_metric()
        pickers = [self.area, self.metric, self.window, self.ambition]
        self.box = widgets.VBox([*pickers, self.verdict, widgets.HBox([self.keep, self.kept])])

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.box._repr_mimebundle_(**kwargs)

    def judged(self) -> Assessment | None:
        """Judge what is picked; None while the name of the area is not complete."""
        code = self._codes.get(self.area.value)
        if code is None or self.window.value is None:
            return None
        return self.what_if.judge(code, self.metric.value, self.window.value, self.ambition.value)

    def _new_metric(self, _change: object = None) -> None:
        lower = METRICS[self.metric.value].polarity == "lower"
        windows = self.what_if.payments(self.metric.value)
        self.window.options = windows
        self.window.value = windows[0][1] if windows else None
        self.ambition.value = -5.0 if lower else 5.0
        self._show()

    def _show(self, _change: object = None) -> None:
        row = self.judged()
        self.kept.value = ""
        if row is None:
            self.verdict.value = "<p>Pick an area from the list.</p>"
            return
        self.verdict.value = str(verdict_html(row, is_example=self.what_if.data.is_example))

    def _keep(self, _button: object = None) -> None:
        row = self.judged()
        if row is None:
            return
        key = [row["area_code"], row["metric"], row["payment"]]
        kept = [line for line in self._targets() if line[:3] != key]
        with self.targets_file.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(TARGET_COLUMNS)
            writer.writerows([*kept, [*key, f"{self.ambition.value:g}", "explore notebook"]])
        self.kept.value = f"<p>Kept in {Markup.escape(self.targets_file)}.</p>"

    def _targets(self) -> list[list[str]]:
        """Read the rows kept so far."""
        if not self.targets_file.exists():
            return []
        with self.targets_file.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))[1:]


def verdict_html(row: Assessment, *, is_example: bool) -> Markup:
    """Write one assessment for a notebook: sentences, values and chances.

    Parameters
    ----------
    row : dict
        From `WhatIf.judge`.
    is_example : bool
        Whether the figures are made up; the text then says so.
    """
    metric = METRICS[row["metric"]]
    levels = [
        ("Baseline", row["baseline_value"]),
        ("Target", row["target_value"]),
        ("Payment line, 70% of the way", row["payment_line"]),
        ("Expected if nothing is done", row["do_nothing_value"]),
        ("Just significant against usual movement", row["minimum_significant_value"]),
        ("Found significant with 80% power", row["detectable_value"]),
    ]
    return fill(
        "verdict.html.j2",
        note=EXAMPLE if is_example else "",
        verdict=row["verdict"].replace("_", " "),
        ambition=f"{signed(row['ambition_percent'])}%",
        reasons=row["reasons"],
        chances=[(number(100 * row[name]), words) for name, words in CHANCES],
        levels=html_table(
            ["Level", metric.unit],
            [[name, sentences.value(value, metric)] for name, value in levels],
            f"{metric.short_name}: levels to compare",
            numeric=(1,),
        ),
    )
