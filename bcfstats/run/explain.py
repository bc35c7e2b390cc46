"""Definitions and methods in plain words, and lists of what there is."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from bcfstats.define.areas import REGISTER
from bcfstats.define.datafiles import read_toml
from bcfstats.define.metrics import METRICS, CodeYearError, Metric, get_metric
from bcfstats.define.schemes import SCHEMES, scheme
from bcfstats.errors import ParameterError
from bcfstats.words import day

_PAGES = resources.files("bcfstats.stats") / "methods"
_SUFFIX = ".md"


def method_names() -> list[str]:
    """Names of all methods that have a page, sorted."""
    pages = (page.name for page in _PAGES.iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in pages if name.endswith(_SUFFIX))


def explain(name: str) -> str:
    """Page of one method: what it answers, its formula, its source, when not to use it."""
    names = method_names()
    wanted = "_".join(name.replace("-", " ").lower().split())
    if wanted not in names:
        near = [known for known in names if wanted and wanted in known]
        near += [known for known in get_close_matches(wanted, names, n=5, cutoff=0.5) if known not in near]
        do = f"Did you mean {', '.join(near[:5])}?" if near else f"There are {', '.join(names)}."
        raise ParameterError("There is no method of this name.", found=f"'{name}'", do=do)
    page = (_PAGES / f"{wanted}{_SUFFIX}").read_text(encoding="utf-8")
    verdicts = read_toml(Path(str(resources.files("bcfstats.judge") / "verdicts.toml")))
    for id, verdict in verdicts.items():  # a page names verdicts by their ids
        page = page.replace(f"`{id}`", verdict["words"])
    return page


def explain_name(name: str) -> str:
    """Explain a method or a metric."""
    try:
        return explain_metric(get_metric(name))
    except CodeYearError:
        raise
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
    """Write out the definition of a metric, its breaks and its caveats."""
    facts = [
        ("Framework code", f"{metric.framework} {metric.code}".strip() or "none"),
        ("Numerator", metric.numerator),
        ("Denominator", metric.denominator),
        ("Unit", metric.unit),
        ("Better is", metric.polarity),
        ("Published", f"every {metric.frequency}, lag: {metric.lag}"),
        ("Source", f"{metric.source}; {metric.publisher}"),
        *(("Series break", f"{day(at.date)}: {at.what} ({at.source})") for at in metric.breaks),
        *(("Caveat", caveat) for caveat in metric.caveats),
    ]
    lines = [f"{metric.name} ({metric.id})"]
    lines += [textwrap.fill(f"{label}: {text}", 100, subsequent_indent="  ") for label, text in facts]
    return "\n".join(lines)


def _metrics() -> list[str]:
    return [f"{metric.id:34} {metric.code:8} {metric.short_name}" for metric in METRICS.values()]


def _areas() -> list[str]:
    return [
        f"{area.area_code}  {area.area_name:36} {area.region:26} {area.span}".rstrip()
        for area in REGISTER.values()
    ]


def _schemes() -> list[str]:
    return [f"{name:14} {scheme(name).headline}" for name in SCHEMES]


LISTS: dict[str, Callable[[], list[str]]] = {
    "metrics": _metrics,
    "areas": _areas,
    "schemes": _schemes,
    "methods": lambda: list(method_names()),
}
