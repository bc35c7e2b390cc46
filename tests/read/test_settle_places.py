"""Areas of 2014, of a user's own list, and of neither."""

import pytest

from bcfstats.read.prepare import prepare
from bcfstats.run.check import describe_prepared

OWN = ["area_code,area_name,region", "E06000059,Dorset,South West", "E06000060,Buckinghamshire,South East"]
HEAD = "area,metric,period,value"


@pytest.fixture
def prepared(tmp_path):
    def write_and_prepare(*files):
        raw = tmp_path / "raw"
        raw.mkdir()
        for number, lines in enumerate(files):
            (raw / f"{number}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return prepare(raw, tmp_path / "processed")

    return write_and_prepare


def test_a_name_of_2014_and_of_the_users_list_is_asked_about(prepared):
    rows = ["Dorset,reablement,2020/21,80", "X1,reablement,2019/20,81"]
    done = prepared([*OWN, "X1,Dorset,South West"], [HEAD, *rows])
    assert done.data.observations["area_code"].tolist() == ["X1"]
    refused = done.manifest["files"][1]["refused_rows"]
    assert refused[0]["reason"] == (
        "'Dorset' stands for 2 areas, E10000009 of the register and X1 of yours: give the code"
    )


@pytest.mark.parametrize("area", ["Buckinghamshire", "E06000060", "E10000002", "612"])
def test_an_area_of_2014_under_a_later_code_is_no_area_of_its_own(prepared, area):
    done = prepared(OWN, [HEAD, f"{area},reablement,2020/21,80"])
    assert done.data.observations["area_code"].tolist() == ["E10000002"]
    assert "E06000060" not in set(done.data.areas["area_code"])
    assert any(
        "Buckinghamshire (E06000060) of your list is E10000002" in line for line in describe_prepared(done)
    )


def test_rows_of_an_unknown_area_are_one_line(prepared):
    rows = [f"Nowhere,reablement,20{year}/{year + 1},80" for year in (13, 14, 15)]
    done = prepared([HEAD, *rows, "Leeds,reablement,2013/14,80"])
    entry = done.manifest["files"][0]
    assert [(row["found"], row["rows"]) for row in entry["refused_rows"]] == [("Nowhere", 3)]
    assert entry["rows_refused"] == 3


def test_a_code_of_new_boundaries_says_nothing_of_the_time_before(prepared):
    rows = ["E06000059,reablement,2020/21,80", "E06000059,reablement,2015/16,81", "809,reablement,2014/15,82"]
    done = prepared([HEAD, *rows])
    found = done.data.observations
    assert found["area_code"].tolist() == ["E10000009"] * 2
    assert found["value"].tolist() == [82, 80]
    assert "came with new boundaries" in done.manifest["files"][0]["refused_rows"][0]["reason"]


def test_areas_of_some_years_are_named_with_the_sum_that_is_possible(prepared):
    rows = ["Northamptonshire,reablement,2019/20,80", "North Northamptonshire,reablement,2022/23,81"]
    told = "\n".join(describe_prepared(prepared([HEAD, *rows])))
    assert "North Northamptonshire (E06000061): 1 rows, used by runs of years in which it is there." in told
    assert "from then on the sum of North and West Northamptonshire" in told


def test_barnsley_under_either_code_but_never_both_in_one_period(prepared):
    done = prepared([HEAD, "E08000016,reablement,2023/24,80", "E08000038,reablement,2024/25,81"])
    assert done.data.observations["area_code"].tolist() == ["E08000016"] * 2


def test_barnsley_under_both_codes_in_one_period_is_refused(prepared):
    done = prepared([HEAD, "E08000016,reablement,2024/25,80", "E08000038,reablement,2024/25,81"])
    assert done.data.observations.empty
    assert "more than once" in done.manifest["files"][0]["refused_rows"][0]["reason"]
