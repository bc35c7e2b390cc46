"""Prepared data come back as they were written; what is no prepared data is refused by name."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from bcfstats.define.areas import REGISTER, areas_frame
from bcfstats.define.metrics import METRICS
from bcfstats.define.periods import Period
from bcfstats.errors import InputError, ParameterError
from bcfstats.files import MANIFEST
from bcfstats.judge.changes import change
from bcfstats.read.data import Data, load


def test_tables_and_manifest_come_back(few):
    data = load(few)
    written = pd.read_parquet(few / "observations.parquet")
    assert len(data.observations) == len(written)
    assert data.observations["numerator"].sum() == written["numerator"].sum()
    assert data.manifest == json.loads((few / MANIFEST).read_text(encoding="utf-8"))
    assert data.is_example


def test_some_metrics_alone(few):
    data = load(few).of("reablement")
    assert set(data.observations["metric"]) == {"reablement"}
    assert len(data.areas) == len(load(few).areas)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), "no prepared data"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "damaged or incomplete"),
        (lambda folder: (folder / "areas.parquet").unlink(), "damaged or incomplete"),
        (lambda folder: pd.DataFrame({"a": [1]}).to_parquet(folder / "observations.parquet"), "columns"),
    ],
    ids=["no manifest", "half a manifest", "a table gone", "of another version"],
)
def test_what_is_no_prepared_data_is_refused(fault, what, few, tmp_path):
    folder = tmp_path / "processed"
    shutil.copytree(few, folder)
    fault(folder)
    with pytest.raises(InputError, match=what):
        load(folder)


def counts(area, metric, year, numerator, denominator, **given):
    """Give one row of a financial year."""
    start = pd.Timestamp(year, 4, 1)
    return {
        "area_code": area, "area_name": REGISTER[area].area_name, "metric": metric, "frequency": "year",
        "period_start": start, "period_end": start + pd.DateOffset(years=1, days=-1), "numerator": numerator,
        "denominator": denominator, "status": "ok", "source": "made.csv", **given,
    }  # fmt: skip


CARE = "care_home_admissions"
CUMBRIA, CUMBERLAND, WESTMORLAND = "E10000006", "E06000063", "E06000064"
BOURNEMOUTH, POOLE, DORSET, BCP = "E06000028", "E06000029", "E10000009", "E06000058"


def held(*rows):
    return Data(pd.DataFrame(rows), areas_frame(REGISTER), pd.DataFrame(), {})


def test_areas_that_were_split_have_a_past_together():
    data = held(
        counts(CUMBRIA, CARE, 2022, 700, 120_000),
        counts(CUMBERLAND, CARE, 2023, 380, 66_000),
        counts(WESTMORLAND, CARE, 2023, 340, 60_000),
        counts(CUMBERLAND, CARE, 2024, 390, 67_000),
        counts(WESTMORLAND, CARE, 2024, None, None, status="suppressed"),
        counts(CUMBERLAND, "falls_injuries", 2024, 900, 67_000, value=1900.0),
        counts("E06000001", CARE, 2023, 150, 20_000),
    )
    found = data.joined("Cumberland")
    assert found.observations["area_code"].value_counts().to_dict() == {
        "E06000063+E06000064": 4, "E06000001": 1,
    }  # fmt: skip
    rows = found.observations.query("area_code != 'E06000001'").set_index(["metric", "period_start"])
    care = rows.loc[CARE]
    assert set(rows["area_name"]) == {"Cumberland with Westmorland and Furness"}
    assert care["numerator"].tolist()[:2] == [700, 720]
    assert care["value"].tolist()[:2] == pytest.approx([583.333333, 571.428571])
    assert care["status"].tolist() == ["ok", "ok", "not_available"]
    assert care["status_note"].iloc[2] == "no usable figure of Westmorland and Furness to add"
    falls = rows.loc["falls_injuries"].iloc[0]
    assert (falls["status"], falls["status_note"]) == (
        "not_available", "figures of this kind cannot be added up",
    )  # fmt: skip
    assert pd.isna(falls["value"])
    codes = set(found.areas["area_code"])
    assert "E06000063+E06000064" in codes
    assert not {CUMBRIA, CUMBERLAND, WESTMORLAND} & codes
    for other in ("Cumbria", WESTMORLAND):
        pd.testing.assert_frame_equal(data.joined(other).observations, found.observations)


def test_areas_whose_boundaries_moved_have_a_past_together():
    """Christchurch left Dorset for BCP in April 2019: only the sum of all of them is of the same ground."""
    found = held(
        *(counts(code, CARE, 2018, 100, 20_000) for code in (BOURNEMOUTH, POOLE, DORSET)),
        *(counts(code, CARE, 2017, 100, 20_000) for code in (BOURNEMOUTH, DORSET)),
        *(counts(code, CARE, 2019, 150, 30_000, status="rounded") for code in (BCP, DORSET)),
        counts(DORSET, "care_home_admissions", 2024, 9, 30_000, period_start=pd.Timestamp("2018-10-01"),
               period_end=pd.Timestamp("2019-09-30")),
    ).joined("Poole")  # fmt: skip
    rows = found.observations.sort_values("period_start")
    assert set(rows["area_name"]) == {"Bournemouth, Christchurch and Poole with Dorset"}
    assert rows["status"].tolist() == ["not_available", "ok", "not_available", "rounded"]
    assert rows["numerator"].tolist()[1::2] == [300, 300]
    assert rows["status_note"].iloc[0] == "no usable figure of Poole to add"
    assert rows["status_note"].iloc[2] == "an area began or ended within the period"
    before, after = Period.parse("2018/19"), Period.parse("2019/20")
    metric = replace(METRICS[CARE], breaks=())
    assert change(found.observations, metric, before, after, label="x")["change"].tolist() == [0.0]


def test_an_area_that_was_neither_split_nor_merged_has_nothing_to_join():
    with pytest.raises(ParameterError, match="neither split nor merged"):
        held(counts("E10000002", CARE, 2018, 100, 20_000)).joined("Buckinghamshire")
