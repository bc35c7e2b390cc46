"""What is paid, when, and on what: the payment rules of the fund and an area's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from bcfstats.define.datafiles import Table, check_choice, check_keys, near_misses, number, read_toml, texts
from bcfstats.define.metrics import METRICS, Metric
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError

LOCAL = "local"
DEFAULT_SCHEME = "bcf-2013-12"
_FOLDER = Path(__file__).with_name("schemes")
SCHEMES: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@dataclass(frozen=True)
class Pot:
    """Part of a payment, in millions of pounds for all England, with the conditions it may rest on."""

    amount_millions: Decimal
    paid_for: str  # "national_conditions" or "metrics"
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Payment:
    """One payment: its money, and the metrics it rests on, each with its period, or None where that is open.

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
    """The rules by which a fund pays for performance.

    `pass_share` is the share of the ambition that counts as achieved, None where there is no such line;
    `if_achieved`, `if_missed` and `consequences` are what follows from achieving it, from missing it, and
    whichever way it goes; `baseline_lag_months` is how long before the performance the baseline lies.
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

    @property
    def line_share(self) -> float:
        """How far from baseline to target the line lies: all the way where the scheme has no pass share."""
        return 1.0 if self.pass_share is None else float(self.pass_share)

    @property
    def line_words(self) -> str:
        """How far from baseline to target the line lies, such as "70%"."""
        return f"{100 * self.line_share:g}%"

    def payment_id(self, text: str) -> str:
        """Write a payment as its id; a period that stands for one, such as 2014/15, is kept as it is."""
        known = {payment_key(name): one.id for one in self.payments for name in (one.id, one.label)}
        return known.get(payment_key(text), str(text).strip())

    def what_follows(self, achieved: bool | None) -> tuple[str, ...]:
        """Say what follows from achieving or missing the ambition, in the words of the scheme.

        Examples
        --------
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

    Examples
    --------
    >>> payment_key("April 2015") == payment_key("2015-04"), payment_key(" First Payment")
    (True, 'first payment')
    """
    try:
        return str(Period.parse(str(text)))
    except ParameterError:
        return str(text).strip().casefold()


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


def _read_scheme(path: Path, metrics: Mapping[str, Metric]) -> Scheme:
    where = path.name
    required: dict[str, type] = {
        **dict.fromkeys(("id", "title", "source", "status"), str),
        "baseline_lag_months": int,
        "payment": list,
    }
    optional: dict[str, type] = {
        **dict.fromkeys(("if_achieved", "if_missed", "consequences", "caveats"), list),
        "pass_share": object,
        "settings": dict,
    }
    file = check_keys(read_toml(path), where, required, optional)
    payments = tuple(_payment(table, where, i, metrics) for i, table in enumerate(file["payment"], start=1))
    _check_distinct([name for p in payments for name in {p.id.lower(), p.label.lower()}], where)
    if file["baseline_lag_months"] <= 0:
        raise _wrong("'baseline_lag_months' must be 1 or more.", where, file["baseline_lag_months"])
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
    )


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
        if metric != LOCAL and metric not in metrics:
            found, do = f"'{metric}'", near_misses(metric, [*metrics, LOCAL])
            raise InputError("There is no such metric.", where=where, found=found, do=do)
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
