"""Text tables as programs write them: separators, lines above the headings, decimal commas."""

import pytest

from bcfstats.errors import InputError
from bcfstats.read.recognise import read_file
from bcfstats.read.workbook import separator

TABLE = """area,metric,period,numerator,denominator,value
Rutland,care_home_admissions,2015/16,52,9000,577.8
Leeds,care_home_admissions,2015/16,1052,118000,891.5
"""


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, encoding="utf-8"):
        path = tmp_path / "mine.csv"
        path.write_bytes(text.encode(encoding))
        return read_file(path)

    return write_and_read


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sep line", "sep=,\n" + TABLE),
        ("sep line of semicolons", "sep=;\r\n" + TABLE.replace(",", ";")),
        ("titles", "Better Care Fund metrics,,,,,\nSource: council,,,,,\n,,,,,\n" + TABLE),
        ("Numbers", "Table 1\n" + TABLE),
        ("blank lines", "\n\n  \n" + TABLE),
        ("semicolons", TABLE.replace(",", ";")),
        ("semicolons and decimal commas", TABLE.replace(",", ";").replace(".", ",")),
        ("tabs", TABLE.replace(",", "\t")),
        ("upright lines", TABLE.replace(",", "|")),
        ("title and tabs", "My table\n\n" + TABLE.replace(",", "\t")),
        ("a title with a comma", '"Admissions, by area"\n' + TABLE),
        ("thousands among decimals", TABLE.replace(",", ";").replace(";9000;", ";9,000;")),
        ("blank rows between", TABLE.replace("Leeds", ",,,,,\nLeeds")),
    ],
)
def test_the_table_is_the_same_however_it_is_set_out(read, name, text):
    reading = read(text)
    assert reading.refused == ()
    assert reading.observations["value"].tolist() == [577.8, 891.5]
    assert reading.observations["denominator"].tolist() == [9000, 118000]


def test_unicode_text_of_excel(read):
    assert read("\ufeff" + TABLE.replace(",", "\t"), "utf-16-le").observations["numerator"].tolist() == [
        52,
        1052,
    ]


@pytest.mark.parametrize("cells", [("1,204", "2,377"), ("577,8", "891.5")])
def test_a_comma_that_could_be_either_is_asked_about(read, cells):
    rows = "".join(
        f"Leeds;delayed_transfers;2014-{month:02d};{cell}\n" for month, cell in enumerate(cells, 4)
    )
    if cells[1] == "1,2.5":  # neither: the row is refused as text
        rows = rows.replace("1,204", "5")
        assert [row.found for row in read("area;metric;period;numerator\n" + rows).refused] == ["1,2.5"]
        return
    with pytest.raises(InputError, match="decimal comma or parts thousands"):
        read("area;metric;period;numerator\n" + rows)


def test_dots_part_thousands_where_commas_are_decimals(read):
    text = "area;metric;period;numerator;value\nLeeds;care_home_admissions;2015/16;1.052;891,5\n"
    assert read(text).observations[["numerator", "value"]].to_numpy().tolist() == [[1052, 891.5]]


def test_the_row_number_counts_what_stands_above(read):
    reading = read("sep=;\nA title\n\n" + TABLE.replace(",", ";").replace("1052", "about 1,000"))
    assert "row 6, Leeds" in reading.refused[0].where


@pytest.mark.parametrize(
    ("text", "sign"), [("a;b;c\n1,5;2,5;3,5\n", ";"), ("a,b\n1;2,3\n", ","), ("a", ","), ("", ",")]
)
def test_the_sign_that_makes_most_columns(text, sign):
    assert separator(text) == sign
