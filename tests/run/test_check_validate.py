"""The page of one's own validation, written from prepared data."""

from datetime import date

import pytest

from bcfstats.errors import InputError
from bcfstats.run.check import write_validation
from bcfstats.run.settings import Settings


@pytest.mark.slow
def test_page_and_diagram_of_every_monthly_metric(example_processed, tmp_path):
    page, found = write_validation(Settings(processed=example_processed, out=tmp_path / "out"))
    text = page.read_text(encoding="utf-8")
    assert len(found) >= 1
    for number, validation in enumerate(found, start=1):
        assert f"## {validation.name}" in text
        assert (tmp_path / "out" / f"reliability-{number}.svg").is_file()
    assert "### Called significant when nothing was targeted" in text


def test_too_few_months_are_named(example_processed, tmp_path):
    settings = Settings(processed=example_processed, out=tmp_path)
    with pytest.raises(InputError, match="No monthly metric has enough months"):
        write_validation(settings, until=date(2011, 3, 31))
    assert list(tmp_path.iterdir()) == []
