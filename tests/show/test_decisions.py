"""The first sentences of sixty example areas: the worst and the best finding are there, in few words."""

import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from statsmodels.stats.multitest import multipletests

from bcfstats.define.metrics import METRICS
from bcfstats.example.data import example_data
from bcfstats.judge.assessment import assess
from bcfstats.judge.decision import Decision, decisions
from bcfstats.judge.ladder import RANGE
from bcfstats.judge.results import UNCLEAR
from bcfstats.show.decisions import cards, lead
from bcfstats.show.report import open_report
from bcfstats.show.sentences import rows_of, value

AREAS, MOST_WORDS = 60, 20


@pytest.fixture(scope="module")
def results():
    return assess(example_data(n_areas=AREAS))


@pytest.fixture(scope="module")
def first(results):
    """The first sentences of each area, with its comparisons."""
    metrics = {metric.id: metric for metric in results.metrics}
    windows = rows_of(results.windows)
    decided = decisions(results)
    return {
        code: (
            [row for row in windows if row["area_code"] == code],
            [
                *lead(
                    [row for row in windows if row["area_code"] == code],
                    [one for one in decided if one.area_code == code],
                    metrics,
                )
            ],
        )
        for code in results.areas["area_code"]
    }


@pytest.mark.slow
def test_the_worst_and_the_best_finding_are_among_the_first_three_sentences_everywhere(first, results):
    names = {metric.id: metric.short_name for metric in results.metrics}
    told = {"worse": 0, "better": 0}
    for rows, sentences in first.values():
        assert 1 <= len(sentences) <= 3
        for finding in told:
            of = {
                names[row["metric"]] for row in rows if row["finding"] == finding and row["q_value"] <= 0.05
            }
            said = [text for text in sentences if f" got {finding}: " in text]
            assert len(said) == bool(of)
            assert all(text.split(" got ")[0] in of for text in said)
            told[finding] += len(said)
    assert min(told.values()) > 2  # nobody acts in the example: little stands out among all comparisons
    assert len(first) == AREAS


@pytest.mark.slow
def test_a_change_a_payment_rests_on_comes_before_one_of_the_latest_year(first, results):
    names = {metric.id: metric.short_name for metric in results.metrics}
    for rows, sentences in first.values():
        for finding in ("worse", "better"):
            paid = {
                names[row["metric"]]
                for row in rows
                if row["finding"] == finding and row["q_value"] <= 0.05 and row["payment"] != "latest"
            }
            said = [text.split(" got ")[0] for text in sentences if f" got {finding}: " in text]
            assert not paid or said[0] in paid


@pytest.mark.slow
def test_first_sentences_and_reasons_are_short(first, results):
    metrics = {metric.id: metric for metric in results.metrics}
    shown = cards(decisions(results), metrics)
    texts = [text for _, told in first.values() for text in told] + [card.reason for card in shown]
    for text in texts:
        for sentence in re.split(r"(?<=\.) ", text):
            assert len(sentence.split()) <= MOST_WORDS, sentence


def test_a_card_answers_four_questions_and_marks_five(example_results):
    results = example_results
    metrics = {metric.id: metric for metric in results.metrics}
    decided = decisions(results)
    areas = [[one for one in decided if one.area_code == code] for code in results.areas["area_code"]]
    shown = [card for of_area in areas for card in cards(of_area, metrics) if not card.reason]
    assert len(shown) > len(areas)
    assert all(len(card.cells) == 4 and len(card.marks) == 5 for card in shown)
    assert all(cell.answer and "nan" not in cell.answer for card in shown for cell in card.cells)


@pytest.mark.slow
def test_without_anything_to_decide_no_target_is_recommended(results, first):
    metrics = {metric.id: metric for metric in results.metrics}
    rows, sentences = first["X06000001"]
    assert list(lead(rows, [], metrics)) == [*sentences[:-1], "No target can be recommended."]


def test_nothing_clear_is_said_to_be_so():
    assert (
        next(lead([{"finding": UNCLEAR}], [], {}))
        == "No metric is clearly better or worse than a year before."
    )
    assert next(lead([], [], {})) == "No two periods can be compared yet."


@pytest.mark.slow
def test_a_page_says_how_many_findings_hold_when_all_are_taken_together(results):
    """Counted anew for each area: p-values of the two tables, adjusted by statsmodels."""
    seen = []
    for code in results.areas["area_code"][:12]:
        windows, trends = (
            table.loc[table["area_code"] == code] for table in (results.windows, results.trends)
        )
        windows = windows.loc[windows["finding"] != "not compared"]
        one_sided = windows["history_p"].fillna(windows["noise_p"])
        p = np.concatenate([2 * np.minimum(one_sided, 1 - one_sided), trends["slope_p"].dropna()])
        held = multipletests(p, method="fdr_bh")[0].sum()
        alone = windows["finding"].isin(["better", "worse"]).sum()
        alone += (trends["slope_lower"] * trends["slope_upper"] > 0).sum()
        page = BeautifulSoup(open_report(code, results).glance(), "html.parser")
        told = (
            f"Chance alone would mark about {0.05 * len(p):.0f} of the {len(p)} comparisons and trends here. "
        )
        told += f"One by one, {alone} would be marked; taken together, {held}."
        assert told in page.p.get_text()
        marks = [row("td")[-1] for row in page.tbody("tr")]
        assert sum("better" in str(cell) or "worse" in str(cell) for cell in marks) <= held
        seen.append((alone, held))
    assert any(0 < held < alone for alone, held in seen)


@pytest.mark.slow
def test_the_columns_beside_an_area_hold_what_their_headings_say(results):
    """The medians of all areas and of the region, from the comparisons alone."""
    report = open_report("X06000001", results)
    table = BeautifulSoup(report.glance(), "html.parser").table
    headings = [cell.get_text() for cell in table.thead("th")]
    shown = [
        dict(zip(headings, (cell.get_text() for cell in row(["th", "td"])), strict=True))
        for row in table.tbody("tr")
    ]
    regions = results.areas.set_index("area_code")["region"]
    mine = results.standings.loc[results.standings["area_code"] == "X06000001"].set_index("metric")
    checked = 0
    for row, metric in zip(shown, report.metrics, strict=True):
        known = (
            results.windows.loc[
                (results.windows["metric"] == metric.id)
                & (results.windows["payment"] == mine.at[metric.id, "payment"])
            ]
            .set_index("area_code")["outcome_whole_value"]
            .dropna()
        )
        near = known.loc[regions.reindex(known.index) == regions["X06000001"]]
        assert row["Middle area"] == value(known.median(), metric)
        if metric.kind.is_quotient:
            assert row["England"].endswith(f" ({len(known)} areas)")
        if "X06000001" in known.index:
            assert row["Middle of region"] == value(near.median(), metric)
            checked += 1
    assert checked > 5


@pytest.mark.parametrize(("pays", "told"), [(True, "paid for"), (False, "would reach it by")])
def test_a_card_speaks_of_payment_only_where_there_is_one(pays, told):
    given = {"target_value": 85.0, "target_percent": 2.0, "verdict": "within_noise", "p_paid_do_nothing": 0.2}
    one = Decision("X1", "reablement", "2025/26", period="2025-04/2026-03", **given)
    (card,) = cards([one], METRICS, pays=pays)
    assert card.cells[-1].notes[-1] == f"about 2 in 10 {told} doing nothing"


def test_a_recommended_range_that_reads_as_one_figure_is_told_as_one():
    metric = METRICS["reablement"]
    given = dict.fromkeys(("recommended_from", "challenging_value"), 93.12) | {
        **dict.fromkeys(("recommended_to", "achievable_value"), 93.14),
        "recommended_from_percent": 8.71,
        "recommended_to_percent": 8.74,
        "found": RANGE,
        **dict.fromkeys(("recommended_from_per_month", "recommended_to_per_month"), 3.2),
    }
    one = Decision("X1", metric.id, "2014/15", "2015-10", **given)
    (card,) = cards([one], {metric.id: metric})
    (cell,) = [cell for cell in card.cells if cell.label.startswith("Recommended")]
    assert (cell.answer, *cell.notes) == ("93.1%", "+8.7%", "3.2 more a month")
