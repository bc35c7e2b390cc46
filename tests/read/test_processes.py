"""Files are opened in processes that may die: a death is a refusal that names the file."""

import os
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from bcfstats.errors import InputError, ParameterError
from bcfstats.read import processes
from bcfstats.read.prepare import prepare
from bcfstats.read.processes import apart, in_order
from bcfstats.read.targets import read_targets

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
GOOD = "area_code,metric,period,numerator,denominator\nE08000035,reablement,{},84,100\n"

SECONDS = 600  # for what takes one on a machine that does nothing else


def refusal(*task):
    with pytest.raises(InputError) as caught:
        apart("mine.xls", *task)
    assert caught.value.where == "mine.xls"
    return caught.value


@pytest.mark.parametrize(
    ("task", "found"),
    [((os.abort,), "SIGABRT"), ((os._exit, 3), "ended with 3"), ((int, "x"), "ValueError")],
    ids=["aborts", "ends", "raises"],
)
def test_what_happens_in_the_process_is_told_with_the_file(task, found):
    assert found in refusal(*task).found
    assert apart("next.xls", len, "abc") == 3


@linux
def test_a_file_may_not_take_all_the_memory():
    assert "memory" in refusal(bytearray, 3 * 2**30).found
    assert apart("next.xls", len, "abc") == 3


@linux
def test_a_lower_limit_of_memory_is_kept(tmp_path):
    """As where the machine's keeper has set one: ours is not put above it."""
    code = """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        from bcfstats.read.processes import apart
        print(apart("a", resource.getrlimit, resource.RLIMIT_AS))
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str((2**30, 2**30))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts no seconds of a processor")
def test_a_file_may_not_take_for_ever(monkeypatch):
    monkeypatch.setattr(processes, "MOST_SECONDS", 1)
    assert "1 seconds of a processor" in refusal(pow, 3, 10**9).found


def test_a_file_may_not_be_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(processes, "MOST_SECONDS_WAITED", 1)
    assert "1 seconds" in refusal(time.sleep, 10_000).found


def test_answers_come_in_order_with_errors_among_them():
    questions = [(str(n), abs, (-n,)) for n in range(20)]
    questions[7] = ("7", os.abort, ())
    answers = list(in_order(questions, 3))
    assert isinstance(answers.pop(7), InputError)
    assert answers == [n for n in range(20) if n != 7]


def test_errors_keep_their_kind_and_parts():
    with pytest.raises(ParameterError) as caught:
        apart("a.csv", _unknown)
    assert (caught.value.what, caught.value.found) == ("No.", "x")


def _unknown():
    raise ParameterError("No.", found="x")


@pytest.mark.slow
def test_processes_end_when_they_are_idle(monkeypatch):
    monkeypatch.setattr(processes, "SECONDS_IDLE", 0)
    apart("a", len, "")
    until = time.monotonic() + SECONDS
    while processes._readers and time.monotonic() < until:
        time.sleep(0.1)
    assert not processes._readers
    assert apart("a", len, "abc") == 3


@pytest.mark.skipif(sys.platform == "win32", reason="no signal ends a process at once there")
def test_processes_end_with_the_one_that_asked(tmp_path):
    code = """
        import os, sys
        from bcfstats.read import processes
        processes.apart("a", len, "")
        print(*(reader.process.pid for reader in processes._readers), flush=True)
        os.kill(os.getpid(), 9)
    """
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    (left,) = map(int, told.stdout.split())
    until = time.monotonic() + SECONDS
    while is_running(left) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_running(left)


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_declared_texts_without_end_cost_only_their_file(declared_texts, tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "lies.xlsx").write_bytes(declared_texts)
    (raw / "mine.csv").write_text(GOOD.format("2014/15"))
    found = prepare(raw, tmp_path / "processed")
    assert list(found.refused_files) == ["lies.xlsx"]
    assert "40,000,000,008 texts" in found.refused_files["lies.xlsx"]
    assert len(found.data.observations) == 1


def test_declared_texts_without_end_are_refused_as_targets(declared_texts, tmp_path):
    path = tmp_path / "targets.xlsx"
    path.write_bytes(declared_texts)
    with pytest.raises(InputError, match=r"targets\.xlsx.*40,000,000,008 texts"):
        read_targets(path)


def test_the_library_alone_would_end_the_process(declared_texts):
    """Without the check before it: the process dies, and the file is named all the same."""
    assert apart("small.xlsx", _sheets, b"") == []
    with pytest.raises(InputError, match=r"lies\.xlsx"):
        apart("lies.xlsx", _sheets, declared_texts)


def _sheets(content):
    import io

    import python_calamine

    if not content:
        return []
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).sheet_names


@pytest.fixture
def declared_texts():
    """A workbook of some kilobytes that says that it holds 40,000,000,008 texts."""
    import io
    import zipfile

    from tests.read.made_files import to_xlsx, to_zip

    archive = zipfile.ZipFile(io.BytesIO(to_xlsx({"Data": [["area"], ["Leeds"]]})))
    parts = {part: archive.read(part) for part in archive.namelist()}
    parts["xl/sharedStrings.xml"] = b'<sst count="2" uniqueCount="40000000008"><si><t>area</t></si></sst>'
    return to_zip(parts)


def test_many_small_files_are_read_and_told(tmp_path, monkeypatch, capsys):
    from bcfstats.read import prepare as module

    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    raw = tmp_path / "raw"
    raw.mkdir()
    for year in range(1950, 2010):
        (raw / f"{year}.csv").write_text(GOOD.format(f"{year}/{(year + 1) % 100:02d}"))
    found = prepare(raw, tmp_path / "processed")
    assert found.exit_code == 0
    assert len(found.data.observations) == 60
    assert "60 of 60 files read" in capsys.readouterr().err
