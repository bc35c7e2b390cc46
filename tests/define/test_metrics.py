"""Metrics against the outcomes framework menu of the annex and the definitions published for each."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bcfstats.define.metrics import METRICS, get_metric, load_metrics
from bcfstats.errors import InputError, ParameterError

# Developing Plans for the Better Care Fund, paragraphs 40 and 46, in the order printed
NATIONAL = [
    "care_home_admissions",
    "reablement",
    "delayed_transfers",
    "avoidable_emergency_admissions",
    "patient_experience",
]
MENU = {
    "NHSOF 2.1": ("long_term_condition_support", "feeling supported to manage their (long term) condition"),
    "NHSOF 2.6i": ("dementia_diagnosis", "Estimated diagnosis rate for people with dementia"),
    "NHSOF 3.5": ("fragility_fracture_recovery", "mobility / walking ability at 30 / 120 days"),
    "ASCOF 1A": ("care_related_quality_of_life", "Social care-related quality of life"),
    "ASCOF 1H": ("independent_living_mental_health", "living independently with or without support"),
    "ASCOF 1D": ("carer_quality_of_life", "Carer-reported quality of life"),
    "PHOF 1.18i": ("social_contact", "as much social contact as they would like"),
    "PHOF 2.13ii": ("inactive_adults", 'adults classified as "inactive"'),
    "PHOF 2.24i": ("falls_injuries", "Injuries due to falls in people aged 65 and over"),
}
LOCAL = """
[[metric]]
id = "direct_care_home_admissions"
name = "Care home admissions direct from hospital per 100 care home admissions"
short_name = "Direct from hospital"
numerator = "Admissions direct from hospital"
denominator = "Care home admissions"
age_group = "65 and over"
multiplier = 100
unit = "%"
polarity = "lower"
frequency = "year"
statistic = "proportion"
independent_events = true
source = "Council records"
publisher = "Council"
decimals = 1
"""


def test_the_national_metrics_and_the_menu() -> None:
    assert [m.id for m in METRICS.values() if m.group == "national"] == NATIONAL
    assert [m.id for m in METRICS.values() if m.group == "replacement"] == ["non_elective_admissions"]
    assert [m.id for m in METRICS.values() if m.group == "local"] == [id for id, _ in MENU.values()]


@pytest.mark.parametrize(("code", "expected"), MENU.items())
def test_menu_codes_and_names(code: str, expected: tuple[str, str]) -> None:
    metric = get_metric(f"{code} 2014/15")
    assert metric.id == expected[0]
    assert expected[1] in metric.name


def test_lower_is_better_for_exactly_these() -> None:
    # national: 2A(2), delayed transfers, avoidable; menu: 2.13ii and 2.24i; and total non-elective admissions
    # since 2016: admissions, delay and long stays
    lower = {
        *("care_home_admissions", "delayed_transfers", "avoidable_emergency_admissions"),
        *("inactive_adults", "falls_injuries", "non_elective_admissions"),
        *("emergency_admissions_65", "average_discharge_delay", "days_if_delayed"),
        *("long_term_care_home_admissions", "avoidable_admissions", "length_of_stay_14", "length_of_stay_21"),
    }
    assert {m.id for m in METRICS.values() if m.polarity == "lower"} == lower


@pytest.mark.parametrize(
    ("id", "numerator", "denominator", "value"),
    [  # published: England 2A(2) 2015/16 per 100,000; Lancashire 2B(1) Q3 2017/18 %; a 1A mean of 19 points
        ("care_home_admissions", 628.2, 100_000, 628.2),
        ("reablement", 1140, 1304, 87.4),
        ("care_related_quality_of_life", 19 * 400, 400, 19.0),
        ("falls_injuries", 2011, 100_000, 2011),
    ],
)
def test_multiplier_gives_the_published_unit(
    id: str, numerator: float, denominator: float, value: float
) -> None:
    metric = METRICS[id]
    assert round(numerator / denominator * metric.multiplier, metric.decimals) == value


@pytest.mark.parametrize(
    ("id", "dates"),
    [
        ("care_home_admissions", [date(2014, 4, 1), date(2018, 4, 1), date(2019, 4, 1), date(2024, 4, 1)]),
        ("dementia_diagnosis", [date(2015, 4, 1), date(2017, 4, 1)]),
        ("carer_quality_of_life", [date(2014, 4, 1), date(2016, 4, 1)]),
        ("inactive_adults", [date(2015, 4, 1)]),
        ("long_term_condition_support", [date(2018, 1, 1)]),
        ("patient_experience", [date(2018, 1, 1)]),
        ("reablement", [date(2024, 4, 1)]),
        ("long_term_care_home_admissions", [date(2024, 4, 1)]),
        ("reablement_12_weeks", [date(2024, 4, 1)]),
        ("delayed_transfers", []),
        ("non_elective_admissions", []),
        ("falls_injuries", []),
    ],
)
def test_series_breaks(id: str, dates: list[date]) -> None:
    breaks = METRICS[id].breaks
    assert [item.date for item in breaks] == dates
    assert all(item.what.endswith((".", ")")) and item.source for item in breaks)


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("delayed_transfers", "ASCOF 2C is a different statistic"),
        ("delayed_transfers", "April 2017"),
        (
            "non_elective_admissions",
            "steps up from 2017/18; that recording of same-day emergency care is the cause is not",
        ),
        ("falls_injuries", "European Standard Population 1976 to 2013) is not confirmed"),
        ("avoidable_emergency_admissions", "components are not confirmed"),
        ("care_home_admissions", "not comparable with its baseline"),
    ],
)
def test_caveats_say_what_is_not_settled(id: str, words: str) -> None:
    assert any(words in caveat for caveat in METRICS[id].caveats)


def test_delayed_days_are_a_rate_of_events_that_are_not_independent() -> None:
    metric = METRICS["delayed_transfers"]
    assert metric.unit == "delayed days per 100,000 people aged 18 and over, average per month"
    assert (metric.frequency, metric.statistic, metric.independent_events) == ("month", "crude_rate", False)


def test_every_metric_names_its_sources() -> None:
    assert all(metric.sources and metric.caveats for metric in METRICS.values())


@pytest.mark.parametrize(
    "text", ["2A(2)", "2a2", "ASCOF 2A(2)", "care_home_admissions", "Care home admissions"]
)
def test_get_metric_by_id_and_code(text: str) -> None:
    assert get_metric(text).id == "care_home_admissions"


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("reablemnt", "Did you mean 'reablement' or"), ("9Z", "Use one of: care_home_admissions, reablement")],
)
def test_get_metric_suggests(text: str, suggestion: str) -> None:
    with pytest.raises(ParameterError) as error:
        get_metric(text)
    assert f"There is no such metric. Found: '{text}'. {suggestion}" in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [  # ASCOF 2024-25, contents: code now and code of 2022 to 2023
        ("2C 2023/24", "care_home_admissions"),
        ("ASCOF 2C (2024-25)", "long_term_care_home_admissions"),
        ("2D(1) 2023/24", "reablement"),
        ("2d1 2024-25", "reablement_12_weeks"),
        ("1D 2022/23", "carer_quality_of_life"),
        ("1C 2023/24", "carer_quality_of_life"),
        ("5A(1)", "social_contact"),
        ("1I(1) 2018/19", "social_contact"),
        ("2A(2)", "care_home_admissions"),
        ("2B(1) 2015/16", "reablement"),
    ],
)
def test_a_code_is_that_of_its_year(text: str, expected: str) -> None:
    assert get_metric(text).id == expected


@pytest.mark.parametrize("text", ["2C", "ASCOF 2c", "2D(1)", "1D", "1C"])
def test_a_code_of_several_meanings_asks_for_its_year(text: str) -> None:
    with pytest.raises(ParameterError, match="has meant different things: its year is needed"):
        get_metric(text)


@pytest.mark.parametrize("text", ["2C 2015/16", "2C 2022/23", "1D 2023/24", "2A(2) 2023/24", "2D"])
def test_a_code_that_was_no_metric_of_the_fund_in_its_year_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="It was ") as error:
        get_metric(text)
    assert "Write the metric's id" in error.value.do


def test_an_empty_name_is_no_metric() -> None:
    with pytest.raises(ParameterError, match="no such metric"):
        get_metric("")


def test_metrics_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        METRICS["new"] = METRICS["reablement"]  # type: ignore[index]


def _file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_metrics_are_added(tmp_path: Path) -> None:
    metrics = load_metrics(_file(tmp_path, LOCAL))
    assert list(metrics) == [*METRICS, "direct_care_home_admissions"]
    own = get_metric("direct care home admissions", metrics)
    assert (own.group, own.lag, own.breaks, own.caveats, own.multiplier) == (
        "local",
        "not confirmed",
        (),
        (),
        100.0,
    )
    assert "direct_care_home_admissions" not in METRICS


def test_own_breaks_come_in_order_of_date(tmp_path: Path) -> None:
    later, earlier = (
        'breaks = [{date = 2015-04-01, what = "b", source = "s"}, ',
        '{date = 2014-04-01, what = "a", source = "s"}]',
    )
    own = load_metrics(_file(tmp_path, LOCAL + later + earlier))["direct_care_home_admissions"]
    assert [item.what for item in own.breaks] == ["a", "b"]


def test_windows_editors_may_add_a_byte_order_mark(tmp_path: Path) -> None:
    assert len(load_metrics(_file(tmp_path, "\ufeff" + LOCAL))) == len(METRICS) + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'unit = "%"',
            'unti = "%"',
            "This key is not known. Where: {at}. Found: 'unti'. Did you mean 'unit'",
        ),
        ('unit = "%"', "", "'unit' is missing. Where: {at}."),
        ('unit = "%"', 'unit = " "', "'unit' is empty. Where: {at}."),
        ('unit = "%"', "unit = 5", "'unit' must be text in quotes. Where: {at}. Found: 5."),
        (
            '"lower"',
            '"down"',
            "'polarity' is not understood. Where: {at}. Found: 'down'. Use one of: higher, lower.",
        ),
        ('"proportion"', '"percent"', "'statistic' is not understood. Where: {at}. Found: 'percent'."),
        ('"year"', '"yearly"', "'frequency' is not understood. Where: {at}. Found: 'yearly'."),
        ("= 100\n", "= 0\n", "'multiplier' is too small. Where: {at}. Found: 0."),
        ("= 100\n", "= -1.5\n", "'multiplier' is too small. Where: {at}. Found: -1.5."),
        ("= 100\n", "= nan\n", "'multiplier' must be a number. Where: {at}."),
        ("= 100\n", "= true\n", "'multiplier' must be a number. Where: {at}. Found: True."),
        ("decimals = 1", "decimals = -1", "'decimals' is too small. Where: {at}. Found: -1."),
        ("decimals = 1", "decimals = true", "'decimals' must be a whole number. Where: {at}. Found: True."),
        ("= true", '= "yes"', "'independent_events' must be true or false. Where: {at}. Found: 'yes'."),
        (
            "decimals = 1",
            'decimals = 1\ncaveats = "one"',
            "'caveats' must be a list. Where: {at}. Found: 'one'.",
        ),
        ("decimals = 1", "decimals = 1\ncaveats = [1]", "'caveats' must be a list of texts. Where: {at}."),
        (
            "decimals = 1",
            "decimals = 1\nbreaks = [1]",
            "A table was expected here. Where: {at}, breaks. Found: 1.",
        ),
        (
            "decimals = 1",
            'decimals = 1\nbreaks = [{date = 2014-04-01T00:00:00, what = "a", source = "s"}]',
            "'date' must be a day. Where: {at}, breaks.",
        ),
        (
            "decimals = 1",
            'decimals = 1\nbreaks = [{date = "2014", what = "a", source = "s"}]',
            "'date' must be a date such as 2014-04-01. Where: {at}, breaks. Found: '2014'.",
        ),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert LOCAL.count(old) == 1
    with pytest.raises(InputError) as error:
        load_metrics(_file(tmp_path, LOCAL.replace(old, new)))
    assert str(error.value).startswith(message.format(at="mine.toml, metric direct_care_home_admissions"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LOCAL + LOCAL, "This id is already taken. Where: mine.toml, metric 2."),
        (
            LOCAL.replace("direct_care_home_admissions", "reablement"),
            "This id is already taken. Where: mine.toml",
        ),
        (
            LOCAL.replace('id = "', 'ident = "'),
            "This key is not known. Where: mine.toml, metric 1. Found: 'ident'.",
        ),
        ("", "'metric' is missing. Where: mine.toml."),
        ("[metric]\n", "'metric' must be a list. Where: mine.toml."),
        ("metric = [3]\n", "A table was expected here. Where: mine.toml, metric 1. Found: 3."),
        ("metric = \n", "The file is not TOML. Where: mine.toml."),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        load_metrics(_file(tmp_path, text))
    assert str(error.value).startswith(message)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read. Where: .*absent\.toml"):
        load_metrics(tmp_path / "absent.toml")


def _open_data(real_data: Path, year: str) -> Any:
    import pandas as pd

    return pd.read_csv(
        real_data / "ascof" / f"meas-from-asc-of-eng-{year}-open-data.csv", encoding="cp1252", dtype=str
    )


def test_the_caveat_on_changes_of_recording_against_the_published_files(real_data: Path) -> None:
    for year, bromley, windsor in [("1415", "79.9", "774.2"), ("1516", "188.4", "315.9")]:
        table = _open_data(real_data, year)
        rows = table[
            table["ASCOF Measure Code"].str.startswith("2A(2)")
            & (table["Measure Type"] == "Outcome")
            & (table["Disaggregation Level"] == "Total")
        ]
        values = dict(zip(rows["Geographical Description"].str.strip(), rows["Measure Value"], strict=True))
        assert (values["Bromley"], values["Windsor and Maidenhead"]) == (bromley, windsor)


def test_importing_the_metrics_loads_no_pandas() -> None:
    code = "import sys, bcfstats.define.metrics; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def own_metric(folder: Path, **fields: object) -> Any:
    """Read the local metric with some of its fields changed."""
    lines = {line.partition(" = ")[0]: line for line in LOCAL.strip().splitlines()}
    lines |= {name: f"{name} = {json.dumps(value)}" for name, value in fields.items()}
    (folder / "own.toml").write_text("\n".join(lines.values()), encoding="utf-8")
    return load_metrics(folder / "own.toml")["direct_care_home_admissions"]


@pytest.mark.parametrize(
    ("numerator", "event"),
    [
        ("Visits made on the same day", "visits made on the same day"),
        ("falls", "falls"),
        ("People at home", "people at home"),
        ("home", "events"),
        ("Emergency admissions of people aged 65 and over with a fall", "events"),
    ],
)
def test_a_metric_of_ones_own_is_told_with_its_own_noun(tmp_path: Path, numerator: str, event: str) -> None:
    assert own_metric(tmp_path, numerator=numerator).event == event


def test_what_may_be_left_out_has_its_usual_value(tmp_path: Path) -> None:
    made = own_metric(tmp_path)
    assert (made.nature, made.bounds) == ("flow", (0, 100))
    assert own_metric(tmp_path, statistic="survey_proportion").nature == "sample"
    assert own_metric(tmp_path, statistic="modelled_ratio").nature == "stock"
    assert own_metric(tmp_path, statistic="mean", bounds=[4, 20]).bounds == (4, 20)


@pytest.mark.parametrize("bounds", [[1], [5, 2], ["a", "b"], [0, True], [0, 1, 2]])
def test_bounds_that_are_none_are_refused(tmp_path: Path, bounds: list[object]) -> None:
    with pytest.raises(InputError, match="bounds"):
        own_metric(tmp_path, bounds=bounds)
