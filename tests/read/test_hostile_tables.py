"""Tables as people write them: odd encodings, dates, numbers, marks nobody sees, rows twice or missing.

Every file is made here. Figures are made up.
"""

import os
import threading
import time

import pytest

from bcfstats.errors import InputError
from bcfstats.read.prepare import prepare
from bcfstats.read.recognise import read_file
from bcfstats.read.targets import read_targets
from bcfstats.read.workbook import open_file
from tests.read.made_files import to_csv, to_xls, to_xlsx

HEAD = ["area_code", "metric", "period", "numerator"]
LEEDS, DELAYS = "E08000035", "delayed_transfers"


@pytest.fixture
def write(tmp_path):
    def write_rows(*rows, name="mine.csv", head=HEAD, encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_csv([head, *rows]).encode(encoding))
        return path

    return write_rows


def months(*periods):
    return [[LEEDS, DELAYS, period, 10 + n] for n, period in enumerate(periods)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_that_can_be_told_are_read(write, encoding):
    path = write(["Ynys Môn £", DELAYS, "2014-04", "1,234"], encoding=encoding)
    rows = read_file(path).observations
    assert rows[["area_code", "numerator"]].values.tolist() == [["Ynys Môn £", 1234]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "cp037"])
def test_other_encodings_are_refused(write, encoding):
    with pytest.raises(InputError) as caught:
        read_file(write(*months("2014-04", "2014-05"), encoding=encoding))
    assert caught.value.where == "mine.csv"


def test_utf_8_cut_within_a_letter_is_no_other_encoding(tmp_path):
    path = tmp_path / "cut.csv"
    path.write_bytes(to_csv([HEAD, ["é", DELAYS, "2014-04", 5]]).encode()[:-1] + "é".encode()[:1])
    reading = read_file(path)
    assert reading.observations.empty
    assert len(reading.refused) == 1


@pytest.mark.parametrize(
    ("left", "what"), [(-9, "The file is cut short"), (3, "none of the formats"), (0, "is empty")]
)
def test_a_csv_cut_short_is_refused(write, left, what):
    path = write(*months("2014-04", "2014-05"))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=what):
        read_file(path)


def test_a_last_row_that_may_be_cut_is_said(write):
    path = write([LEEDS, DELAYS, "2014-04", 1234])
    path.write_bytes(path.read_bytes()[:-2])  # 123 is left of 1234
    reading = read_file(path)
    assert reading.observations["numerator"].tolist() == [123]
    assert "its last row may be wrong" in reading.warnings[-1]


@pytest.mark.parametrize(
    "period", ["2014-04-01", "01/04/2014", "1 April 2014", "1st April 2014", "01-Apr-2014", "1 Apr 2014"]
)
def test_dates_in_every_style_are_the_same_day(write, period):
    head = ["area_code", "metric", "period_start", "period_end", "numerator"]
    rows = read_file(write([LEEDS, DELAYS, period, "30/04/2014", 5], head=head)).observations
    assert rows["period_start"].dt.strftime("%Y-%m-%d").tolist() == ["2014-04-01"]


@pytest.mark.parametrize(
    "period",
    ["04/30/2014", "31/02/2014", "01/04/14", "41730", "0001-01-01", "9999-12-31", "2011-12", "04.2014"],
)
def test_a_date_that_is_none_or_could_be_another_is_refused(write, period):
    head = ["area_code", "metric", "period_start", "period_end", "numerator"]
    by_day = read_file(write([LEEDS, DELAYS, period, period, 5], head=head))
    by_period = read_file(write([LEEDS, DELAYS, period, 5]))
    for reading in (by_day, by_period):
        assert reading.observations.empty
        assert reading.refused[0].found == period
        assert reading.refused[0].reason.startswith("this is not a date or period")


@pytest.mark.parametrize(
    "cell",
    ["1,234", "1\u00a0234", "1\u202f234", "1 234", "\t1,234 ", "\u200f1234\u200e", "\ufeff1234", "1234.0"],
)
def test_separators_and_marks_nobody_sees_do_not_change_a_number(write, cell):
    assert read_file(write([LEEDS, DELAYS, "2014-04", cell])).observations["numerator"].tolist() == [1234]


@pytest.mark.parametrize(
    "cell",
    ["1,23", "1.234,5", "12,34,567", "12%", "£5", "about 5", "1-2", "(5)", "\u22125", "inf", "5 *", "1e999"],
)
def test_a_number_that_could_be_another_is_refused(write, cell):
    reading = read_file(write([LEEDS, DELAYS, "2014-04", cell]))
    assert reading.observations.empty
    assert reading.refused[0].found == cell.replace("\u2212", "-")  # a true minus sign is read as one


def test_marks_nobody_sees_in_headings_names_and_codes(write):
    head = ["\ufeffarea_code", "metric\u200b", "per\u00adiod", "\u200fnumerator"]
    row = [f"\u202a{LEEDS}\u202c", f"{DELAYS}\u00a0", "April\u00a02014", 5]
    rows = read_file(write(row, head=head)).observations
    assert rows[["area_code", "metric", "numerator"]].values.tolist() == [[LEEDS, DELAYS, 5]]
    book = read_file(write(row, name="x.xlsx")).observations
    assert book["area_code"].tolist() == [LEEDS]


def test_the_same_marks_in_workbooks(tmp_path):
    cells = {"A": [["\u200farea_code", *HEAD[1:]], [f"{LEEDS}\u200e", DELAYS, "Apr\u00a02014", "1\u00a0234"]]}
    for make in (to_xlsx, to_xls):
        (tmp_path / "b.xls").write_bytes(make(cells))
        rows = read_file(tmp_path / "b.xls").observations
        assert rows[["area_code", "numerator"]].values.tolist() == [[LEEDS, 1234]]


def test_equal_rows_count_once_and_conflicting_ones_not_at_all(write):
    april, may = months("2014-04", "2014-05")
    assert read_file(write(april, april, may)).observations["numerator"].tolist() == [10, 11]
    reading = read_file(write(april, [*april[:3], 99], may))
    assert reading.observations["numerator"].tolist() == [11]
    assert [refused.reason for refused in reading.refused] == ["the area has this period more than once"] * 2


def test_a_column_twice_is_refused(write):
    with pytest.raises(InputError, match="A column stands there more than once"):
        read_file(write([LEEDS, DELAYS, "2014-04", 5, 6], head=[*HEAD, "Numerator "]))


def test_columns_without_a_heading_and_empty_rows_are_passed_over(write):
    reading = read_file(write(["x", *months("2014-04")[0], ""], [""] * 6, head=["", *HEAD, ""]))
    assert reading.observations["numerator"].tolist() == [10]
    assert reading.refused == ()


def test_of_two_vintages_of_a_month_the_later_one_counts(write, tmp_path):
    head = [*HEAD, "vintage"]
    write([*months("2014-04")[0], "2014-06-30"], name="raw/a.csv", head=head)
    write([LEEDS, DELAYS, "2014-04", 99, "2015-06-30"], name="raw/b.csv", head=head)
    result = prepare(tmp_path / "raw", tmp_path / "processed")
    assert result.data.observations["numerator"].tolist() == [99]
    assert "gave way to b.csv" in result.manifest["decisions"]["vintages"][0]


def test_of_two_figures_of_one_vintage_none_counts(write, tmp_path):
    write(*months("2014-04", "2014-05"), name="raw/a.csv")
    write([LEEDS, DELAYS, "2014-04", 99], name="raw/b.csv")
    result = prepare(tmp_path / "raw", tmp_path / "processed")
    assert result.data.observations["numerator"].tolist() == [11]
    assert "neither was kept" in result.manifest["decisions"]["conflicts"][0]


def test_a_month_missing_in_the_middle_stays_missing(write, tmp_path):
    write(*months("2014-04", "2014-06"), name="raw/a.csv")
    rows = prepare(tmp_path / "raw", tmp_path / "processed").data.observations
    assert rows["period_start"].dt.month.tolist() == [4, 6]
    assert rows["numerator"].tolist() == [10, 11]


def test_two_populations_of_one_area_and_year_are_both_left_out(write, tmp_path):
    write(*months("2014-04"), name="raw/a.csv")
    head = ["ladcode19", "population_2014"]
    for name, people in (("raw/p.csv", 1000), ("raw/q.csv", 1001)):
        write([LEEDS, people], head=head, name=name)
    result = prepare(tmp_path / "raw", tmp_path / "processed")
    assert result.manifest["totals"]["populations"] == 0
    assert "1,000 (p.csv) and 1,001 (q.csv) differ" in result.manifest["decisions"]["populations"][0]


SHARES = ["ccg13", "utla", "share_of_ccg"]


def test_two_shares_of_one_commissioner_are_refused(write):
    with pytest.raises(InputError, match="two different shares"):
        read_file(write(["9A", LEEDS, 0.5], ["9A", LEEDS, 0.6], head=SHARES))
    reading = read_file(write(["9A", LEEDS, 1], ["9A", LEEDS, "1.0"], head=SHARES))
    assert reading.shares["share"].tolist() == [1]


def test_files_of_shares_that_differ_are_not_added_up(write, tmp_path):
    write(*months("2014-04"), name="raw/a.csv")
    for name, share in (("raw/s.csv", 1.0), ("raw/t.csv", 0.9)):
        write(["9A", LEEDS, share], head=SHARES, name=name)
    decisions = prepare(tmp_path / "raw", tmp_path / "processed").manifest["decisions"]
    assert "none was used. Keep one file." in decisions["commissioners"][0]


def test_a_file_that_grows_while_it_is_read_is_refused(write, tmp_path):
    """A copy under way: whole or refused, and never a part of it taken for all."""
    path = write(*months("2014-04"))
    line = f"{LEEDS},{DELAYS},2014-05,5\n".encode()
    stop = threading.Event()

    def grow():
        with path.open("ab", buffering=0) as stream:
            while not stop.is_set():
                stream.write(line * 20_000)
                time.sleep(0.0001)

    writer = threading.Thread(target=grow)
    writer.start()
    refused = ""
    try:
        while not refused:  # at the latest when it has grown too large
            try:
                content = open_file(path).content
            except InputError as error:
                refused = error.what
            else:
                assert content.endswith("\n")  # what was there before a part was added
    finally:
        stop.set()
        writer.join()
    assert "changed while it was read" in refused or "too large" in refused


@pytest.mark.needs("pipes")
def test_a_named_pipe_or_device_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="no ordinary file"):
        read_file(tmp_path / "pipe.csv")


def test_the_checksum_is_of_the_bytes_that_were_read(write, tmp_path):
    import hashlib

    path = write(*months("2014-04"), name="raw/a.csv")
    entry = prepare(tmp_path / "raw", tmp_path / "processed").manifest["files"][0]
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_cell_of_a_million_letters(write):
    reading = read_file(
        write(["x" * 1_000_000, DELAYS, "2014-04", 5], [LEEDS, DELAYS, "2014-04", "9" * 5_000])
    )
    assert len(reading.refused) == 1
    with pytest.raises(InputError):
        read_file(write([1], head=["x" * 300_000]))


@pytest.mark.parametrize("delimiter", list(";\t|"))
def test_semicolons_tabs_and_upright_lines_separate_columns_too(tmp_path, delimiter):
    path = tmp_path / "d.csv"
    path.write_text(to_csv([HEAD, *months("2014-04")], delimiter=delimiter))
    commas = tmp_path / "c.csv"
    commas.write_text(to_csv([HEAD, *months("2014-04")]))
    numbers = [read_file(file).observations["numerator"].tolist() for file in (path, commas)]
    assert numbers[0] == numbers[1] != []


@pytest.mark.slow
def test_files_of_which_no_area_is_known_end_soon(write, tmp_path):
    """Ten thousand names that are none, each of which would be compared with every area."""
    names = [f"Nowhere {number}" for number in range(10_000)]
    start = time.process_time()
    path = write(*([name, "reablement", "2015-10", 85] for name in names),
                 head=["area", "metric", "payment", "target_value"], name="targets.csv")  # fmt: skip
    with pytest.raises(InputError, match="200 problems or more"):
        read_targets(path)
    write(*([name, DELAYS, "2014-04", 5] for name in names), name="raw/a.csv")
    entry = prepare(tmp_path / "raw", tmp_path / "processed").manifest["files"][0]
    assert entry["rows_refused"] == 10_000
    assert time.process_time() - start < 20


@pytest.mark.slow
def test_a_heading_row_of_very_many_columns_ends_soon(write):
    head = [*HEAD, *(f"c{number}" for number in range(12_000)), "c1"]
    start = time.process_time()
    with pytest.raises(InputError, match="more than once"):
        read_file(write(["x"] * len(head), head=head))
    assert time.process_time() - start < 10
