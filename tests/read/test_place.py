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
    done = prepared(OWN, [HEAD, "Dorset,reablement,2020/21,80", "E06000059,reablement,2019/20,81"])
    assert done.data.observations["area_code"].tolist() == ["E06000059"]
    refused = done.manifest["files"][1]["refused_rows"]
    assert refused[0]["reason"] == (
        "'Dorset' stands for 2 areas, E10000009 of 2014 and E06000059 of your list: give the code"
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
