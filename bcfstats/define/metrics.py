"""What each metric is: its definition, kind of statistic, unit, polarity, source, breaks and caveats."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from bcfstats.define.datafiles import (
    Table,
    check_choice,
    check_keys,
    near_misses,
    number,
    read_rows,
    read_toml,
    texts,
)
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError

Scale = Literal["ratio", "difference"]


@dataclass(frozen=True)
class Kind:
    """The facts about a statistic that any room may ask for.

    A `change` is told as a ratio in per cent or as a difference in points; `scale` is what movement
    between years is measured on, logs or values. `is_share`: no value passes the multiplier; `is_survey`:
    estimated from the weighted answers of a sample; `is_quotient`: numerator / denominator x multiplier,
    and nothing else; `is_standardised`: counts alone cannot give it; `counts_events`: the numerator
    counts events or people, as that of a mean score does not; `counts_people`: the denominator counts the
    people measured; `per_resident`: it is a resident population.
    """

    change: Scale
    scale: Scale
    is_share: bool = False
    is_survey: bool = False
    is_quotient: bool = True
    is_standardised: bool = False
    counts_events: bool = True
    counts_people: bool = False
    per_resident: bool = False

    @property
    def is_counted_share(self) -> bool:
        """Whether it is a share of people who were all counted: both those in and those out are known."""
        return self.is_share and not self.is_survey

    @property
    def gives_numerator_away(self) -> bool:
        """Whether value and denominator together tell how many were counted."""
        return self.is_quotient and self.counts_events

    @property
    def is_exact(self) -> bool:
        """Whether the counts give the value exactly."""
        return self.gives_numerator_away and not self.is_survey

    @property
    def needs_population(self) -> bool:
        """Whether the value is a count over a resident population, and nothing else."""
        return self.is_quotient and self.per_resident

    @property
    def tells_events(self) -> bool:
        """Whether a change of the value is so many events or people more or fewer."""
        return self.counts_events and not self.is_survey and not self.is_standardised


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "crude_rate": Kind("ratio", "ratio", per_resident=True),
        "proportion": Kind("difference", "difference", is_share=True, counts_people=True),
        "ratio_of_counts": Kind("ratio", "ratio", counts_people=True),
        "survey_proportion": Kind(
            "difference", "difference", is_share=True, is_survey=True, counts_people=True
        ),
        "mean": Kind("difference", "difference", is_survey=True, counts_events=False, counts_people=True),
        "directly_standardised_rate": Kind(
            "ratio", "ratio", is_quotient=False, is_standardised=True, per_resident=True
        ),
        "indirectly_standardised_rate": Kind(
            "ratio", "ratio", is_quotient=False, is_standardised=True, per_resident=True
        ),
        "modelled_ratio": Kind("difference", "ratio", is_quotient=False),
    }
)

CHOICES = {
    "group": ("national", "replacement", "local", "later"),
    "polarity": ("lower", "higher"),
    "frequency": ("month", "quarter", "year", "wave"),
    "statistic": tuple(KINDS),
    "nature": ("flow", "stock", "sample"),
}
_YEAR_OF_CODE = re.compile(r"(.*?)[\s,(]+(\d{4})\s?[-/]\s?(?:\d\d|\d{4})\)?")
ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
_REQUIRED: dict[str, type] = {
    **dict.fromkeys(("id", "name", "short_name", "numerator", "denominator", "age_group", "unit"), str),
    **dict.fromkeys(("polarity", "frequency", "statistic", "source", "publisher"), str),
    "multiplier": object,
    "independent_events": bool,
    "decimals": int,
}
_OPTIONAL: dict[str, type] = {
    **dict.fromkeys(("code", "framework", "group", "lag", "fingertips_id", "event", "nature"), str),
    **dict.fromkeys(("breaks", "caveats", "sources", "bounds", "parts"), list),
}
EVENTS, MOST_WORDS_OF_AN_EVENT = "events", 6


@dataclass(frozen=True)
class SeriesBreak:
    """From the day named on, a definition or source is another: what changed, and who says so."""

    date: date
    what: str
    source: str


@dataclass(frozen=True)
class Unusual:
    """A run of days that is no guide to ordinary ones, for every metric."""

    start: date
    end: date
    what: str
    source: str

    @property
    def words(self) -> str:
        """Why a figure of it is left out."""
        span = Period(self.start, self.end).label
        return f"a time of {self.what} ({span}): in no baseline, season or usual change"

    @property
    def level(self) -> str:
        """How a comparison across it is to be read."""
        return f"{self.what} lies between: a level before and one after, not a trend"


@dataclass(frozen=True)
class Metric:
    """What a metric measures and how its numbers behave.

    `code` and `framework` are those of its outcomes framework, `group` says which rules brought it in:
    "national" (December 2013), "replacement" (July 2014), "local" or "later" (since 2016). The value is
    numerator / denominator x `multiplier`, in `unit`; a monthly metric over a longer window is the
    average per month. `polarity` is the better way, "lower" or "higher"; `frequency` how often it is
    published; `statistic` its `kind`; `nature` whether it is a "flow" (counted over the period), a
    "stock" (how many there are at a time) or a "sample" (some of those concerned): it decides what may be
    told per month. `event` is what is counted, as a sentence names it, `bounds` the lowest and highest
    value there can be, `independent_events` whether the things counted may be taken as independent,
    `parts` the metrics it is made of, `fingertips_id` the indicator of a Fingertips export that holds it.
    """

    id: str
    code: str
    framework: str
    group: str
    name: str
    short_name: str
    numerator: str
    denominator: str
    age_group: str
    multiplier: float
    unit: str
    polarity: str
    frequency: str
    statistic: str
    independent_events: bool
    source: str
    publisher: str
    lag: str
    breaks: tuple[SeriesBreak, ...]
    caveats: tuple[str, ...]
    decimals: int
    sources: tuple[str, ...]
    nature: str
    event: str
    bounds: tuple[float, float]
    fingertips_id: str = ""
    parts: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What kind of statistic it is."""
        return KINDS[self.statistic]

    @property
    def direction(self) -> float:
        """Plus one where higher is better, minus one where lower is."""
        return 1.0 if self.polarity == "higher" else -1.0

    @property
    def points(self) -> str:
        """What a difference of two values is counted in."""
        return "percentage points" if self.unit == "%" else "points"


def get_metric(id: str, metrics: Mapping[str, Metric] | None = None, among: Collection[str] = ()) -> Metric:
    """Find a metric by its id, by a name in use, or by its code in an outcomes framework.

    Capitals, spaces and the dot in "2.6.i" do not matter. A code that has meant several things needs its
    year, a name that several metrics go by is that of the one `among` those a scheme asks for; else it is
    refused with all of them. A name that is none is refused with the nearest names.

    >>> get_metric("2A(2)").id, get_metric("2C 2024/25").id, get_metric("DTOC").id
    ('care_home_admissions', 'long_term_care_home_admissions', 'delayed_transfers')
    """
    metrics = METRICS if metrics is None else metrics
    dated = _YEAR_OF_CODE.fullmatch(str(id).strip())
    wanted, year = (_bare(dated[1]), int(dated[2])) if dated else (_bare(id), None)
    meanings = [one for one in CODES if wanted in {_bare(one.code), _bare(one.framework + one.code)}]
    if meanings:
        wanted = _bare(_meant(id, meanings, year))
    for metric in metrics.values():
        codes = {_bare(metric.code), _bare(metric.framework + metric.code)} if metric.code else set()
        if wanted in {_bare(metric.id), *codes}:
            return metric
    names = [*SYNONYMS, *((name, one.id) for one in metrics.values() for name in (one.short_name, one.name))]
    ids = list(dict.fromkeys(of for name, of in names if wanted == _bare(name) and of in metrics))
    ids = [of for of in ids if of in among] or ids
    if len(ids) == 1:
        return metrics[ids[0]]
    raise ParameterError(
        "Several metrics go by this name." if ids else "There is no such metric.",
        found=f"'{id}'",
        do=f"Write one of {', '.join(ids)}."
        if ids
        else near_misses(str(id), metrics, also=[name for name, _ in names]),
    )


@dataclass(frozen=True)
class CodeYears:
    """What a code of an outcomes framework meant over some financial years; no `metric` if none of these."""

    framework: str
    code: str
    first_year: str
    last_year: str
    metric: str
    what: str

    @property
    def words(self) -> str:
        """What it meant and when, such as "from 2024/25 long-term admissions"."""
        ends = [f"{start} {year}/{(int(year) + 1) % 100:02d}" for start, year in self._ends if year]
        return f"{' '.join(ends)} {self.metric or self.what}"

    @property
    def _ends(self) -> tuple[tuple[str, str], ...]:
        if self.first_year == self.last_year:
            return (("in", self.first_year),)
        return ("from", self.first_year), ("to", self.last_year)

    def holds(self, year: int) -> bool:
        """Whether it is what the code meant in the financial year that starts in `year`."""
        return int(self.first_year or year) <= year <= int(self.last_year or year)


class CodeYearError(ParameterError):
    """A code that was not, or not always, that of one metric."""


def _meant(id: str, meanings: list[CodeYears], year: int | None) -> str:
    """Give the id of the metric that a code meant in a year, or at all times."""
    held = [one for one in meanings if year is None or one.holds(year)]
    if len({one.metric for one in held}) == 1 and held[0].metric:
        return held[0].metric
    raise CodeYearError(
        "This code has meant different things: its year is needed."
        if len(held) > 1
        else "This code was not that of any metric here in that year.",
        found=f"'{id}'",
        do=f"It was {'; '.join(one.words for one in meanings)}. Write the metric's id, or code and year: "
        f"{meanings[0].code} 2024/25.",
    )


def load_metrics(path: str | Path) -> Mapping[str, Metric]:
    """Read an area's own metrics and give them after those of the fund, read-only.

    A TOML file of `[[metric]]` tables in the form of `metrics.toml`. May be left out: code, framework,
    group ("local"), lag ("not confirmed"), breaks, caveats, sources, parts, fingertips_id, nature
    ("sample" for a survey, "stock" for a modelled ratio, else "flow"), event (the numerator if it is a
    few words, else "events") and bounds (zero, and the multiplier of a share). A wrong entry, or an id
    already taken, is refused.
    """
    return MappingProxyType({**METRICS, **_read_metrics(Path(path), taken=METRICS)})


def _read_metrics(path: Path, taken: Mapping[str, Metric]) -> dict[str, Metric]:
    file = check_keys(read_toml(path), path.name, {"metric": list}, {})
    metrics: dict[str, Metric] = {}
    for position, table in enumerate(file["metric"], start=1):
        name = table.get("id", position) if isinstance(table, dict) else position
        metric = _metric(table, f"{path.name}, metric {name}")
        if metric.id in metrics or metric.id in taken:
            raise InputError(
                "This id is already taken.",
                where=f"{path.name}, metric {position}",
                found=f"'{metric.id}'",
                do="Give each metric an id of its own.",
            )
        metrics[metric.id] = metric
    return metrics


def _metric(table: object, where: str) -> Metric:
    entry: Table = {"code": "", "framework": "", "group": "local", "lag": "not confirmed"}
    entry |= check_keys(table, where, _REQUIRED, _OPTIONAL)
    entry = {"nature": _usual_nature(entry["statistic"]), "event": _usual_event(entry["numerator"]), **entry}
    for key, choices in CHOICES.items():
        check_choice(entry[key], choices, key, where)
    if not ID.fullmatch(entry["id"]):
        raise InputError(
            "'id' is not an id: files and columns are named after it.",
            where=where,
            found=repr(entry["id"]),
            do="Use up to 60 letters, digits, '_' and '-', a letter first.",
        )
    multiplier = float(number(entry, "multiplier", where))
    if multiplier <= 0 or entry["decimals"] < 0:
        key = "multiplier" if multiplier <= 0 else "decimals"
        raise InputError(
            f"'{key}' is too small.",
            where=where,
            found=str(entry[key]),
            do="Use a positive number (decimals: 0 or more).",
        )
    breaks = sorted((_break(item, where) for item in entry.pop("breaks", [])), key=lambda item: item.date)
    lists = {key: texts(entry, key, where) for key in ("caveats", "sources", "parts")}
    kind = KINDS[entry["statistic"]]
    bounds = _bounds(entry, multiplier if kind.is_share else math.inf, where)
    return Metric(**{**entry, **lists, "multiplier": multiplier, "breaks": tuple(breaks), "bounds": bounds})


def _usual_nature(statistic: str) -> str:
    if statistic == "modelled_ratio":
        return "stock"
    return "sample" if statistic in KINDS and KINDS[statistic].is_survey else "flow"


def _usual_event(numerator: str) -> str:
    """Take the numerator's own words where they are few and name several things."""
    words = numerator.split()
    plural = any(word.endswith("s") or word.casefold() == "people" for word in words)
    if not plural or len(words) > MOST_WORDS_OF_AN_EVENT:
        return EVENTS
    return numerator[:1].lower() + numerator[1:]


def _bounds(entry: Table, highest: float, where: str) -> tuple[float, float]:
    given = entry.get("bounds", [0.0, highest])
    numbers = [x for x in given if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) != 2 or len(given) != 2 or not numbers[0] < numbers[1]:
        raise InputError(
            "'bounds' must be the lowest and the highest value there can be.",
            where=where,
            found=str(given),
            do="Write two numbers, such as [0, 24].",
        )
    return float(numbers[0]), min(float(numbers[1]), highest)


def _break(table: object, where: str) -> SeriesBreak:
    where = f"{where}, breaks"
    entry: Table = check_keys(table, where, {"date": date, "what": str, "source": str}, {})
    if isinstance(entry["date"], datetime):
        raise InputError(
            "'date' must be a day.", where=where, found=str(entry["date"]), do="Write 2014-04-01."
        )
    return SeriesBreak(**entry)


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", str(text).lower())


_HERE = Path(__file__).parent
_FIRST = _read_metrics(_HERE / "metrics.toml", taken={})
METRICS: Mapping[str, Metric] = MappingProxyType(
    {**_FIRST, **_read_metrics(_HERE / "metrics_later.toml", taken=_FIRST)}
)
SYNONYMS = tuple((row["name"], row["metric"]) for row in read_rows(_HERE / "synonyms.csv"))
UNUSUAL = tuple(Unusual(**entry) for entry in read_toml(_HERE / "unusual.toml")["unusual"])
CODES = tuple(CodeYears(**row) for row in read_rows(_HERE / "codes.csv"))
