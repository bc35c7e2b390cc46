"""Commissioners' counts turned into areas' counts."""

import math

import pandas as pd

from bcfstats.read.apportion import apportion
from bcfstats.read.observations import OTHER_TYPES, SHARE_TYPES, typed
from bcfstats.read.recognise import read_file

LEEDS, BRADFORD, MANCHESTER = "E08000035", "E08000032", "E08000003"
NEWCASTLE, GATESHEAD = "E08000021", "E08000037"
SHARES = typed(
    [
        {"commissioner": "AAA", "area_code": LEEDS, "share": 0.75, "area_share": 0.6, "population": 300},
        {"commissioner": "AAA", "area_code": BRADFORD, "share": 0.25, "area_share": 1.0, "population": 100},
        {"commissioner": "BBB", "area_code": LEEDS, "share": 1.0, "area_share": 0.4, "population": 200},
        {"commissioner": "MANC", "area_code": MANCHESTER, "share": 1.0, "area_share": 1.0, "population": 500},
        {"commissioner": "NEWC", "area_code": NEWCASTLE, "share": 1.0, "area_share": 1.0, "population": 300},
        {"commissioner": "00F", "area_code": GATESHEAD, "share": 1.0, "area_share": 1.0, "population": 200},
    ],
    SHARE_TYPES,
).assign(source="shares.csv")


def counts(month, status="ok", **numbers):
    start = pd.Timestamp(f"{month}-01")
    kinds = {"X24": "direct commissioning"}
    rows = [
        {"area_code": code, "area_name": f"{code} CCG", "metric": "non_elective_admissions",
         "frequency": "month", "area_type": kinds.get(code, "clinical commissioning group"),
         "period_start": start, "period_end": start + pd.offsets.MonthEnd(0), "numerator": number,
         "status": status, "source": "mar.xls"}
        for code, number in numbers.items()
    ]  # fmt: skip
    return typed(rows, OTHER_TYPES)


def by_area(result):
    return result.observations.set_index("area_code")["numerator"].dropna().to_dict()


def test_each_count_goes_where_the_people_live():
    result = apportion(counts("2014-05", AAA=400, BBB=50), SHARES)
    assert by_area(result) == {LEEDS: 350, BRADFORD: 100}  # 0.75 x 400 + 50, and 0.25 x 400
    assert "population shares" in result.observations["basis"].iloc[0]


def test_an_area_without_one_of_its_commissioners_has_no_figure():
    result = apportion(counts("2014-05", AAA=400), SHARES).observations.set_index("area_code")
    assert math.isnan(result.loc[LEEDS, "numerator"])
    assert result.loc[LEEDS, "status"] == "not_available"
    assert result.loc[LEEDS, "status_note"].startswith("no figure for commissioner BBB; the others cover 60%")
    assert result.loc[BRADFORD, "numerator"] == 100


def test_three_commissioners_and_their_successor_are_manchester():
    before = apportion(counts("2017-03", **{"00W": 10, "01M": 20, "01N": 30}), SHARES)
    after = apportion(counts("2017-04", **{"14L": 60}), SHARES)
    assert by_area(before) == by_area(after) == {MANCHESTER: 60}
    two_of_three = apportion(counts("2017-03", **{"00W": 10, "01M": 20}), SHARES)
    assert by_area(two_of_three) == {}


def test_newcastle_gateshead_is_divided_by_population_and_says_so():
    months = [counts("2015-03", **{"00F": 30, "00G": 20, "00H": 40}), counts("2015-04", **{"13T": 100})]
    rows = apportion(pd.concat(months), SHARES).observations.dropna(subset=["numerator"])
    assert rows.query("area_code == @NEWCASTLE")["numerator"].tolist() == [60, 60]  # 100 x 300 / 500
    assert rows.query("area_code == @GATESHEAD")["numerator"].tolist() == [30, 40]  # 100 x 200 / 500
    april = rows[rows["period_start"] == "2015-04-01"]
    assert april["basis"].str.endswith("a merged commissioner divided by population").all()
    assert april["status_note"].str.contains("commissioners since April 2015: 13T").all()


def test_what_belongs_to_no_area_is_said():
    result = apportion(counts("2014-05", AAA=400, BBB=50, X24=7, ZZZ=3), SHARES)
    assert sum(by_area(result).values()) == 450
    assert any("7 in 1 months are kept apart: NHS England's own" in note for note in result.notes)
    assert any("ZZZ ZZZ CCG, 3 in 1 months" in note for note in result.notes)


def test_no_shares_no_areas():
    result = apportion(counts("2014-05", AAA=400), SHARES.head(0))
    assert result.observations.empty
    assert "no file of shares" in result.notes[-1]


def test_a_suspect_commissioner_makes_its_areas_suspect():
    doubtful = counts("2014-08", "suspect", AAA=40).assign(status_note="a trust did not submit")
    result = apportion(pd.concat([doubtful, counts("2014-08", BBB=50)]), SHARES).observations
    assert set(result.dropna(subset=["numerator"])["status"]) == {"suspect"}
    notes = result.set_index("area_code")["status_note"]
    assert notes[LEEDS] == notes[BRADFORD] == "AAA: a trust did not submit"


def test_areas_and_direct_commissioning_add_up_to_england_in_every_month(data):
    areas = data.observations.query("metric == 'non_elective_admissions'")
    others = data.others.query("metric == 'non_elective_admissions'")
    england = others.query("area_type == 'country'").set_index("period_start")["numerator"]["2013-04-01":]
    direct = others.query("area_type == 'direct commissioning'").set_index("period_start")["numerator"]
    total = areas.groupby("period_start")["numerator"].sum() + direct["2013-04-01":]
    assert len(total) == 46
    # the shares are given to five decimals, so a commissioner's add up to 1 within 0.00001
    assert (total / england - 1).abs().max() < 1e-5


def test_solihull_is_suspect_while_its_hospital_did_not_submit(data):
    rows = data.observations.query("metric == 'non_elective_admissions' and area_name == 'Solihull'")
    months = rows.loc[rows["status"] == "suspect", "period_start"].dt.strftime("%Y-%m").tolist()
    assert months == [
        "2014-07",
        "2014-08",
        "2014-09",
        "2014-10",
        "2014-11",
        "2014-12",
        "2015-01",
        "2015-02",
        "2015-03",
    ]


def test_the_published_shares_are_whole(real_data):
    reading = read_file(real_data / "geography" / "ccg2013_to_hwb_lsoa_estimate.csv")
    assert reading.checks[0].passed
    assert reading.shares["area_code"].nunique() == 152


def test_a_share_above_one_is_refused(tmp_path):
    path = tmp_path / "shares.csv"
    path.write_text("ccg13,utla,share_of_ccg\n02V,E08000035,1.2\n03G,E08000035,1\n03C,X99,1\n")
    reading = read_file(path)
    assert [refusal.found for refusal in reading.refused] == ["E08000035, 1.2", "X99, 1"]
    assert reading.shares["commissioner"].tolist() == ["03G"]
