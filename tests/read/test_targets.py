"""Targets: read whole, or refused with every problem named."""

import pytest

from bcfstats.define.schemes import scheme
from bcfstats.errors import InputError
from bcfstats.example.data import example_areas, example_data, example_targets, write_example_targets
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.payment import outcomes, payment
from bcfstats.judge.screening import sound
from bcfstats.read.targets import keep_targets, read_targets

HEAD = "area,metric,payment,target_value,target_numerator,change_percent"


@pytest.fixture
def write(tmp_path):
    def write_lines(*lines, head=HEAD):
        path = tmp_path / "targets.csv"
        path.write_text("\n".join([head, *lines]), encoding="utf-8")
        return path

    return write_lines


def problems(path, **more):
    with pytest.raises(InputError) as error:
        read_targets(path, **more)
    return error.value


def test_good_targets_by_name_and_code(write):
    table = read_targets(
        write(
            "Leeds,delayed_transfers,2015-04,,,-3.5",
            "E08000032,2B(1),Oct 2014 - Mar 2015,85,,",
            "212,2A(2),2014/15,,900,",
        )
    )
    assert table["area_code"].tolist() == ["E08000035", "E08000032", "E08000035"]
    assert table["metric"].tolist() == ["delayed_transfers", "reablement", "care_home_admissions"]
    assert table[["change_percent", "target_value", "target_numerator"]].sum().tolist() == [-3.5, 85, 900]
    assert set(table["against"]) == {"baseline"}


def test_a_workbook_whose_payment_excel_made_a_date(write_workbook):
    from datetime import date

    rows = [
        ["Area", "Metric", "Payment", "Change_percent"],
        ["Leeds", "delayed_transfers", date(2015, 4, 1), -2],
    ]
    assert read_targets(write_workbook("t.xlsx", {"Targets": rows}))["payment"].tolist() == ["2015-04"]


def test_excel_spelling_of_a_payment(write):
    assert read_targets(write("Leeds,delayed_transfers,Apr-15,,,-2"))["payment"].tolist() == ["2015-04"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "Leads,reablement,2015-10,85,,",
            "row 2, area: There is no such area. Found: 'Leads'. Did you mean 'Leeds'",
        ),
        (
            "Leeds,reablemnt,2015-10,85,,",
            "row 2, metric: There is no such metric. Found: 'reablemnt'. Did you mean",
        ),
        ("Leeds,reablement,2015-10,101,,", "row 2, target_value: 101 is above 100 %"),
        ("Leeds,reablement,2015-10,-1,,", "row 2, target_value: -1 is negative"),
        ("Leeds,reablement,2015-10,,,-120", "row 2, change_percent: -120 is a fall of more than 100 %"),
        ("Leeds,reablement,2015-10,,,", "row 2: no target; give one of"),
        (
            "Leeds,reablement,2015-10,85,,2",
            "row 2: target_value and change_percent are given; give one of them",
        ),
        ("Leeds,reablement,2015-10,high,,", "row 2, target_value: 'high' is not a number"),
        ("Leeds,reablement,soon,85,,", "row 2, payment: This is not a period"),
    ],
)
def test_each_problem_is_named(write, line, said):
    error = problems(write(line))
    assert error.what == "The targets have 1 problem; none was read."
    assert said in error.found


def test_all_problems_are_listed_at_once(write):
    error = problems(
        write(
            "Leads,reablement,2015-10,85,,",
            "Leeds,reablement,2015-10,,,1",
            "212,2B(1),2015-10,,,2",
            "Leeds,x,2015-10,-3,,",
        )
    )
    assert error.what == "The targets have 4 problems; none was read."
    assert "row 4: E08000035, reablement, 2015-10 has a target already, in row 3" in error.found


def test_a_payment_the_scheme_does_not_know(write):
    error = problems(write("Leeds,reablement,2015-07,85,,"), scheme=scheme("bcf-2013-12"))
    assert "row 2, payment" in error.found
    assert len(read_targets(write("Leeds,reablement,2015-10,85,,"), scheme=scheme("bcf-2013-12"))) == 1


def test_another_table_and_no_rows(write):
    assert "not a table of targets" in problems(write("1,2", head="a,b")).what
    assert "no row is filled in" in problems(write(",,,,,")).found


def test_the_example_targets_are_read_for_their_own_areas(tmp_path):
    table = read_targets(write_example_targets(tmp_path / "t.csv", n_areas=5), areas=example_areas(5))
    expected = example_targets(5)
    assert table["area_code"].tolist() == expected["area"].tolist()
    assert table["change_percent"].tolist() == expected["change_percent"].tolist()


@pytest.mark.parametrize("written", ["April 2015", "Apr-15", "Apr 15", "01/04/2015", "2015-04-01", "201504"])
def test_a_payment_has_one_spelling_and_repeats_are_refused(write, written):
    table = read_targets(write(f"Leeds,delayed_transfers,{written},,,-2"))
    assert table["payment"].tolist() == ["2015-04"]
    rows = ["Leeds,delayed_transfers,2015-04,,,-2", f"E08000035,delayed_transfers,{written},,,-30"]
    assert "row 3: E08000035, delayed_transfers, 2015-04 has a target already, in row 2" in (
        problems(write(*rows)).found
    )
    assert read_targets(write(rows[1]), scheme=scheme("bcf-2013-12"))["payment"].tolist() == ["2015-04"]


def test_periods_as_payments_have_one_spelling_too(write):
    rows = ["Leeds,2A(2),2014/15,,900,", "Leeds,2A(2),FY2014/2015,,800,"]
    assert "2014/15 has a target already" in problems(write(*rows)).found


def test_two_spellings_of_a_payment_are_one_board(write):
    data = example_data(n_areas=4)
    code = data.areas["area_code"].iloc[1]
    rows = [
        f"{code},delayed_transfers,2015-04,,,-3",
        f"{code},avoidable_emergency_admissions,April 2015,,,-3",
    ]
    table = read_targets(write(*rows), areas=data.areas)
    observations = sound(data.observations).observations
    boards = payment(outcomes(observations, assess_ambitions(observations, table))).boards
    assert boards["payment"].tolist() == ["2015-04"]


BODY = "area,metric,payment,target_value\nLeeds,reablement,2015-10,85\n"


@pytest.mark.parametrize(
    "text",
    [
        "sep=,\n" + BODY,
        "My targets,,,\n" + BODY,
        "\n\n" + BODY,
        BODY.replace(",", ";"),
        BODY.replace(",", "\t"),
        "sep=;\nPlan\n" + BODY.replace(",", ";").replace("85", "85,0"),
        BODY.replace("area,metric", "Local authority,Indicator"),
        BODY.replace(",85", ",85%"),
    ],
)
def test_targets_as_excel_writes_them(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    assert read_targets(tmp_path / "t.csv")["target_value"].tolist() == [85]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Leeds,reablement,2015-10,0.85,,", "row 2, target_value: 0.85 may be a fraction; write 85 or 0.85%"),
        (
            "Leeds,delayed_transfers,2015-04,,,-0.035",
            "all changes, such as -0.035, may be fractions; write -3.5",
        ),
        ("Leeds,delayed_transfers,2015-04,12%,,", "'12%' is a percentage, and target_value is none"),
        ("Leeds,reablement,2015-10,,90%,", "'90%' is a percentage, and target_numerator is none"),
        ("England,reablement,2015-10,85,,", "'England' is a country, not an area with a board"),
        ("E06000058,reablement,2015-10,85,,", "(E06000058) is not among these areas"),
        ("Cumberland,reablement,2015-10,85,,", "it covers all or part of Cumbria (E10000006)"),
        ("E07000008,reablement,2015-10,85,,", "a district, which has no board"),
    ],
)
def test_what_is_meant_is_asked(write, line, said):
    assert said in problems(write(line)).found


@pytest.mark.parametrize(
    ("code", "area"), [("E06000060", "E10000002"), ("00KB", "E06000055"), ("E08000020", "E08000037")]
)
def test_old_and_later_codes_of_an_area_are_that_area(write, code, area):
    assert read_targets(write(f"{code},reablement,2015-10,85,,"))["area_code"].tolist() == [area]


def test_keeping_a_target_replaces_one_in_another_spelling(tmp_path):
    areas = example_areas(2)
    row = {"area": "X06000001", "metric": "reablement", "payment": "2015-10", "source": "board"}
    file = tmp_path / "t.csv"
    file.write_text("area,metric,payment,change_percent\nX06000001,2B(1),October 2015,2\n")
    keep_targets(file, [{**row, "change_percent": 3.5}], areas)
    assert read_targets(file, areas=areas)["change_percent"].tolist() == [3.5]
    keep_targets(file, [{**row, "change_percent": 4}], areas)
    assert read_targets(file, areas=areas)["change_percent"].tolist() == [4]
