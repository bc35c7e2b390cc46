"""Settings and data files that no reader should stumble over: one message with the file's name."""

import os
import sys
import time

import pytest

from bcfstats.define.areas import find_area
from bcfstats.define.datafiles import near_misses, number, read_toml
from bcfstats.define.metrics import load_metrics
from bcfstats.define.schemes import scheme
from bcfstats.errors import BcfStatsError, InputError, ParameterError
from bcfstats.read.template import load_template
from bcfstats.run.settings import load_settings

READERS = [read_toml, load_metrics, scheme, load_template, load_settings]
HOSTILE = {
    "3,000 lists in each other": b"a = " + b"[\n" * 3_000 + b"]" * 3_000,
    "900 tables in each other": b"a = " + b"{a = [\n" * 300 + b"]}" * 300,
    "a key of 900 parts": b"a" + b".a" * 900 + b" = 1",
    "one key of a million parts": b"a" + b".a" * 249_000 + b" = 1",
    "5,000 digits": b"jobs = 1" + b"_9" * 900 + b"\n",
    "a million digits": b"jobs = " + b"9" * 400_000,
    "a power without end": b"multiplier = 1e999999999",
    "a very small power": b"multiplier = 1e-999999999",
    "a power beyond any": b"multiplier = 1e9999999999999999999999",
    "very many decimals": b"multiplier = 0." + b"1" * 1_500,
    "Windows-1252": "raw = 'é'".encode("cp1252"),
    "UTF-16": "jobs = 1".encode("utf-16"),
    "a zero byte": b'raw = "a\\u0000b"',
    "a zero byte as it is": b'raw = "a\0b"',
    "a megabyte": b"#" * 1_000_000,
    "no TOML": b"\x89PNG\r\n\x1a\n",
}


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_by_name(content, read, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        read(path)
    assert "mine.toml" in caught.value.where
    assert caught.value.do
    assert len(str(caught.value)) < 10_000
    assert time.process_time() - start < 10  # 0.1 on a quiet machine; minutes, or for ever, without a bound


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_what_is_no_file_is_refused_by_name(read, tmp_path):
    (tmp_path / "folder.toml").mkdir()
    names = ["folder.toml"]
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe.toml")
        (tmp_path / "ring.toml").symlink_to("ring.toml")
        names += ["pipe.toml", "ring.toml"]
    for name in names:
        with pytest.raises(InputError) as caught:
            read(tmp_path / name)
        assert name in caught.value.where


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_a_byte_order_mark_does_not_matter(start, tmp_path):
    path = tmp_path / "bcfstats.toml"
    path.write_text(f"{start}jobs = 3\n", encoding="utf-8")
    assert load_settings(path).jobs == 3


@pytest.mark.parametrize(
    "line",
    ["jobs = true", "jobs = 0", "jobs = -1", "jobs = 1.5", "jobs = 9223372036854775807", "memory_mib = -5",
     "disclosure = {threshold = -5}", "disclosure = {threshold = true}", "disclosure = 5", 'raw = ["a"]',
     "metrics = 'a.toml'", "metrics = [1]", "colour = 1", "jobs = 2014-04-01", "cell_seconds = inf"],
)  # fmt: skip
def test_a_setting_that_means_nothing_is_refused(line, tmp_path):
    path = tmp_path / "bcfstats.toml"
    path.write_text(line + "\n")
    with pytest.raises(BcfStatsError) as caught:
        load_settings(path)
    assert "bcfstats.toml" in caught.value.where


@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "true", "'1'"])
def test_a_number_is_a_number(value, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(f"a = {value}\n")
    with pytest.raises(InputError, match="'a' must be a number"):
        number(read_toml(path), "a", "a.toml")


@pytest.mark.parametrize("value", ["0.1", "100_000", "1e5", "0.0", "-3.25"])
def test_a_number_is_kept_as_it_was_written(value, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(f"a = {value}\n")
    assert float(number(read_toml(path), "a", "a.toml")) == float(value)


@pytest.mark.parametrize("text", ["word " * 30_000, "x" * 200_000, "metropolitan " * 20_000, "é" * 100_000])
def test_a_text_without_end_is_no_area_at_once(text):
    """103 seconds before there was a bound."""
    start = time.process_time()
    with pytest.raises(ParameterError) as caught:
        find_area(text)
    near_misses(text, ["Leeds", "Kent"])
    assert time.process_time() - start < 1
    assert len(str(caught.value)) < 300
