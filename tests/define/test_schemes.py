"""Payment rules against the annex Developing Plans for the Better Care Fund (its paragraphs in the names)."""

import pickle
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from bcfstats.define.metrics import METRICS, load_metrics
from bcfstats.define.periods import Period
from bcfstats.define.schemes import SCHEMES, Scheme, scheme
from bcfstats.errors import InputError, ParameterError

OWN = """
id = "own"
title = "Own rules"
source = "Board paper"
status = "Draft"
pass_share = 0.5
baseline_lag_months = 12

[settings.unit_cost_pounds]
value = 1500.50
what = "Value of one admission"
confirmed = true
source = "Board paper"

[[payment]]
id = "2026-04"
label = "April 2026"
[[payment.pot]]
amount_millions = 1.25
paid_for = "metrics"
[payment.metrics]
reablement = "Oct-Dec 2025"
[payment.open]
local = "By its source."
"""


@pytest.fixture(scope="module")
def december() -> Scheme:
    return scheme("bcf-2013-12")


def test_paragraph_43_periods(december: Scheme) -> None:
    april, october = december.payments
    assert dict(april.metrics) == {
        "delayed_transfers": Period(date(2014, 4, 1), date(2014, 12, 31)),
        "avoidable_emergency_admissions": Period(date(2014, 4, 1), date(2014, 9, 30)),
        "local": None,
    }
    assert dict(october.metrics) == {
        "care_home_admissions": Period(date(2014, 4, 1), date(2015, 3, 31)),
        "reablement": Period(date(2014, 4, 1), date(2015, 3, 31)),
        "delayed_transfers": Period(date(2015, 1, 1), date(2015, 6, 30)),
        "avoidable_emergency_admissions": Period(date(2014, 10, 1), date(2015, 3, 31)),
        "patient_experience": None,
        "local": None,
    }


def test_paragraph_43_what_is_not_in_april_has_its_reason(december: Scheme) -> None:
    april, october = december.payments
    assert set(april.reasons) == {"care_home_admissions", "reablement", "patient_experience", "local"}
    assert "only available annually" in april.reasons["reablement"]
    assert set(october.reasons) == {"patient_experience", "local"}
    assert "to be confirmed" in october.reasons["patient_experience"]


def test_paragraphs_37_and_38_money(december: Scheme) -> None:
    pots = [[(pot.amount_millions, pot.paid_for) for pot in payment.pots] for payment in december.payments]
    assert pots == [[(250, "national_conditions"), (250, "metrics")], [(500, "metrics")]]
    assert [payment.metrics_millions for payment in december.payments] == [250, 500]
    assert len(december.payments[0].pots[0].conditions) == 4


def test_paragraph_36_the_payments_add_up_to_the_billion(december: Scheme) -> None:
    assert sum(pot.amount_millions for payment in december.payments for pot in payment.pots) == 1000


def test_paragraph_48_equal_weights(december: Scheme) -> None:
    april, october = december.payments
    assert set(april.weights.values()) == {Fraction(1, 3)}
    assert set(october.weights.values()) == {Fraction(1, 6)}
    assert sum(april.weights.values()) == sum(october.weights.values()) == 1


def test_paragraph_57_pass_share(december: Scheme) -> None:
    assert december.pass_share == Decimal("0.70")
    assert any("say which reading" in caveat for caveat in december.caveats)


def test_paragraph_56_no_withdrawal(december: Scheme) -> None:
    assert any("No money is withdrawn in 2015/16" in text for text in december.consequences)
    assert "Replaced on 25 July 2014" in december.status


def test_every_national_metric_is_in_the_october_payment(december: Scheme) -> None:
    national = {metric.id for metric in METRICS.values() if metric.group == "national"}
    assert set(december.payment("October 2015").metrics) == national | {"local"}


def test_july_2014_pays_for_non_elective_admissions_alone() -> None:
    july = scheme("bcf-2014-07")
    assert {metric for payment in july.payments for metric in payment.metrics} == {"non_elective_admissions"}
    assert [p.metrics["non_elective_admissions"] for p in july.payments] == [
        Period.parse(payment.id) for payment in july.payments
    ]
    assert july.pass_share is None
    assert [payment.metrics_millions for payment in july.payments] == [None] * 4


def test_july_2014_says_what_is_not_confirmed() -> None:
    july = scheme("bcf-2014-07")
    assert not any(payment.confirmed for payment in july.payments)
    assert july.settings["expected_change_percent"].value == Decimal("-3.5")
    confirmed = {name: setting.confirmed for name, setting in july.settings.items()}
    assert confirmed == {"expected_change_percent": True, "unit_cost_pounds": False}
    assert "not confirmed" in july.status


def test_a_scheme_can_be_sent_to_another_process(december: Scheme) -> None:
    assert pickle.loads(pickle.dumps(december)) == december


def test_schemes_are_named_as_their_files() -> None:
    years = ("2016-17", "2017-19", "2019-20", "2020-21", "2021-22", "2022-23", "2023-25")
    years += ("2025-26", "2026-27")
    named = ("bcf-2013-12", "bcf-2014-07", *(f"bcf-{year}" for year in years))
    assert named == SCHEMES
    assert tuple(scheme(name).id for name in SCHEMES) == SCHEMES


@pytest.mark.parametrize("text", ["2015-04", "April 2015", " april 2015 "])
def test_payment_by_id_and_label(december: Scheme, text: str) -> None:
    assert december.payment(text) is december.payments[0]


def test_payment_suggests(december: Scheme) -> None:
    with pytest.raises(ParameterError) as error:
        december.payment("2015-4")
    assert (
        "There is no such payment. Where: scheme bcf-2013-12. Found: '2015-4'. Did you mean '2015-04'"
        in str(error.value)
    )


def test_scheme_suggests() -> None:
    with pytest.raises(
        ParameterError, match=r"no such scheme. Found: 'bcf-2013'. Did you mean 'bcf-2013-12'"
    ):
        scheme("bcf-2013")


def _file(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_own_scheme(tmp_path: Path) -> None:
    own = scheme(_file(tmp_path, OWN))
    assert scheme(str(tmp_path / "own.toml")) == own
    (payment,) = own.payments
    assert (own.pass_share, payment.metrics_millions) == (Decimal("0.5"), Decimal("1.25"))
    assert own.settings["unit_cost_pounds"].value == Decimal("1500.50")
    assert payment.metrics == {"reablement": Period(date(2025, 10, 1), date(2025, 12, 31)), "local": None}
    assert payment.weights == {"reablement": Fraction(1, 2), "local": Fraction(1, 2)}
    assert (own.if_achieved, own.if_missed, own.consequences, own.caveats) == ((), (), (), ())


def test_an_own_scheme_may_name_own_metrics(tmp_path: Path) -> None:
    metric = METRICS["reablement"]
    fields = ("name", "short_name", "numerator", "denominator", "age_group", "unit", "polarity", "frequency")
    lines = [f'{key} = "{getattr(metric, key)}"' for key in (*fields, "statistic", "source", "publisher")]
    lines += ['id = "own_metric"', "multiplier = 100", "independent_events = true", "decimals = 1"]
    (tmp_path / "metrics.toml").write_text("[[metric]]\n" + "\n".join(lines), encoding="utf-8")
    path = _file(tmp_path, OWN.replace("reablement =", "own_metric ="))
    with pytest.raises(InputError, match="There is no such metric"):
        scheme(path)
    assert "own_metric" in scheme(path, load_metrics(tmp_path / "metrics.toml")).payments[0].metrics


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'title = "Own rules"',
            'titel = "Own"',
            "This key is not known. Where: own.toml. Found: 'titel'. Did you mean 'ti",
        ),
        ('status = "Draft"', "", "'status' is missing. Where: own.toml."),
        ("pass_share = 0.5", "pass_share = 70", "'pass_share' must be more than 0 and at most 1"),
        ("pass_share = 0.5", 'pass_share = "70%"', "'pass_share' must be a number. Where: own.toml."),
        ("months = 12", "months = 0", "'baseline_lag_months' must be 1 or more. Where: own.toml. Found: 0."),
        (
            "1.25",
            "-1",
            "'amount_millions' must be more than 0. Where: own.toml, payment 2026-04, pot. Found: -1.",
        ),
        ("1.25", "inf", "'amount_millions' must be a number. Where: own.toml, payment 2026-04, pot."),
        (
            '"metrics"',
            '"metric"',
            "'paid_for' is not understood. Where: own.toml, payment 2026-04, pot. Found: 'metric'.",
        ),
        (
            "reablement =",
            "reablemnt =",
            "There is no such metric. Where: own.toml, payment 2026-04. Found: 'reablemnt'. Did",
        ),
        (
            "Oct-Dec 2025",
            "soon",
            "This is not a period. Where: own.toml, payment 2026-04, reablement. Found: 'soon'.",
        ),
        (
            '"Oct-Dec 2025"',
            "2025",
            "'reablement' must be text in quotes. Where: own.toml, payment 2026-04, metrics.",
        ),
        (
            "local =",
            "reablement =",
            "The same name stands here twice. Where: own.toml, payment 2026-04. Found: 'reable",
        ),
        ('label = "April 2026"', "", "'label' is missing. Where: own.toml, payment 2026-04."),
        (
            "1500.50",
            '"much"',
            "'value' must be a number. Where: own.toml, settings.unit_cost_pounds. Found: 'much'.",
        ),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert OWN.count(old) == 1
    with pytest.raises(InputError) as error:
        scheme(_file(tmp_path, OWN.replace(old, new)))
    assert str(error.value).startswith(message)


def test_two_payments_of_one_name(tmp_path: Path) -> None:
    again = OWN[OWN.index("[[payment]]") :].replace("April 2026", "2026-04 again")
    with pytest.raises(
        InputError, match=r"The same name stands here twice. Where: own.toml. Found: '2026-04'"
    ):
        scheme(_file(tmp_path, OWN + again))


def test_a_payment_on_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The payment rests on no metric. Where: own.toml, payment 2026-04"):
        scheme(_file(tmp_path, OWN[: OWN.index("[payment.metrics]")]))


def test_a_scheme_is_given_back_as_it_is_and_the_usual_one_needs_no_name(december: Scheme) -> None:
    assert scheme(december) is december
    assert scheme() == december


def test_paragraphs_56_to_60_what_follows(december: Scheme) -> None:
    achieved, missed = december.what_follows(True), december.what_follows(False)
    assert [text[-9:].partition("(")[2] for text in achieved] == ["57).", "56)."]
    assert [text[-9:].partition("(")[2] for text in missed] == ["58, 59).", "60).", "56)."]


def test_what_follows_in_july_2014_does_not_hang_on_achieving() -> None:
    july = scheme("bcf-2014-07")
    assert july.what_follows(True) == july.what_follows(False) == july.consequences
    assert "services commissioned by the NHS (HL838)" in july.consequences[0]


def test_the_three_headline_metrics_of_2025_26_have_the_year_and_no_money() -> None:
    today = scheme("bcf-2025-26")
    (plan,) = today.payments
    year = Period(date(2025, 4, 1), date(2026, 3, 31))
    three = ("emergency_admissions_65", "average_discharge_delay", "long_term_care_home_admissions")
    assert dict(plan.metrics) == dict.fromkeys(three, year)
    assert (today.pays, today.word, today.due, plan.pots, plan.metrics_millions) == (
        False,
        "goal",
        "31 March 2025",
        (),
        None,
    )
    assert [today.metrics[name].plan_periods for name in three] == [("month",), ("month",), ("quarter",)]
    assert plan.reasons["falls_injuries"] == "no goal is set for it: it is a supporting metric of this scheme"
    assert today.status_words["no_data"] == "data not available"


def test_no_plan_was_required_in_2020_21() -> None:
    none = scheme("bcf-2020-21")
    with pytest.raises(ParameterError, match=r"nothing to set.*Because of the pandemic no plan was required"):
        none.must_plan()
    assert none.payments == ()
    assert "no plan was required" in none.no_plan
    assert "No plan was required." in none.headline
    for name in set(SCHEMES) - {"bcf-2020-21"}:
        scheme(name).must_plan()


def test_every_year_since_2016_is_planned_for_once() -> None:
    years = [window for name in SCHEMES[2:] for window in _years(scheme(name))]
    wanted = {f"{year}/{year % 100 + 1}" for year in range(2016, 2027)} - {"2020/21"}
    assert sorted(years) == sorted(wanted)


def _years(rules: Scheme) -> list[str]:
    return [payment.id for payment in rules.payments if not payment.id.startswith("Q")]


def test_reablement_has_no_ambition_in_2024_25_and_quarters_are_planned_as_such() -> None:
    rules = scheme("bcf-2023-25")
    asked = {payment.id: set(payment.metrics) for payment in rules.payments}
    assert "reablement" in asked["2023/24"]
    assert "reablement" not in asked["2024/25"]
    assert asked["Q3 2024/25"] == {"avoidable_admissions", "usual_place_of_residence"}
    assert rules.payment("Q3 2024/25").metrics["avoidable_admissions"] == Period.parse("Oct-Dec 2024")


def test_the_incomplete_year_says_so_of_every_metric() -> None:
    rules = scheme("bcf-2026-27")
    assert not any(asked.confirmed for asked in rules.metrics.values())
    assert not any(payment.confirmed for payment in rules.payments)
    assert "the list of metrics" in rules.headline


PLAN = """
id = "own"
title = "Own goals"
source = "Board paper"
status = "Draft"
word = "goal"
years = ["2027/28"]
baseline_lag_months = 12

[metrics.falls_injuries]
role = "headline"
plan_periods = ["quarter"]
"""


def test_an_own_scheme_without_money(tmp_path: Path) -> None:
    own = scheme(_file(tmp_path, PLAN))
    assert [payment.id for payment in own.payments] == ["2027/28"]
    assert own.metrics["falls_injuries"].plan_periods == ("quarter",)
    assert own.headline == "Own goals. Confirmed."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('years = ["2027/28"]\n', "", "A scheme has either payments or years that are planned for."),
        ('years = ["2027/28"]', 'years = ["soon"]', "This is not a period. Where: own.toml, metrics.falls"),
        ('word = "goal"', 'word = "gaol"', "'word' is not understood. Where: own.toml. Found: 'gaol'."),
        ('"headline"', '"head"', "'role' is not understood. Where: own.toml, metrics.falls_injuries."),
        ('["quarter"]', '["week"]', "'plan_periods' is not understood. Where: own.toml, metrics.falls"),
        ("falls_injuries", "fals_injuries", "There is no such metric. Where: own.toml, metrics.fals"),
    ],
)
def test_a_wrong_entry_of_a_plan_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert PLAN.count(old) == 1
    with pytest.raises(InputError) as error:
        scheme(_file(tmp_path, PLAN.replace(old, new)))
    assert str(error.value).startswith(message)


def test_pages_name_a_scheme_without_money_with_what_is_not_confirmed(december: Scheme) -> None:
    assert december.told == december.title
    assert scheme("bcf-2025-26").told.startswith("Better Care Fund 2025/26. Not confirmed: the months and")
    assert scheme("bcf-2020-21").told == "Better Care Fund 2020/21. No plan was required"


def test_a_sentence_about_payment_is_said_of_goals_where_nothing_is_paid(december: Scheme) -> None:
    line = "The chances of payment are known; it is rarely paid by luck."
    assert december.said(line) == line
    assert scheme("bcf-2025-26").said(line) == (
        "The chances of reaching the goal are known; it is rarely reached by luck."
    )
