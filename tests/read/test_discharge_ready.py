"""Discharge Ready Date statistics: the monthly CSV as published, the webfile made small, and oddities."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.prepare import prepare
from bcfstats.read.recognise import read_file

COUNCIL = "Upper Tier Local Authority"
HEAD = f"Data Type,{COUNCIL} Code,{COUNCIL},Code,Organisation Name,Measure,Value"
DISCHARGES = "Total Discharges for UTLA from acceptable trusts"
BETWEEN = "between the Discharge Ready Date and Discharge Date"
SAME_DAY = f'"Number of patients discharged where, {BETWEEN}, there is No delay"'
BED_DAYS = "Total bed days lost due to delayed discharge"
NAME = "Discharge-Ready-Date-monthly-data-csv-April-2025.csv"


def council(code, name, discharges, same_day, bed_days):
    pairs = ((DISCHARGES, discharges), (SAME_DAY, same_day), (BED_DAYS, bed_days))
    return [f"UTLA Aggregate,{code},{name},[z],[z],{measure},{value}" for measure, value in pairs]


@pytest.fixture
def read(tmp_path):
    def write_and_read(lines, name=NAME):
        path = tmp_path / name
        path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
        return read_file(path)

    return write_and_read


def figures(reading, code):
    rows = reading.observations.query("area_code == @code").set_index("metric")
    return {name: tuple(row[["numerator", "denominator", "value"]]) for name, row in rows.iterrows()}


def test_the_average_and_its_two_parts(read):
    reading = read(council("E06000060", "BUCKINGHAMSHIRE", 200, 150, 300))
    assert figures(reading, "E10000002") == {
        "average_discharge_delay": (300, 200, 1.5),
        "discharged_on_ready_date": (150, 200, 75),
        "days_if_delayed": (300, 50, 6),
    }
    assert (reading.period, reading.revised) == ("April 2025", None)


def test_the_month_and_revision_stand_in_the_name_or_in_a_column(read, tmp_path):
    lines = council("E06000058", "BCP", 10, 9, 3)
    assert f"{read(lines, 'x-May-2024-Revised.csv').revised}" == "2025-07-10"
    assert read(lines, "June_2024.csv").period == "June 2024"
    with pytest.raises(InputError, match="month of these discharges cannot be told"):
        read(lines, "discharges.csv")
    path = tmp_path / "discharges.csv"
    text = "\n".join([HEAD + ",Period", *(f"{line},July 2024" for line in lines)]) + "\n"
    path.write_text(text, encoding="utf-8")
    assert read_file(path).period == "July 2024"


def test_marks_and_nobody_delayed(read):
    reading = read(
        council("E06000053", "SCILLY", 5, 5, 0)
        + council("E09000001", "CITY", "-", "-", "-")
        + council("E06000017", "RUTLAND", "*", 20, 9)
        + council("E06000999", "NOWHERE", 10, 9, 3)
        + council("E06000001", "HARTLEPOOL", 10, "many", 3)
    )
    rows = reading.observations.set_index(["area_code", "metric"])
    assert rows.loc[("E06000053", "average_discharge_delay"), "value"] == 0
    assert rows.loc[("E06000053", "days_if_delayed"), "status_note"] == "nobody was delayed"
    assert set(rows.loc["E09000001", "status"]) == {"not_available"}
    assert set(rows.loc["E06000017", "status"]) == {"suppressed"}
    assert rows.loc["E06000001", "value"].isna().tolist() == [False, True, True]
    assert set(reading.others["area_code"]) == {"E06000999"}
    assert [row.found for row in reading.refused] == ["many"]


def test_a_measure_given_twice_is_not_used(read):
    lines = council("E06000017", "RUTLAND", 30, 20, 9)
    reading = read([*lines, lines[0].replace("30", "40")])
    assert reading.observations["value"].isna().tolist() == [True, True, True]
    assert "more than once" in reading.refused[0].reason


def test_the_webfile(write_workbook):
    def row(code, name, bands, days):
        cells = [""] * 48
        total = sum(bands)
        cells[0:3], cells[8:12] = ["UTLA Aggregate", code, name], [0.97, "-", total, days]
        cells[13:15], cells[16:23] = [bands[0] / total, 1 - bands[0] / total], bands
        cells[46:48] = [days / total, days / (total - bands[0])]
        return cells

    title = [["", "Period:", "October 2025"], ["", "Revised:", "-"], *[[""]] * 12]
    heads = [["Summary type", "Code", "Name", *[f"c{n}" for n in range(45)]]]
    rows = [row("E08000035", "LEEDS", [900, 30, 30, 20, 10, 5, 5], 640), ["NULL", "#N/A", *[""] * 46]]
    rows.append(row("E06000065", "NORTH YORKSHIRE", [170, 10, 8, 6, 4, 1, 1], 110))
    reading = read_file(
        write_workbook("webfile.xlsx", {"Cover Sheet": [["x"]], "UTLA Acceptable": title + heads + rows})
    )
    assert reading.period == "October 2025"
    assert figures(reading, "E08000035")["days_if_delayed"] == (640, 100, 6.4)
    assert figures(reading, "E10000023")["discharged_on_ready_date"] == (170, 200, 85)
    assert [(check.passed, check.detail) for check in reading.checks] == [(True, "2 of 2 councils")]


def test_twelve_published_months(present_day, tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    for path in (present_day / "drd").glob("Discharge-Ready-Date-*.csv"):
        (raw / path.name).write_bytes(path.read_bytes())
    done = prepare(raw, tmp_path / "processed")
    assert done.exit_code == 0
    england = done.data.others.groupby("metric")[["numerator", "denominator"]].sum()
    ratio = (england["numerator"] / england["denominator"]).to_dict()
    # as computed when the reference for this project was written
    assert ratio["discharged_on_ready_date"] == pytest.approx(0.8646, abs=5e-5)
    assert ratio["average_discharge_delay"] == pytest.approx(0.82, abs=0.005)
    assert ratio["days_if_delayed"] == pytest.approx(6.09, abs=0.005)
    table = done.data.observations.pivot_table("value", ["area_code", "period_start"], "metric")
    both = (1 - table["discharged_on_ready_date"] / 100) * table["days_if_delayed"].fillna(0)
    assert len(table) == 153 * 12 == 1836
    assert (both - table["average_discharge_delay"]).abs().max() < 1e-13  # ratios of whole numbers up to 1e4
    assert len(done.data.areas) == 153
