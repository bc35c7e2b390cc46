"""What a target would mean: levels of ambition as steps, what is recommended shaded."""

import math
from collections.abc import Sequence

import numpy as np

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.show import sentences
from bcfstats.show.charts.chart import Chart
from bcfstats.show.charts.drawing import Plot, ends
from bcfstats.show.palettes import ANALYSIS_FUNCTION
from bcfstats.show.sentences import ResultRow
from bcfstats.words import of_100, with_unit

SHORT_RUNGS = {
    "no_change": "No change",
    "trend": "Trend only",
    "beats_noise": "Beats noise",
    "significant": "Significant",
    "detectable": sentences.POWER,
    "best_quartile": "Peers' best quarter",
    "best_decile": "Peers' best tenth",
    "rarely_by_luck": "Rarely by luck",
}
RUNG_HEADINGS = (
    *("Level", "Value", "Change from baseline", "{} if nothing is done, in 100"),
    *("{} if delivered, in 100", "Peers' years that did as much, in 100", "Note"),
)


def ladder_chart(
    area: str,
    metric: Metric,
    window: Period,
    rungs: Sequence[ResultRow],
    look: str = ANALYSIS_FUNCTION,
    *,
    recommended: Sequence[float] = (),
    target: float = math.nan,
    pays: bool = True,
) -> Chart | None:
    """Draw levels of ambition as steps from the baseline, each with its chance of payment by luck.

    The rungs are those of one payment, from the easiest to the hardest; nothing is drawn where no level is a
    possible value. Shaded is what is recommended, dashed the proposed target.
    """
    shown = [rung for rung in rungs if np.isfinite(rung["value"])]
    if not shown:
        return None
    values = np.array([rung["value"] for rung in shown], dtype=float)
    names = [SHORT_RUNGS[rung["rung"]] for rung in shown]
    beside = [
        "\n".join(filter(None, (name, _beside_step(rung["p_paid_do_nothing"]))))
        for name, rung in zip(names, shown, strict=True)
    ]
    base = next((rung["value"] for rung in shown if rung["rung"] == "no_change"), values[0])
    given = [*recommended, *([target] if math.isfinite(target) else [])]
    across, height = ends(values, base, given, margin=0.08), 0.42 * len(shown) + 0.95
    unit = sentences.unit(metric)
    plot = Plot(unit, across, (-0.5, len(shown) - 0.5), height=height, names=beside, look=look)
    place = np.arange(len(shown), dtype=float)[::-1]
    plot.label_values(below=True)
    if recommended:
        plot.band((min(recommended), max(recommended)), None, "band")
        plot.text(max(recommended), plot.up[1], "recommended", align="right", shift=(-2, 6))
    if math.isfinite(target):
        plot.line([target] * 2, plot.up, "alert", width=2.2, dashes=(0, (4, 2)))
        plot.text(target, plot.up[0], "target", shift=(3, 6))
    plot.line([base] * 2, plot.up, "text", width=0.8)
    plot.bars(base, values, place, place, "comparison")
    plot.points(values, place, "series", size=7)
    plot.label_places(place, beside, beside=True)
    caption = (
        f"Levels of ambition for {metric.short_name}, {window.label}, {area}, "
        f"with the chance of {'payment' if pays else 'reaching it'} if nothing is done"
    )
    first, last = (f"{sentences.value(values[i], metric)} ({names[i].lower()})" for i in (0, -1))
    rows = [
        [
            rung["what"],
            sentences.value(rung["value"], metric),
            with_unit(rung["ambition_percent"], "%"),
            *(of_100(rung[name]) for name in ("p_paid_do_nothing", "p_paid_if_delivered", "reach")),
            rung["note"],
        ]
        for rung in rungs
    ]
    told = [f"{caption}: from {first} to {last}."]
    told += [f"Recommended: {' to '.join(sentences.value(x, metric) for x in recommended)}."] * bool(
        recommended
    )
    told += [f"Proposed: {sentences.value(target, metric)}."] * math.isfinite(target)
    headings = [heading.format("Paid" if pays else "Reached") for heading in RUNG_HEADINGS]
    return Chart(plot.figure, " ".join(told), caption, headings, rows)


def _beside_step(chance: float) -> str:
    """Write a chance where there is little room."""
    if not np.isfinite(chance):
        return ""
    return f"{of_100(chance)} in 100".replace("under ", "<").replace("over ", ">")
