"""The board edition holds two pages of A4: measured by matplotlib's own layout, and in the PDF it makes."""

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from bcfstats.define.schemes import scheme
from bcfstats.example.data import example_data, write_example_targets
from bcfstats.judge.assessment import assess
from bcfstats.judge.decision import decisions
from bcfstats.judge.results import TABLES
from bcfstats.read.targets import read_targets
from bcfstats.show.edition import CUT, FOOT, MARGIN, ROOM, SIZES, TALL, WIDE, Row, Words, _held, board_edition
from bcfstats.show.sentences import value

SCHEMES = {
    "bcf-2013-12": ["delayed_transfers", "reablement", "care_home_admissions"],
    "bcf-2025-26": [*scheme("bcf-2025-26").payments[0].metrics],
}
DPI = 288  # fine enough that letters stand where they do in print


def assessed(name, n_areas, folder, metrics=()):
    data = example_data(n_areas=n_areas, scheme=name)
    if metrics:
        data = replace(data, observations=data.observations.query("metric in @metrics"))
    path = write_example_targets(folder / f"{name}.csv", n_areas=n_areas, scheme=name)
    return assess(data, name, targets=read_targets(path, areas=data.areas, scheme=scheme(name)))


def of_area(results, code):
    rows = {name: getattr(results, name) for name in TABLES if name != "peers"}
    mine = {name: table.loc[table["area_code"] == code] for name, table in rows.items() if len(table)}
    return replace(results, **mine)


@pytest.fixture(scope="module", params=[*SCHEMES])
def results(request, tmp_path_factory):
    return assessed(request.param, 6, tmp_path_factory.mktemp("targets"), SCHEMES[request.param])


@pytest.fixture(scope="module")
def edition(results):
    return board_edition(of_area(results, "X06000001"))


def pages_in(content):
    return len(re.findall(rb"/Type /Page\b", content))


def boxes(page):
    """Where matplotlib itself puts every text of a page, in points."""
    canvas = FigureCanvasAgg(page)
    page.set_dpi(DPI)
    canvas.draw()
    to_points = Affine2D().scale(72 / DPI)
    return [
        (text.get_text(), text.get_window_extent(canvas.get_renderer()).transformed(to_points))
        for text in page.findobj(Text)
        if text.get_text()
    ]


def test_the_pdf_is_two_pages_of_a4_with_its_text_as_text(edition):
    content = edition.pdf()
    assert pages_in(content) == 2
    assert re.findall(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", content) == [(b"595", b"842")] * 2
    assert b"/FontFile2" in content
    assert edition.title.encode() in content


@pytest.mark.parametrize("number", [1, 2])
def test_every_word_is_on_its_page_and_none_on_another(edition, number):
    found = boxes(edition.page(number))
    assert len(found) > 20
    for text, box in found:
        assert box.x0 >= MARGIN - 2, text
        assert box.x1 <= WIDE - MARGIN + 2, text
        assert box.y0 >= MARGIN - 3, text
        assert box.y1 <= TALL - MARGIN + 2, text
    for i, (text, box) in enumerate(found):
        for other, its in found[:i]:
            across = min(box.x1, its.x1) - max(box.x0, its.x0)
            up = min(box.y1, its.y1) - max(box.y0, its.y0)
            assert across < 1 or up < 2.5, (text, other)


def test_the_first_page_says_what_is_decided(edition, results):
    written = " ".join(text for text, _ in boxes(edition.page(1)))
    metrics = {metric.id: metric for metric in results.metrics}
    decided = [one for one in decisions(of_area(results, "X06000001")) if one.verdict and not one.reason]
    assert decided
    for one in decided:
        for amount in (one.latest_value, one.target_value, one.expected, *one.recommended):
            assert value(amount, metrics[one.metric]) in written
    assert written.count("Challenging yet") == len([one for one in decided if one.period])


def test_the_charts_of_a_metric_hold_figures_of_one_length(edition):
    for metric in edition.charts.metrics:
        rows, _ = edition.charts._of(metric)
        assert rows["frequency"].nunique() == 1


def test_words_beyond_their_lines_are_cut_and_marked():
    text = "one two three four five six seven eight nine ten"
    words = Words(text, 10, most=2)
    lines = words.lines(80)
    assert len(lines) == 2
    assert lines[-1].endswith(CUT)
    assert text.startswith(lines[0])
    assert " ".join(Words(text, 10).lines(80)) == text
    assert "".join(Words("x" * 300, 10).lines(80)) == "x" * 300
    assert Words("", 10).lines(80) == []


def test_a_page_that_cannot_hold_everything_says_so():
    rows = [Row(((Words(f"row {i}", 10),),)) for i in range(200)]
    assert _held(rows, [], ROOM, SIZES[0]) == ()
    kept = _held(rows, [], ROOM, SIZES[-1])
    assert sum(row.height for row in kept) <= ROOM
    assert "more than two pages hold" in kept[-1].cells[0][0].text


@pytest.mark.needs("word")
def test_in_word_every_row_is_as_tall_as_in_print_and_letters_are_no_wider(edition):
    import docx
    from docx.enum.table import WD_ROW_HEIGHT_RULE

    document = docx.Document()
    edition.write(document)
    (table,) = document.tables
    heights = [row.height for row in edition.first if len(row.cells) > 1 or row.ruled]
    assert [row.height.pt for row in table.rows] == pytest.approx(heights, abs=0.1)
    assert all(row.height_rule == WD_ROW_HEIGHT_RULE.EXACTLY for row in table.rows)
    breaks = [p for p in document.paragraphs if p.paragraph_format.page_break_before]
    assert [p.text for p in breaks] == ["The headline metrics"]
    assert document.inline_shapes[0]._inline.docPr.get("descr") == edition.charts.alt
    texts = [p.text for p in document.paragraphs] + [c.text for row in table.rows for c in row.cells]
    for row in (*edition.first, *edition.above, *edition.below):
        for cell in row.cells:
            assert all(any(words.text.strip() in text for text in texts) for words in cell)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SCHEMES])
def test_two_pages_for_every_area_of_the_example(name, tmp_path):
    results = assessed(name, 40, tmp_path)
    for i, code in enumerate(results.areas["area_code"]):
        edition = board_edition(of_area(results, code))
        assert sum(row.height for row in edition.first) <= ROOM - FOOT
        second = sum(row.height for row in (*edition.above, *edition.below)) + edition.charts.height
        assert second <= ROOM - FOOT + 1e-6
        assert np.isfinite(second)
        if i % 10 == 0:
            assert pages_in(edition.pdf()) == 2
