"""Messages: one sentence after another, each with one full stop, whatever they are put together from."""

import re
from pathlib import Path

import pandas as pd
import pytest

from bcfstats.errors import BcfStatsError, InputError
from bcfstats.read.targets import read_targets

NAMELESS = {"area": "Rutlnd", "metric": "reablement", "payment": "2015-10", "target_value": "80"}


@pytest.mark.parametrize("field", ["where", "found"])
@pytest.mark.parametrize("text", ["row 3", "row 3.", "There is no such area. Did you mean 'Rutland'?"])
def test_a_part_ends_with_one_full_stop(field: str, text: str) -> None:
    told = str(BcfStatsError("It cannot be read.", **{field: text}, do="Correct it."))
    assert told == f"It cannot be read. {field.capitalize()}: {text.removesuffix('.')}. Correct it."


@pytest.mark.parametrize(
    "row",
    [{"metric": "reablment"}, {"payment": "soon"}, {"area": "Atlantis"}, {"target_value": "-3"}],
    ids=str,
)
@pytest.mark.parametrize("times", [1, 2])
def test_refused_targets_are_told_in_sentences(row: dict[str, str], times: int, tmp_path: Path) -> None:
    pd.DataFrame([NAMELESS | row] * times).to_csv(tmp_path / "targets.csv", index=False)
    with pytest.raises(InputError) as refused:
        read_targets(tmp_path / "targets.csv")
    assert not re.search(r"\.\.|\.;", str(refused.value)), refused.value
