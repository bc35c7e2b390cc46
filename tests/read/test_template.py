import csv
import io

import numpy as np
import pandas as pd
import pytest

from bcfstats.errors import InputError, ParameterError
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.read.template import SETTINGS, export_template, load_template, read_template
from tests.judge.made_up import panel, targets, yearly

AREAS = pd.DataFrame({"area_code": ["X00"], "area_name": ["Area X00"]})


@pytest.fixture(scope="module")
def assessed():
    rows = pd.concat([panel(months=57), yearly("reablement", np.full((40, 4), 80.0), 300.0)])
    goals = [
        {"area_code": "X00", "metric": "delayed_transfers", "payment": "2015-04", "target_value": 450.0},
        {"area_code": "X00", "metric": "delayed_transfers", "payment": "2015-10", "target_value": 440.0},
        {"area_code": "X00", "metric": "reablement", "payment": "2015-10", "target_value": 84.0},
    ]
    return assess_ambitions(rows, targets(goals))


def test_table_has_the_shape_of_the_template(assessed):
    """450 a month per 100,000 over 9 months in 200,000 people is 8,100 days; 84 % of 300 is 252 people."""
    lines = list(csv.reader(io.StringIO(export_template(assessed, "X00"))))
    assert lines[0] == ["Health and Wellbeing Board", "Area X00"]
    assert lines[1] == list(load_template().headings)
    assert [line[1] for line in lines[2:6]] == ["Metric Value", "Numerator", "Denominator", ""]
    assert [line[3] for line in lines[2:6]] == ["450.0", "8100", "200000", "(April to December 2014)"]
    assert lines[5][2] == "(April to December 2013, January to June 2014)"
    assert [line[3:] for line in lines[6:10]] == [
        ["N/A", "84.0"],
        ["N/A", "252"],
        ["N/A", "300"],
        ["(N/A)", "(2014/15)"],
    ]


def test_a_filled_template_is_read_back_as_the_same_targets(assessed, tmp_path):
    path = tmp_path / "template.csv"
    path.write_text(export_template(assessed, "X00"))
    found = read_template(path, areas=AREAS)
    for column in ("area_code", "metric", "payment", "target_value"):
        assert found[column].tolist() == assessed[column].tolist(), column
    assert found["baseline_value"][0] == round(assessed["baseline_value"][0], 1)


def test_a_numerator_alone_is_a_target_too(assessed, tmp_path):
    path = tmp_path / "template.csv"
    path.write_text(export_template(assessed, "X00").replace(",450.0,", ",,"))
    found = read_template(path, areas=AREAS).iloc[0]
    assert np.isnan(found["target_value"])
    assert found["target_numerator"] == 8100


def test_labels_are_settings(assessed, tmp_path):
    own = tmp_path / "own.toml"
    shipped = load_template()
    text = SETTINGS.read_text(encoding="utf-8").replace('value = "Metric Value"', 'value = "Value"')
    own.write_text(text.replace(shipped.labels["reablement"], "Reablement"))
    template = load_template(own)
    path = tmp_path / "template.csv"
    path.write_text(export_template(assessed, "X00", template=template))
    assert "\nReablement,Value,80.0" in path.read_text()
    assert len(read_template(path, areas=AREAS, template=template)) == 3
    with pytest.raises(InputError, match=r"template\.toml"):
        read_template(path, areas=AREAS)  # the shipped labels do not know "Value"


def test_a_metric_that_is_not_known_is_never_taken_for_the_one_above(assessed, tmp_path):
    path = tmp_path / "template.csv"
    label = load_template().labels["reablement"]
    path.write_text(export_template(assessed, "X00").replace(label, "Still at home"))
    with pytest.raises(InputError, match="Still at home"):
        read_template(path, areas=AREAS)


def test_what_cannot_be_read_is_named(assessed, tmp_path):
    path = tmp_path / "template.csv"
    text = export_template(assessed, "X00")
    path.write_text(text.replace("450.0", "about 450"))
    with pytest.raises(InputError, match="row 3"):
        read_template(path, areas=AREAS)
    path.write_text(text.replace("Health and Wellbeing Board,Area X00", "Board,"))
    with pytest.raises(InputError, match="name its board"):
        read_template(path, areas=AREAS)
    with pytest.raises(ParameterError, match="X99"):
        export_template(assessed, "X99")
