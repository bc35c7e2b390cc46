"""Many small files are read and checked several at a time, each as if it were alone."""

import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.errors import InputError
from bcfstats.read import processes
from bcfstats.read.prepare import prepare
from bcfstats.read.recognise import read_content, read_together

HEAD = "area,metric,period,numerator,denominator\n"
FILES = {
    "good.csv": HEAD + "Leeds,reablement,2014/15,80,100\nKent,reablement,2014/15,170,200\n",
    "twice.csv": HEAD + "Leeds,reablement,2014/15,80,100\n" * 2,
    "two.csv": HEAD + "Leeds,reablement,2014/15,80,100\nLeeds,reablement,2014/15,81,100\n",
    "impossible.csv": HEAD + "Leeds,reablement,2014/15,120,100\nKent,reablement,2015/16,170,200\n",
    "no_table.csv": "a,b\n1,2\n",
    "england.csv": HEAD + "England,reablement,2014/15,800,1000\nRutland,reablement,2014/15,8,10\n",
    "fives.csv": "area,metric,period,numerator,denominator,value\n"
    + "".join(
        f"{area},reablement,2014/15,35,40,{value}\n" for area, value in (("Leeds", 86.1), ("Kent", 88))
    ),
    "empty.csv": HEAD,
}


def told(reading):
    frames = (reading.observations, reading.others)
    return [frame.to_csv() for frame in frames], reading.refused, reading.warnings, reading.rows_read


@pytest.fixture
def folder(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, text in FILES.items():
        (raw / name).write_text(text, encoding="utf-8")
    return raw


def test_each_file_is_read_as_if_it_were_alone(folder):
    files = [(path, path.read_bytes()) for path in sorted(folder.iterdir())]
    for (path, content), one in zip(files, read_together(files, METRICS), strict=True):
        if path.name == "no_table.csv":
            assert isinstance(one, InputError)
        else:
            assert told(one) == told(read_content(path, content, METRICS)), path.name


def test_a_row_of_one_file_never_counts_for_another(folder):
    files = [(path, path.read_bytes()) for path in sorted(folder.iterdir())]
    found = {path.name: one for (path, _), one in zip(files, read_together(files, METRICS), strict=True)}
    assert [len(found[name].observations) for name in ("good.csv", "twice.csv", "two.csv")] == [2, 1, 0]
    assert [row.reason for row in found["two.csv"].refused] == ["the area has this period more than once"] * 2
    assert "1 rows repeat another" in found["twice.csv"].warnings[0]
    assert found["england.csv"].others["area_code"].tolist() == ["E92000001"]
    assert set(found["fives.csv"].observations["status"]) == {"rounded"}
    assert set(found["good.csv"].observations["status"]) == {"ok"}


@pytest.mark.slow
def test_a_file_that_takes_too_long_does_not_take_others_with_it(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "MOST_SECONDS", 4)
    lines = (
        f"Leeds,own,{year}/{year % 100 + 1:02d},{n},1\n" for year in range(2001, 2090) for n in range(5000)
    )
    (folder / "slow.csv").write_text(HEAD + "".join(lines), encoding="utf-8")
    monkeypatch.setattr("bcfstats.read.prepare.BYTES_AT_ONCE", 100_000_000)
    done = prepare(folder, tmp_path / "out", metrics=METRICS)
    assert {"no_table.csv", "slow.csv"} == set(done.refused_files)
    assert "too much" in done.refused_files["slow.csv"]
    assert {"Kent", "Rutland"} == set(done.data.observations["area_name"])


@pytest.mark.parametrize("cell", ["2015", "2015.0", " 2015 "])
def test_a_year_alone_may_be_either_kind_of_year(tmp_path, cell):
    text = "area,metric,{},numerator,denominator\nLeeds,reablement,{},80,100\n"
    for heading in ("period", "financial year", "year"):
        reading = read_content(tmp_path / "x.csv", text.format(heading, cell).encode(), METRICS)
        assert reading.observations.empty
        assert "Write 2015/16 or 2014/15, or 2015-01/2015-12" in reading.refused[0].reason
    wide = f"area,metric,measure,{cell},2016\nLeeds,reablement,numerator,80,81\n"
    reading = read_content(tmp_path / "x.csv", wide.encode(), METRICS)
    assert reading.observations.empty
    assert reading.refused[0].rows == 2
