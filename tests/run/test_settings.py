"""Settings from a file, from the command line, and as they are when nothing is said."""

import pytest

from bcfstats.errors import BcfStatsError, InputError, ParameterError
from bcfstats.run.notebooks import AREA_REPORT
from bcfstats.run.settings import FILE, Settings, load_settings, write_settings


def test_the_file_that_init_writes_says_what_holds_anyway(tmp_path):
    path = write_settings(tmp_path)
    assert load_settings(path) == Settings()
    text = path.read_text(encoding="utf-8")
    assert {name for name in vars(Settings()) if f"{name} = " not in text} == set()
    with pytest.raises(ParameterError, match="a settings file already"):
        write_settings(tmp_path)


def test_what_is_given_on_the_command_line_comes_before_the_file(tmp_path):
    (tmp_path / FILE).write_text('jobs = 3\nout = "here"\n', encoding="utf-8")
    settings = load_settings(tmp_path / FILE).with_given(jobs=5, out=None)
    assert (settings.jobs, str(settings.out)) == (5, "here")


@pytest.mark.parametrize(
    "line", ["jobs = 0", "jobs = true", "palette = 'none'", "disclosure = 'threshold=-1'", "job = 2"]
)
def test_what_means_nothing_is_refused_with_the_name_of_the_file(line, tmp_path):
    (tmp_path / FILE).write_text(line, encoding="utf-8")
    with pytest.raises(BcfStatsError, match=FILE):
        load_settings(tmp_path / FILE)


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(InputError, match="no such settings file"):
        load_settings(tmp_path / "other.toml")


def test_no_path_of_the_package_is_recorded():
    assert Settings().as_record()["notebook"] == ""
    assert str(AREA_REPORT.parent) not in str(Settings().as_record())
