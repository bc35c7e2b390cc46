"""Pages of methods: every page complete, every public method explained, near misses named."""

import re
from pathlib import Path

import pytest

from bcfstats.errors import ParameterError
from bcfstats.judge.verdicts import VERDICTS
from bcfstats.run.explain import explain, method_names

ROOT = Path(__file__).resolve().parents[2]
EXPLAINED = [
    "proportion",
    "crude_rate",
    "directly_standardised_rate",
    "standardised_ratio",
    "mean",
    "compare_proportions",
    "compare_rates",
    "compare_means",
    "compare_estimates",
    "adjust_p_values",
    "minimum_significant_improvement",
    "detectable_improvement",
    "pearson_dispersion",
    "shrink_to_panel",
    "paule_mandel",
    "funnel_limits",
    "xmr_limits",
    "spc_signals",
]


def test_every_method_has_its_page():
    assert set(EXPLAINED) <= set(method_names())


@pytest.mark.parametrize("name", method_names())
def test_every_page_says_what_when_and_whence(name):
    page = explain(name)
    assert page.startswith("# ")
    for part in ("**Question.**", "**When not to use.**", "**Source.**"):
        assert part in page, f"{name} has no {part}"


@pytest.mark.parametrize("name", method_names())
def test_the_index_of_methods_links_to_the_page(name):
    index = (ROOT / "docs" / "methods" / "README.md").read_text(encoding="utf-8")
    assert f"[{name}](../../bcfstats/stats/methods/{name}.md)" in index


def test_verdicts_are_explained_in_the_words_they_are_told_in():
    told = re.findall(r"^\| (.*?) \|", explain("ambition_verdicts"), re.MULTILINE)
    assert set(told[1:]) == {verdict.words for verdict in VERDICTS.values()}


def test_a_name_may_be_written_as_it_is_said():
    assert explain("Crude rate") == explain("crude_rate") == explain(" CRUDE-RATE ")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("crude_rte", "crude_rate"), ("xmr", "xmr_limits"), ("standardised", "directly_standardised_rate")],
)
def test_a_wrong_name_is_told_its_neighbours(wrong, near):
    with pytest.raises(ParameterError, match=rf"Did you mean .*{near}"):
        explain(wrong)


def test_a_hopeless_name_is_told_them_all():
    with pytest.raises(ParameterError, match=r"There are .*proportion"):
        explain("")
