"""The data dictionary against the columns there are."""

import pandas as pd
import pytest

from bcfstats.judge.columns import data_dictionary, dictionary_page
from bcfstats.judge.national import national_overview
from bcfstats.judge.results import TABLES
from bcfstats.run.records import failures_table, results_table
from bcfstats.run.report import Outcome


@pytest.fixture(scope="module")
def tables(example_results):
    """Every table of a run with targets, and of an overview of them."""
    results = example_results
    overview = national_overview(results.assessments, results.areas)
    failed = failures_table([Outcome("X", "X town", "x", reason="no figures")])
    return {
        **{name: getattr(results, name) for name in TABLES},
        **{name: getattr(overview, name) for name in ("composite", "verdicts", "plans")},
        "results": results_table(results),
        "failures": pd.DataFrame(columns=failed.splitlines()[0].split(",")),
    }


def test_every_column_is_explained_and_no_other(tables):
    told = data_dictionary()
    told["tables"] = told["tables"].str.split(", ")
    stands = told.explode("tables").groupby("tables")["name"].agg(set).to_dict()
    assert stands == {name: set(table.columns) for name, table in tables.items()}


def test_names_stand_once_and_every_entry_has_a_meaning_and_a_unit():
    told = data_dictionary()
    apart = told.assign(tables=told["tables"].str.split(", ")).explode("tables")
    assert not apart.duplicated(["name", "tables"]).any()
    assert (told[["meaning", "unit"]].map(len) > 3).all(axis=None)
    assert told["meaning"].str.endswith(".").all()


def test_every_chance_and_limit_says_which_way_it_looks():
    told = data_dictionary().set_index("name")
    is_limit = told.index.str.contains("lower|upper") & ~told.index.str.contains("reach")
    assert (told.loc[is_limit, "sides"].str.startswith("two-sided, ")).all()
    assert (told.loc[told["unit"] == "probability", "sides"] != "").all()
    assert told.loc["noise_p", "sides"] == "one-sided, in the improving direction"


def test_the_page_has_a_row_for_every_column():
    lines = [line for line in dictionary_page().splitlines() if line.startswith("|")]
    assert len(lines) == len(data_dictionary()) + 2
