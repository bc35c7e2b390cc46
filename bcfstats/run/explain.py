"""Definitions and methods in plain words, and lists of what there is."""

import textwrap
from collections.abc import Callable

from bcfstats.define.areas import AREAS
from bcfstats.define.metrics import METRICS, Metric, get_metric
from bcfstats.define.schemes import SCHEMES, scheme
from bcfstats.errors import ParameterError
from bcfstats.show.words import day
from bcfstats.stats.explain import explain, method_names


def explain_name(name: str) -> str:
    """Explain a method or a metric.

    Raises
    ------
    ParameterError
        If the name is neither.
    """
    try:
        return explain_metric(get_metric(name))
    except ParameterError:
        pass
    try:
        return explain(name)
    except ParameterError as error:
        raise ParameterError(
            "This is neither a metric nor a method.",
            found=f"'{name}'",
            do=f"{error.do} 'bcfstats list metrics' and 'bcfstats list methods' name them all.",
        ) from None


def explain_metric(metric: Metric) -> str:
    """Write out the definition of a metric, its breaks and its caveats.

    Examples
    --------
    >>> print(explain_metric(METRICS["delayed_transfers"]).splitlines()[0])
    Delayed transfers of care... (delayed_transfers)
    """
    facts = [
        ("Framework code", f"{metric.framework} {metric.code}".strip() or "none"),
        ("Numerator", metric.numerator),
        ("Denominator", metric.denominator),
        ("Unit", metric.unit),
        ("Better is", metric.polarity),
        ("Published", f"every {metric.frequency}, lag: {metric.lag}"),
        ("Source", f"{metric.source}; {metric.publisher}"),
        *(("Series break", f"{day(found.date)}: {found.what} ({found.source})") for found in metric.breaks),
        *(("Caveat", caveat) for caveat in metric.caveats),
    ]
    lines = [f"{metric.name} ({metric.id})"]
    lines += [textwrap.fill(f"{label}: {text}", 100, subsequent_indent="  ") for label, text in facts]
    return "\n".join(lines)


def _metrics() -> list[str]:
    return [f"{metric.id:34} {metric.code:8} {metric.short_name}" for metric in METRICS.values()]


def _areas() -> list[str]:
    return [f"{area.area_code}  {area.area_name:32} {area.region}" for area in AREAS.values()]


def _schemes() -> list[str]:
    return [f"{name:14} {scheme(name).title}" for name in SCHEMES]


LISTS: dict[str, Callable[[], list[str]]] = {
    "metrics": _metrics,
    "areas": _areas,
    "schemes": _schemes,
    "methods": lambda: list(method_names()),
}
