"""A notebook's parameters are read and held against what a run gives, before any kernel starts."""

import json

import pytest

from bcfstats.errors import ParameterError
from bcfstats.run.notebooks import AREA_REPORT
from bcfstats.run.report import Job, check_parameters, notebook_parameters


def written(path, source, tags=("parameters",)):
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": []}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_the_notebook_of_the_package_takes_what_a_job_gives():
    job = Job("stem", "X1", "Area", "Title", "")
    assert set(notebook_parameters(AREA_REPORT)) == set(job.parameters)
    check_parameters(AREA_REPORT, job.parameters)


def test_parameters_are_the_names_that_are_assigned(tmp_path):
    book = written(tmp_path / "a.ipynb", "area_code = ''  # a code\nrun_folder = year = ''\nprint(1)")
    assert notebook_parameters(book) == ("area_code", "run_folder", "year")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("area_code = ''", "unknown: run_folder; missing: none"),
        ("area_code = run_folder = year = ''", "unknown: none; missing: year"),
    ],
)
def test_unknown_and_missing_parameters_are_refused(source, found, tmp_path):
    with pytest.raises(ParameterError) as told:
        check_parameters(written(tmp_path / "a.ipynb", source), Job("", "", "", "", "").parameters)
    assert told.value.found == found


def test_a_notebook_without_parameters_or_that_is_none_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="no cell tagged"):
        notebook_parameters(written(tmp_path / "a.ipynb", "area_code = ''", tags=()))
    (tmp_path / "b.ipynb").write_text("{")
    with pytest.raises(ParameterError, match="cannot be read"):
        notebook_parameters(tmp_path / "b.ipynb")
