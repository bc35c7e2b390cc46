"""Files that are known and of no use here say why; they are no error."""

import pytest

from bcfstats.read.recognise import NOT_USED, read_file


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([["Title:", "Acute Daily Discharge Situation Report "], ["Basis:", "Provider"]], "none of councils"),
        ([["", "Title:", "A&E Attendances & Emergency Admissions, England"]], "none of councils"),
        ([["Primary Care Dementia Data, England, January 2025"]], "a figure of a year"),
    ],
)
def test_a_workbook_known_by_its_title(write_workbook, rows, why):
    reading = read_file(write_workbook("x.xlsx", {"Cover Sheet": rows, "Table 1": [["Date", "Value"]]}))
    assert reading.kind == NOT_USED
    assert why in reading.warnings[0]
    assert reading.observations.empty


def test_the_long_form_of_the_situation_report(tmp_path):
    path = tmp_path / "acute.csv"
    path.write_text(
        "Period,Level,Region,ICB,Org Code,Org Name,Metric,Metric Type,Metric Group,Value\n"
        "01/08/2026,National,[z],[z],ENG,ENGLAND,Patients,Daily metric,NCTR,21082.00\n",
        encoding="utf-8",
    )
    assert "none of councils" in read_file(path).warnings[0]


@pytest.mark.parametrize(
    "name",
    [
        "sitrep/sitrep_acute_january2024.xlsx",
        "sitrep/sitrep_acute_time_series.xlsx",
        "sitrep/acute-discharge-august-2026.csv",
        "dementia/pcdd_jan25.xlsx",
        "ae/Monthly-AE-Time-Series-June-2025.xls",
    ],
)
def test_published_files_of_trusts_and_of_months(present_day, name):
    assert read_file(present_day / name).kind == NOT_USED
