"""Fingertips exports and reduced extracts."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file

# the untouched export of the published files has an indicator the fund did not use: here it stands in for one
FALLS = replace(METRICS["falls_injuries"], fingertips_id="93356", age_group="all ages")
STAND_IN = MappingProxyType({**METRICS, "falls_injuries": FALLS})


def test_an_indicator_that_is_no_metric_is_refused_with_what_to_do(real_data):
    with pytest.raises(InputError) as error:
        read_file(real_data / "fingertips" / "indicators-CountyUA.data.csv")
    assert "93356 'Campylobacter incidence rate/100,000'" in error.value.found
    assert 'fingertips_id = "93356"' in error.value.do


def test_the_export_is_read_once_its_indicator_is_named(real_data):
    reading = read_file(real_data / "fingertips" / "indicators-CountyUA.data.csv", metrics=STAND_IN)
    assert reading.rows_read == 852
    england = reading.others.query("area_type == 'country'").iloc[0]
    # first row of the file: 51,897 cases in 54,786,327 people, 94.73 (93.91 to 95.54)
    assert (england["numerator"], england["denominator"]) == (51_897, 54_786_327)
    assert [round(england[name], 2) for name in ("value", "lower_ci", "upper_ci")] == [94.73, 93.91, 95.54]


def test_areas_and_parts_of_populations_are_kept_apart(real_data):
    reading = read_file(real_data / "fingertips" / "indicators-CountyUA.data.csv", metrics=STAND_IN)
    assert reading.refused == ()
    assert reading.observations.groupby("area_code").size().tolist() == [3] * 152  # 2015 to 2017
    assert set(reading.others.query("area_type == 'another age'")["area_code"].str[9:]) == {"|0-9 yrs"}
    deciles = reading.others[reading.others["area_type"].str.contains("deprivation deciles")]
    assert deciles["area_code"].str.contains("|", regex=False).all()
    notes = reading.observations.set_index("area_name")["status_note"]
    assert set(notes["Cornwall"]) == {"Value for Cornwall & Isles of Scilly combined"}


@pytest.mark.parametrize(
    ("file", "metric", "area", "period", "value"),
    [("falls", "falls_injuries", "Hartlepool", "2010-04-01", None),
     ("inactive", "inactive_adults", "Hartlepool", "2015-04-01", 27.2),
     ("dementia", "dementia_diagnosis", "Hartlepool", "2017-01-01", 80.8)],
)  # fmt: skip
def test_reduced_extracts_give_values_only(real_data, file, metric, area, period, value):
    path = next((real_data / "fingertips").glob(f"dashboard_*{file}*"))
    rows = read_file(path).observations.query("area_name == @area").set_index("period_start")
    assert set(rows["metric"]) == {metric}
    assert rows[["numerator", "denominator"]].isna().all(axis=None)
    assert value is None or rows.loc[period, "value"] == value


def test_several_ages_that_are_not_the_metrics_are_refused(real_data):
    adults = MappingProxyType({"falls_injuries": replace(FALLS, age_group="65 and over")})
    with pytest.raises(InputError, match="several ages"):
        read_file(real_data / "fingertips" / "indicators-CountyUA.data.csv", metrics=adults)


def write(tmp_path, *lines):
    head = "Indicator ID,Indicator Name,Area Code,Area Name,Area Type,Sex,Category,Time period,Value"
    head += ",Count,Value note"
    path = tmp_path / "x.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def test_other_sexes_periods_and_suppression(tmp_path):
    path = write(
        tmp_path,
        "22401,Falls,E08000035,Leeds,UA,Persons,,2013/14,2064,900,",
        "22401,Falls,E08000035,Leeds,UA,Male,,2013/14,1900,400,",
        "22401,Falls,E08000035,Leeds,UA,Persons,,2014/15,,,Value suppressed for disclosure control",
        "22401,Falls,E08000035,Leeds,UA,Persons,,2011 - 13,2000,3,",
        "22401,Falls,E08000035,Leeds,UA,Persons,,2015/16,high,3,",
        "1,Other,E08000035,Leeds,UA,Persons,,2015/16,5,3,",
    )
    reading = read_file(path)
    assert reading.observations["status"].tolist() == ["ok", "suppressed"]
    assert reading.observations["numerator"].tolist()[0] == 900
    assert reading.others["area_type"].tolist() == ["one sex"]
    assert [refusal.found for refusal in reading.refused] == ["2011 - 13", "high"]
    assert reading.warnings == ("Indicator 1 'Other' is no metric: left out.",)
