"""What each year of the fund asks for: metrics, plan periods and, where it pays, payments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

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
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError

LOCAL = "local"
DEFAULT_SCHEME = "bcf-2013-12"
_FOLDER = Path(__file__).with_name("schemes")
SCHEMES: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))
ROLES = ("headline", "supporting", "dropped")
PLAN_PERIODS = ("month", "quarter", "year", "rolling year")
WORDS = ("ambition", "target", "goal")
STATUS_WORDS = {"on_track": "on track", "not_on_track": "not on track", "no_data": "data not available"}
# what is said of payment, and what is said where nothing is paid, in the order in which it is looked for
_PAID = tuple(
    (row["paid"], row["planned"]) for row in read_rows(Path(__file__).with_name("unpaid_words.csv"))
)
NO_GOAL = "no {word} is set for it: it is a {role} metric of this scheme"


@dataclass(frozen=True)
class Pot:
    """Part of a payment, in millions of pounds for all England, with the conditions it may rest on."""

    amount_millions: Decimal
    paid_for: str  # "national_conditions" or "metrics"
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a scheme without money asks of one metric, and whether a source confirms that it does.

    `role` is one of `ROLES`, `plan_periods` are the periods its plan is stated by, of `PLAN_PERIODS`.
    """

    role: str
    plan_periods: tuple[str, ...]
    confirmed: bool
    note: str = ""


@dataclass(frozen=True)
class Payment:
    """One payment: its money, and the metrics it rests on, each with its period, or None where that is open.

    Of a scheme that pays nothing it is a period planned for, with no pots: a year, or a quarter.

    "local" stands for the metric chosen locally; `reasons` say why a period is open or a metric not paid for.
    """

    id: str
    label: str
    pots: tuple[Pot, ...]
    metrics: Mapping[str, Period | None]
    reasons: Mapping[str, str]
    confirmed: bool = True

    @property
    def weights(self) -> Mapping[str, Fraction]:
        """Share of the money for metrics that each metric carries: equal shares."""
        return {metric: Fraction(1, len(self.metrics)) for metric in self.metrics}

    @property
    def metrics_millions(self) -> Decimal | None:
        """Millions of pounds, all England, that rest on metrics; None where the sums are not known."""
        amounts = [pot.amount_millions for pot in self.pots if pot.paid_for == "metrics"]
        return sum(amounts, Decimal(0)) if amounts else None

    def weight(self, metric: Metric) -> Fraction:
        """Share of the money for metrics that a metric carries, nothing where it is not paid for."""
        paid_as = self.paid_as(metric)
        return self.weights[paid_as] if paid_as else Fraction(0)

    def paid_as(self, metric: Metric) -> str | None:
        """Name a metric has in this payment: its own, "local", or None where it is not paid for."""
        if metric.id in self.metrics:
            return metric.id
        return LOCAL if LOCAL in self.metrics and metric.group == "local" else None


@dataclass(frozen=True)
class Setting:
    """A number of a scheme that a user may have to replace, and whether a source confirms it."""

    value: Decimal  # the name of the setting gives the unit
    what: str
    confirmed: bool
    source: str


@dataclass(frozen=True)
class Scheme:
    """The rules of a year of the fund: what is planned for, and what is paid where it pays.

    `pass_share` is the share of the ambition that counts as achieved, None where there is no such line;
    `if_achieved`, `if_missed` and `consequences` are what follows from achieving it, from missing it, and
    whichever way it goes; `baseline_lag_months` is how long before the performance the baseline lies.
    `word` is what a plan is called, `metrics` what is asked of each, `due` when plans were due,
    `status_words` those of the returns, `no_plan` why none was required, `unconfirmed` what is not confirmed.
    """

    id: str
    title: str
    source: str
    status: str
    pass_share: Decimal | None
    baseline_lag_months: int
    payments: tuple[Payment, ...]
    if_achieved: tuple[str, ...]
    if_missed: tuple[str, ...]
    consequences: tuple[str, ...]
    caveats: tuple[str, ...]
    settings: Mapping[str, Setting]
    pays: bool = True
    word: str = WORDS[0]
    metrics: Mapping[str, Asked] = field(default_factory=dict)
    due: str = ""
    status_words: Mapping[str, str] = field(default_factory=lambda: STATUS_WORDS)
    no_plan: str = ""
    unconfirmed: tuple[str, ...] = ()

    def must_plan(self) -> None:
        """Refuse a scheme in which nothing is to be set, and say why."""
        if not self.payments:
            why = self.no_plan or f"No {self.word} is set for any of its metrics."
            raise ParameterError(
                "There is nothing to set.", where=f"scheme {self.id}", do=f"{why} Name another scheme."
            )

    @property
    def headline(self) -> str:
        """The scheme in one line: its title, and what of it is confirmed."""
        open_ = [name for name, asked in self.metrics.items() if not asked.confirmed]
        open_ += [payment.label for payment in self.payments if self.pays and not payment.confirmed]
        open_points = (*self.unconfirmed, *(["what is asked of " + ", ".join(open_)] if open_ else []))
        standing = "Not confirmed: " + "; ".join(open_points) if open_points else "Confirmed"
        return f"{self.title}. {'No plan was required. ' if self.no_plan else ''}{standing}."

    @property
    def told(self) -> str:
        """The scheme as pages name it: its title, and of one without money what is not confirmed."""
        return self.title if self.pays else self.headline.removesuffix(" Confirmed.").rstrip(".")

    @property
    def line_share(self) -> float:
        """How far from baseline to target the line lies: all the way where the scheme has no pass share."""
        return 1.0 if self.pass_share is None else float(self.pass_share)

    @property
    def line_words(self) -> str:
        """How far from baseline to target the line lies, such as "70%"."""
        return f"{100 * self.line_share:g}%"

    def said(self, text: str) -> str:
        """Say a sentence about payment in the words of a scheme that pays nothing, but has goals to reach.

        >>> scheme("bcf-2025-26").said("12 in 100 would still reach the payment line of 90.0.")
        '12 in 100 would still reach the goal of 90.0.'
        """
        for paid, planned in () if self.pays else _PAID:
            text = text.replace(paid, planned.format(word=self.word, Word=self.word.capitalize()))
        return text

    def payment_id(self, text: str) -> str:
        """Write a payment as its id; a period that stands for one, such as 2014/15, is kept as it is."""
        known = {payment_key(name): one.id for one in self.payments for name in (one.id, one.label)}
        return known.get(payment_key(text), str(text).strip())

    def what_follows(self, achieved: bool | None) -> tuple[str, ...]:
        """Say what follows from achieving or missing the ambition, in the words of the scheme.

        >>> [text[-5:] for text in scheme().what_follows(True)]
        ['(57).', '(56).']
        >>> scheme().what_follows(None)
        ('Not every metric due has an outcome yet.',)
        """
        if achieved is None:
            return ("Not every metric due has an outcome yet.",)
        return (*(self.if_achieved if achieved else self.if_missed), *self.consequences)

    def payment(self, id: str) -> Payment:
        """Find a payment by its id or label, however its month or quarter is written."""
        for payment in self.payments:
            if payment_key(id) in (payment_key(payment.id), payment_key(payment.label)):
                return payment
        names = [payment.id for payment in self.payments]
        raise ParameterError(
            "There is no such payment.",
            where=f"scheme {self.id}",
            found=f"'{id}'",
            do=near_misses(str(id), names),
        )


def payment_key(text: str) -> str:
    """Write a payment or period in one way, whatever its spelling.

    >>> payment_key("April 2015") == payment_key("2015-04"), payment_key(" First Payment")
    (True, 'first payment')
    """
    try:
        return str(Period.parse(str(text)))
    except ParameterError:
        return str(text).strip().casefold()


def payment_label(text: str) -> str:
    """Write a payment as a period in words where it is one, else as it stands."""
    try:
        return Period.parse(str(text)).label
    except ParameterError:
        return str(text)


def scheme(
    name_or_path: Scheme | str | Path = DEFAULT_SCHEME, metrics: Mapping[str, Metric] = METRICS
) -> Scheme:
    """Give the payment rules of a scheme.

    It answers: what is paid, when, and on which metrics and months?

    Parameters
    ----------
    name_or_path : Scheme, str or Path
        One of `SCHEMES`, or the path of a TOML file in the form of those in `define/schemes/`; a scheme is
        given back as it is.
    metrics : mapping of str to Metric
        Metrics that payments may name, such as those `load_metrics` gives.

    Returns
    -------
    Scheme

    Raises
    ------
    ParameterError
        If there is no scheme of that name, with the nearest names.
    InputError
        If the file cannot be read, or has a missing, unknown or wrong entry.

    Examples
    --------
    >>> [payment.label for payment in scheme("bcf-2013-12").payments]
    ['April 2015', 'October 2015']
    """
    if isinstance(name_or_path, Scheme):
        return name_or_path
    if str(name_or_path) in SCHEMES:
        return _read_scheme(_FOLDER / f"{name_or_path}.toml", METRICS)
    if Path(name_or_path).suffix.lower() == ".toml":
        return _read_scheme(Path(name_or_path), metrics)
    raise ParameterError(
        "There is no such scheme.",
        found=f"'{name_or_path}'",
        do=f"{near_misses(str(name_or_path), SCHEMES)} Or give the path of a .toml file.",
    )


def schemes_with(metric: Metric) -> list[str]:
    """List the schemes that ask for a metric, the latest first."""
    return [name for name in reversed(SCHEMES) if any(one.paid_as(metric) for one in scheme(name).payments)]


def _read_scheme(path: Path, metrics: Mapping[str, Metric]) -> Scheme:
    where = path.name
    required: dict[str, type] = {
        **dict.fromkeys(("id", "title", "source", "status"), str),
        "baseline_lag_months": int,
    }
    optional: dict[str, type] = {
        **dict.fromkeys(("if_achieved", "if_missed", "consequences", "caveats", "unconfirmed"), list),
        **dict.fromkeys(("word", "due", "no_plan"), str),
        **dict.fromkeys(("settings", "metrics", "status_words"), dict),
        **dict.fromkeys(("payment", "years"), list),
        "pass_share": object,
    }
    file = check_keys(read_toml(path), where, required, optional)
    if ("payment" in file) == ("years" in file):
        raise InputError(
            "A scheme has either payments or years that are planned for.",
            where=where,
            do='Add [[payment]] tables, or a line such as years = ["2025/26"].',
        )
    word = file.get("word", WORDS[0])
    check_choice(word, WORDS, "word", where)
    if pays := "payment" in file:
        payments = tuple(_payment(table, where, i, metrics) for i, table in enumerate(file["payment"], 1))
        asked: dict[str, Asked] = {}
    else:
        asked, payments = _planned(file, word, where, metrics)
    _check_distinct([name for p in payments for name in {p.id.lower(), p.label.lower()}], where)
    if file["baseline_lag_months"] <= 0:
        raise _wrong("'baseline_lag_months' must be 1 or more.", where, file["baseline_lag_months"])
    status_words = check_keys(
        file.get("status_words", {}), f"{where}, status_words", {}, dict.fromkeys(STATUS_WORDS, str)
    )
    return Scheme(
        **{key: file[key] for key in ("id", "title", "source", "status", "baseline_lag_months")},
        pass_share=_pass_share(file, where),
        payments=payments,
        if_achieved=texts(file, "if_achieved", where),
        if_missed=texts(file, "if_missed", where),
        consequences=texts(file, "consequences", where),
        caveats=texts(file, "caveats", where),
        settings={
            key: _setting(table, f"{where}, settings.{key}")
            for key, table in file.get("settings", {}).items()
        },
        pays=pays,
        word=word,
        metrics=asked,
        status_words={**STATUS_WORDS, **status_words},
        unconfirmed=texts(file, "unconfirmed", where),
        **{key: file.get(key, "") for key in ("due", "no_plan")},
    )


def _planned(
    file: Table, word: str, where: str, metrics: Mapping[str, Metric]
) -> tuple[dict[str, Asked], tuple[Payment, ...]]:
    """Read what is asked of each metric, and the periods it is planned for: the years, or its own windows."""
    years = texts(file, "years", where)
    asked: dict[str, Asked] = {}
    due: dict[str, dict[str, Period | None]] = {year: {} for year in years}
    why: dict[str, str] = {}
    optional = {"plan_periods": list, "windows": list, "confirmed": bool, "note": str, "open": str}
    for name, table in file.get("metrics", {}).items():
        here = f"{where}, metrics.{name}"
        _check_metric(name, metrics, here)
        entry = check_keys(table, here, {"role": str}, optional)
        check_choice(entry["role"], ROLES, "role", here)
        periods = texts(entry, "plan_periods", here)
        for period in periods:
            check_choice(period, PLAN_PERIODS, "plan_periods", here)
        asked[name] = Asked(entry["role"], periods, entry.get("confirmed", True), entry.get("note", ""))
        windows = texts(entry, "windows", here) or (years if entry["role"] == ROLES[0] else ())
        why[name] = entry.get("open", NO_GOAL.format(word=word, role=entry["role"]))
        for text in windows:
            due.setdefault(text, {})[name] = None if "open" in entry else _period(text, here)
    planned = (
        Payment(
            id=text,
            label=text,
            pots=(),
            metrics=found,
            reasons={name: told for name, told in why.items() if found.get(name) is None},
            confirmed=all(asked[name].confirmed for name in found),
        )
        for text, found in due.items()
        if found
    )
    return asked, tuple(planned)


def _check_metric(name: str, metrics: Mapping[str, Metric], where: str) -> None:
    if name != LOCAL and name not in metrics:
        found, do = f"'{name}'", near_misses(name, [*metrics, LOCAL])
        raise InputError("There is no such metric.", where=where, found=found, do=do)


def _payment(table: object, where: str, position: int, metrics: Mapping[str, Metric]) -> Payment:
    name = table.get("id", position) if isinstance(table, dict) else position
    where = f"{where}, payment {name}"
    optional: dict[str, type] = {
        "pot": list,
        "confirmed": bool,
        **dict.fromkeys(("metrics", "open", "not_paid"), dict),
    }
    entry = check_keys(table, where, {"id": str, "label": str}, optional)
    periods, still_open, not_paid = (
        _named_texts(entry, key, where) for key in ("metrics", "open", "not_paid")
    )
    named = [*periods, *still_open, *not_paid]
    _check_distinct(named, where)
    for metric in named:
        _check_metric(metric, metrics, where)
    if not periods and not still_open:
        raise InputError("The payment rests on no metric.", where=where, do="Add [payment.metrics].")
    windows = {metric: _period(text, f"{where}, {metric}") for metric, text in periods.items()}
    return Payment(
        id=entry["id"],
        label=entry["label"],
        pots=tuple(_pot(pot, f"{where}, pot") for pot in entry.get("pot", [])),
        metrics={**windows, **dict.fromkeys(still_open)},
        reasons={**still_open, **not_paid},
        confirmed=entry.get("confirmed", True),
    )


def _pot(table: object, where: str) -> Pot:
    entry = check_keys(table, where, {"amount_millions": object, "paid_for": str}, {"conditions": list})
    amount = Decimal(number(entry, "amount_millions", where))
    if amount <= 0:
        raise _wrong("'amount_millions' must be more than 0.", where, amount)
    check_choice(entry["paid_for"], ("national_conditions", "metrics"), "paid_for", where)
    return Pot(amount, entry["paid_for"], texts(entry, "conditions", where))


def _setting(table: object, where: str) -> Setting:
    required: dict[str, type] = {"value": object, "what": str, "confirmed": bool, "source": str}
    entry = check_keys(table, where, required, {})
    return Setting(**{**entry, "value": Decimal(number(entry, "value", where))})


def _pass_share(file: Table, where: str) -> Decimal | None:
    if "pass_share" not in file:
        return None
    share = Decimal(number(file, "pass_share", where))
    if not 0 < share <= 1:
        raise _wrong("'pass_share' must be more than 0 and at most 1, such as 0.70.", where, share)
    return share


def _period(text: str, where: str) -> Period:
    try:
        return Period.parse(text)
    except ParameterError as error:
        raise InputError(error.what, where=where, found=error.found, do=error.do) from None


def _named_texts(table: Table, key: str, where: str) -> dict[str, str]:
    entries: dict[str, str] = table.get(key, {})
    return {
        name: str(check_keys({name: text}, f"{where}, {key}", {name: str}, {})[name])
        for name, text in entries.items()
    }


def _check_distinct(names: list[str], where: str) -> None:
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise _wrong("The same name stands here twice.", where, f"'{repeated[0]}'")


def _wrong(what: str, where: str, found: object) -> InputError:
    return InputError(what, where=where, found=str(found), do="Correct it.")
