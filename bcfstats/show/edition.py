"""The board edition: one area's decisions on two A4 pages, as PDF and as Word, that print well in grey."""

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.files import now
from bcfstats.judge.decision import EASY, FAR, MISSED, TO_COME, Decision, decisions
from bcfstats.judge.results import WORSE, Results
from bcfstats.show.charts.drawing import FONT, LINE, Plot, ends, lines_of, width_of
from bcfstats.show.charts.history import LONGEST_ON_AXIS, period_labels
from bcfstats.show.decisions import HOW_TO_READ, PAID_RARELY, REACHED_RARELY, Card, cards, follows, lead
from bcfstats.show.sentences import LIMITS, rows_of, unit, value
from bcfstats.words import EXAMPLE, listed, plural, sentence, spoken

WIDE, TALL, MARGIN, INCH = 595.0, 842.0, 42.0, 72.0  # of A4, in points
ROOM = TALL - 2 * MARGIN
WORD_FONT = "Arial"
CUT = "\u2026"
SIZES = (9.5, 9.0, 8.5, 8.0, 7.5, 7.0)  # the largest at which a page holds everything
LEADING, GAP, FOOT = 1.25, 6.0, 14.0
COLUMNS = (0.19, 0.185, 0.195, 0.21, 0.22)
ABREAST, MOST_CHARTS, CHART_TALL = 2, 4, 165.0
MOST_LINES, MOST_ITEMS = 3, 5
TITLE, HEADING, SMALL = 17.0, 11.0, 7.0
KEY = (
    "Line: published figures. Shaded with dots: the forecast if nothing was done, "
    f"{LIMITS}. Dashes: the proposed {{word}}. Upright dashes: the definition changed. "
)
METHOD = (
    "Forecasts rest on what was known before the window. Better and worse are said only beyond the usual "
    "movement from year to year, where that can be told. The full report has intervals, data and warnings."
)


@dataclass(frozen=True)
class Words:
    """Some words at one size, with as many lines as they may take."""

    text: str
    size: float
    bold: bool = False
    most: int = 60

    def lines(self, width: float) -> list[str]:
        """Break the words into lines of a width in points; what is beyond the most is cut, and marked so."""
        found = [*lines_of(self.text, width / self.size, bold=self.bold)]
        if len(found) > self.most:
            last = f"{found[self.most - 1]} {CUT}"
            while width_of(last, bold=self.bold) > width / self.size:
                last = f"{last.removesuffix(CUT)[:-2].rstrip()} {CUT}"
            found = [*found[: self.most - 1], last]
        return found


@dataclass(frozen=True)
class Row:
    """A row of a page: cells of words side by side, each a share of the width; a level if it is a heading."""

    cells: tuple[tuple[Words, ...], ...]
    shares: tuple[float, ...] = (1.0,)
    level: int = 0
    ruled: bool = False

    def laid(self) -> list[list[tuple[Words, list[str]]]]:
        """Give each cell's words with their lines."""
        gap = 2 * GAP * (len(self.cells) > 1)  # what a table of Word leaves beside its words
        widths = [share * (WIDE - 2 * MARGIN) - gap for share in self.shares]
        return [
            [(words, words.lines(width)) for words in cell]
            for cell, width in zip(self.cells, widths, strict=True)
        ]

    @property
    def before(self) -> float:
        """How much room is above a heading within a page."""
        return GAP if self.level > 1 else 0.0

    @property
    def height(self) -> float:
        """How tall the row is, in points, with the gap below it."""
        return (
            self.before
            + GAP
            + max(sum(len(lines) * LEADING * one.size for one, lines in cell) for cell in self.laid())
        )


@dataclass(frozen=True)
class Edition:
    """What the two pages hold: rows of words for each, and between those of the second its charts."""

    title: str
    first: tuple[Row, ...]
    above: tuple[Row, ...]
    charts: "Charts"
    below: tuple[Row, ...]
    foot: str

    def pdf(self) -> bytes:
        """Write the two pages as PDF, its text as text."""
        out = io.BytesIO()
        about = {"Title": self.title, "Subject": "Board edition, two pages", "CreationDate": now()}
        with (
            mpl.rc_context({"pdf.fonttype": 42}),
            _boxes_for_unknown_letters(),
            PdfPages(out, metadata=about) as pages,
        ):
            for number in (1, 2):
                pages.savefig(self.page(number))
        return out.getvalue()

    def page(self, number: int) -> Figure:
        """Draw one of the pages."""
        page = Figure(figsize=(WIDE / INCH, TALL / INCH))
        if number == 1:
            _write_rows(page, self.first, TALL - MARGIN)
        else:
            y = _write_rows(page, self.above, TALL - MARGIN)
            self.charts.draw(page, y)
            _write_rows(page, self.below, y - self.charts.height)
        _write(page, f"{self.foot} Page {number} of 2.", MARGIN, MARGIN, SMALL, bold=False)
        return page

    def write(self, document: Any) -> None:
        """Write the two pages into a new document of python-docx: rows as tall, letters no wider."""
        from docx.shared import Pt

        part = document.sections[0]
        part.page_width, part.page_height = Pt(WIDE), Pt(TALL)
        part.left_margin = part.right_margin = part.top_margin = part.bottom_margin = Pt(MARGIN)
        part.footer_distance = Pt(MARGIN / 2)
        _put(part.footer.paragraphs[0], Words(self.foot, SMALL), [self.foot])
        _put_rows(document, self.first)
        start = len(document.paragraphs)
        _put_rows(document, self.above)
        document.paragraphs[start].paragraph_format.page_break_before = True
        if self.charts.metrics:
            picture = document.add_picture(io.BytesIO(self.charts.png()), width=Pt(WIDE - 2 * MARGIN))
            picture._inline.docPr.set("descr", self.charts.alt)
            document.paragraphs[-1].paragraph_format.space_after = Pt(0)
        _put_rows(document, self.below)


@dataclass(frozen=True)
class Charts:
    """A small chart a metric: its figures, and of each window the forecast and the target."""

    metrics: tuple[Metric, ...]
    series: pd.DataFrame
    decided: tuple[Decision, ...]
    look: str

    @property
    def height(self) -> float:
        """How tall all charts are together, in points."""
        return CHART_TALL * math.ceil(len(self.metrics) / ABREAST) + GAP * bool(self.metrics)

    @property
    def alt(self) -> str:
        """Say what the charts show, for who cannot see them."""
        return " ".join(self._words(metric) for metric in self.metrics)

    def png(self) -> bytes:
        """Draw the charts alone."""
        figure, out = Figure(figsize=((WIDE - 2 * MARGIN) / INCH, self.height / INCH)), io.BytesIO()
        self._draw(figure, (0, 1), (0, 1))
        with _boxes_for_unknown_letters():
            figure.savefig(out, format="png", dpi=200, metadata={"Software": None})
        return out.getvalue()

    def draw(self, page: Figure, top: float) -> None:
        """Draw the charts on a page, from a height in points down."""
        self._draw(page, (MARGIN / WIDE, 1 - MARGIN / WIDE), ((top - self.height) / TALL, top / TALL))

    def _draw(self, figure: Figure, across: tuple[float, float], up: tuple[float, float]) -> None:
        if not self.metrics:
            return
        (left, right), (low, high) = across, up
        frame = figure.add_gridspec(
            3, 3, width_ratios=(left, right - left, 1 - right), height_ratios=(1 - high, high - low, low)
        )
        inside = figure.add_subfigure(frame[1, 1])
        grid = inside.add_gridspec(math.ceil(len(self.metrics) / ABREAST), ABREAST)
        for place, metric in enumerate(self.metrics):
            self._chart(inside.add_subfigure(grid[divmod(place, ABREAST)]), metric)

    def _of(self, metric: Metric) -> tuple[pd.DataFrame, list[Decision]]:
        rows = self.series.loc[self.series["metric"] == metric.id].sort_values("period_start")
        each = rows["frequency"]  # of quarters and years together, years: what goals are set for
        rows = rows.loc[each == ("year" if (each == "year").any() else metric.frequency)]
        ours = [one for one in self.decided if one.metric == metric.id and one.period]
        return rows, [one for one in ours if math.isfinite(one.expected) or math.isfinite(one.target_value)]

    def _chart(self, part: Any, metric: Metric) -> None:
        rows, windows = self._of(metric)
        values = rows["value"].to_numpy(dtype=float)
        starts, lasts = (_days(rows[f"period_{end}"]) for end in ("start", "end"))
        days = (starts + lasts) / 2
        spans = [Period.parse(one.period) for one in windows]
        edges = [(float(span.start.toordinal()), float(span.end.toordinal())) for span in spans]
        drawn = [(one.expected_lower, one.expected_upper, one.target_value, one.expected) for one in windows]
        across = ends(starts, lasts, edges, margin=0.03)
        size: Any = {"width": (WIDE - 2 * MARGIN) / ABREAST / INCH, "height": CHART_TALL / INCH}
        plot = Plot("", across, ends(values, drawn, low=0), look=self.look, figure=part, **size)
        heads = [metric.short_name, *Words(unit(metric), FONT.get_size(), most=2).lines(235)]
        plot.left, plot.right, plot.top = 0.16, 0.96, 1 - (len(heads) + 1) * LINE / CHART_TALL
        for i, head in enumerate(reversed(heads)):
            plot.text(across[0], plot.up[1], head, shift=(-36, 11 + i * LINE))
        plot.label_values()
        for one, span in zip(windows, edges, strict=True):
            if math.isfinite(one.expected_lower):
                plot.band(span, (one.expected_lower, one.expected_upper), "grid")
            plot.line(span, [one.expected] * 2, "text", dashes=(0, (1, 1.5)))
            plot.line(span, [one.target_value] * 2, "outline", width=2.4, dashes=(0, (2.5, 1)))
        changed = [found.date.toordinal() for found in metric.breaks]
        changed = [day for day in changed if starts[0] < day <= starts[-1]]
        for day in changed:
            plot.line([day] * 2, plot.up, "text", width=1, dashes=(0, (2, 2)))
        apart = [
            i for i, (end, start) in enumerate(zip(lasts[:-1], starts[1:], strict=True), 1) if start - end > 1
        ] + [int(np.searchsorted(starts, day)) for day in changed]
        plot.line(np.insert(days, apart, np.nan), np.insert(values, apart, np.nan), "series", width=1.8)
        plot.points(days, values, "series", size=4 if len(rows) < 12 else 2)
        self._label(plot, rows, days)

    def _label(self, plot: Plot, rows: pd.DataFrame, days: Any) -> None:
        """Write below as many years or periods as there is room for."""
        begun = pd.to_datetime(rows["period_start"])
        names = [
            name if len(name) <= LONGEST_ON_AXIS else f"{start:%b %Y}"
            for name, start in zip(period_labels(rows), begun, strict=True)
        ]
        if len(rows) > 10:
            januaries = {day.year: float(day.toordinal()) for day in begun if day.month == 1}
            names, days = [str(year) for year in januaries], [*januaries.values()]
        plot.label_places(days, names)

    def _words(self, metric: Metric) -> str:
        rows, windows = self._of(metric)
        known = rows.loc[np.isfinite(rows["value"].to_numpy(dtype=float))]
        names, values = period_labels(known), [value(x, metric) for x in known["value"]]
        text = f"{metric.short_name}: {values[0]} in {names[0]}, {values[-1]} in {names[-1]}"
        for one in windows:
            told = [("forecast", one.expected), ("target", one.target_value)]
            said = [f"{name} {value(x, metric)}" for name, x in told if math.isfinite(x)]
            text += f"; {' and '.join(said)} for {Period.parse(one.period).label}"
        return f"{text}."


def board_edition(results: Results) -> Edition:
    """Make the board edition of the one area that results are of, from the tables its page is made from."""
    about, area = results.about, results.areas.iloc[0]
    metrics = {metric.id: metric for metric in results.metrics}
    word = about.get("word", "target")
    decided = tuple(decisions(results))
    shown = cards(decided, metrics, word, pays=about.get("pays", True))
    told = [*lead(rows_of(results.windows), decided, metrics)]
    title = f"{area['area_name']}: Better Care Fund, for the board"
    reads = HOW_TO_READ + (PAID_RARELY if about.get("pays", True) else REACHED_RARELY)
    first = next(page for size in SIZES if (page := _first(title, told, shown, reads, size)))
    with_figures = set(results.series.loc[np.isfinite(results.series["value"].astype(float)), "metric"])
    named = dict.fromkeys(one.metric for one in sorted(decided, key=lambda one: bool(one.reason)))
    names = [name for name in named if name in with_figures]
    look = str(about.get("palette", "analysis_function"))
    drawn = Charts(tuple(metrics[name] for name in names[:MOST_CHARTS]), results.series, decided, look)
    not_drawn = (
        f"Not drawn: {listed([metrics[name].short_name for name in names[MOST_CHARTS:]])}."
        if names[MOST_CHARTS:]
        else ""
    )
    above = (_heading("The headline metrics", 2), _plain(KEY.format(word=word) + not_drawn, SMALL + 0.5))
    told_of: dict[str, list[str]] = {}
    for result, text in follows(decided, about.get("follows", {})):
        told_of.setdefault(text, []).append(result)
    after: dict[str, list[str]] = {}
    for text, of in told_of.items():
        after.setdefault(" or ".join(of), []).append(text)
    parts = {
        "What to ask": [*_questions(decided, metrics, word)],
        "What follows": [f"If {result}: {' '.join(texts)}" for result, texts in after.items()],
        "Warnings": [*dict.fromkeys(_warnings(results, metrics, names))],
        "Method and source": [_method(results, metrics, names)],
    }
    room = ROOM - FOOT - drawn.height - sum(row.height for row in above)
    below = next(page for size in SIZES if (page := _second(parts, size, room)))
    made = f"Made by bcfstats {about.get('version', '')} on {about.get('created', 'a day not recorded')}."
    foot = f"{area['area_name']}. {EXAMPLE if about['is_example'] else ''} {made}"
    return Edition(title, first, above, drawn, below, _fitting(" ".join(foot.split()), 440, SMALL))


def _first(
    title: str, told: Sequence[str], shown: Sequence[Card], reads: str, size: float
) -> tuple[Row, ...]:
    """Lay out the first page at one size of letters; nothing where it does not hold, but at the smallest."""
    top = [
        _heading(title, 1),
        Row(((Words(told[0], HEADING + 1, bold=True, most=3),),)),
        _plain(" ".join(told[1:]), size + 1),
    ]
    labels = [cell.label for card in shown if not card.reason for cell in card.cells][:4]
    heads = (("Metric and window", *labels),) if labels else ()
    top += [
        Row(tuple((Words(text, size, bold=True),) for text in head), COLUMNS, ruled=True) for head in heads
    ]
    rows = [row for card in shown if not card.reason for row in _card_rows(card, labels, size)]
    reasons = [f"{card.name}: {card.reason}" for card in shown if card.reason]
    end = [_heading("Nothing to recommend", 2)] if reasons else []
    end += [_plain(reason, size, MOST_LINES) for reason in reasons]
    end += [_plain(reads, size)]
    return _held([*top, *rows], end, ROOM - FOOT, size)


def _card_rows(card: Card, labels: Sequence[str], size: float) -> list[Row]:
    """Give a decision two rows: its answers side by side, and its five marks."""
    name = [Words(card.name, size, bold=True, most=4), Words(card.when, size, most=4)]
    cells = [(*name, Words(card.unit, size - 1, most=6))]
    for cell, label in zip(card.cells, labels, strict=True):
        own = [Words(f"{cell.label}:", size - 1)] if cell.label != label else []
        notes = [Words(note, size, most=5) for note in cell.notes]
        cells.append((*own, Words(cell.answer, size, bold=True, most=4), *notes))
    marks = " \u00b7 ".join(f"{question}: {answer}" for question, answer in card.marks)
    return [Row(tuple(cells), COLUMNS), Row(((Words(marks, size, most=2),),), ruled=True)]


def _second(parts: dict[str, list[str]], size: float, room: float) -> tuple[Row, ...]:
    rows: list[Row] = []
    for name, texts in parts.items():
        more = len(texts) - MOST_ITEMS
        texts = texts if more <= 0 else [*texts[:MOST_ITEMS], f"{more} more: see the full report."]
        rows += [_heading(name, 2), *(_plain(text, size, MOST_LINES + 2) for text in texts)] if texts else []
    return _held(rows, [], room, size)


def _held(rows: list[Row], end: list[Row], room: float, size: float) -> tuple[Row, ...]:
    """Keep rows that a page has room for: all, or nothing, or at the smallest size those that fit."""
    if sum(row.height for row in (*rows, *end)) <= room:
        return (*rows, *end)
    if size != SIZES[-1]:
        return ()
    rest = _plain("There is more than two pages hold: see the full report.", size)
    kept: list[Row] = []
    for row in (*rows, *end):
        if sum(one.height for one in (*kept, row, rest)) > room:
            break
        kept.append(row)
    return (*kept, rest)


def _heading(text: str, level: int) -> Row:
    return Row(((Words(text, TITLE if level == 1 else HEADING, bold=True, most=2),),), level=level)


def _plain(text: str, size: float, most: int = 60) -> Row:
    return Row(((Words(text, size, most=most),),))


def _questions(decided: Sequence[Decision], metrics: dict[str, Metric], word: str) -> Iterator[str]:
    """Ask what the figures cannot answer: each question once, of all that it is asked of."""
    asked: dict[str, list[str]] = {}
    for one in decided:
        metric = metrics.get(one.metric)
        question = "" if one.reason or metric is None else _question(one, metric, word)
        if metric and question:
            asked.setdefault(question, []).append(f"{metric.short_name}, {Period.parse(one.period).label}")
    for question, of in asked.items():
        yield f"{'; '.join(of)}: {question}"
    if not asked:
        yield f"Nothing stands out in the figures. What work does each {word} rest on?"


def _question(one: Decision, metric: Metric, word: str) -> str:
    target, least = value(one.target_value, metric), value(one.recommended_from, metric)
    if one.result == MISSED:
        return f"the line of the {word} was missed. Why, and who acts by when?"
    if one.challenge == EASY and math.isfinite(one.recommended_from):
        return f"why {target}, when {least} is the least that is challenging?"
    if one.challenge == EASY:
        return f"why {target}, when as much may come by itself?"
    if one.challenge == FAR:
        return f"what makes {target} possible, when hardly any area has gone as far?"
    if not one.verdict and one.recommended and one.stage == TO_COME:
        most = value(one.recommended_to, metric)
        asked = f"is {least} the {word}" if least == most else f"which {word} from {least} to {most}"
        return f"{asked}, and why?"
    return "what lies behind the change for the worse?" if one.latest_finding == WORSE else ""


def _warnings(results: Results, metrics: dict[str, Metric], names: Sequence[str]) -> Iterator[str]:
    """Say what is doubtful in the figures of the headline metrics."""
    for row in rows_of(results.findings):
        if row["metric"] in names:
            when = Period.parse(row["period"]).label
            yield f"{metrics[row['metric']].short_name}, {when}: {row['what']}, {row['consequence']}."
    odd = results.series.loc[results.series["status"] != "ok"]
    for (name, status), rows in odd.groupby(["metric", "status"], sort=True):
        if name in names:
            yield f"{metrics[name].short_name}: {plural(len(rows), 'figure')} {spoken(status)}."
    for row in rows_of(results.windows):
        for side in ("baseline", "outcome"):
            if row["metric"] in names and row[f"{side}_warnings"]:
                when = Period.parse(row[f"{side}_period"]).label
                yield f"{metrics[row['metric']].short_name}, {when}: {sentence(row[f'{side}_warnings'])}"


def _method(results: Results, metrics: dict[str, Metric], names: Sequence[str]) -> str:
    publishers = dict.fromkeys(metrics[name].publisher for name in names)
    source = EXAMPLE if results.about["is_example"] else f"Figures: {'; '.join(publishers)}."
    return f"{METHOD} Scheme: {results.about['scheme_title']}. {source}"


def _days(dates: "pd.Series[Any]") -> Any:
    return np.array([day.toordinal() for day in pd.to_datetime(dates)], dtype=float)


def _write_rows(page: Figure, rows: Sequence[Row], y: float) -> float:
    """Write rows from a height down, and give the height below them."""
    for row in rows:
        x = MARGIN
        for cell, share in zip(row.laid(), row.shares, strict=True):
            down = y - row.before
            for words, lines in cell:
                for line in lines:
                    down -= LEADING * words.size
                    _write(page, line, x, down + 0.3 * words.size, words.size, bold=words.bold)
            x += share * (WIDE - 2 * MARGIN)
        y -= row.height
        if row.ruled:
            rule = Line2D([MARGIN / WIDE, 1 - MARGIN / WIDE], [(y + GAP / 2) / TALL] * 2, color="#888888")
            rule.set(linewidth=0.6, transform=page.transFigure)
            page.add_artist(rule)
    return y


def _write(page: Figure, text: str, x: float, y: float, size: float, *, bold: bool) -> None:
    font = FONT.copy()
    font.set_size(size)
    font.set_weight("bold" if bold else "normal")
    page.text(x / WIDE, y / TALL, text, fontproperties=font, color="black", parse_math=False)


@contextmanager
def _boxes_for_unknown_letters() -> Iterator[None]:
    """Say nothing of letters that the font lacks: an empty box stands for each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        yield


def _fitting(text: str, width: float, size: float = 10) -> str:
    """Cut a text to one line."""
    return Words(text, size, most=1).lines(width)[0] if text else ""


def _put_rows(document: Any, rows: Sequence[Row]) -> None:
    """Write rows: what stands side by side, and what belongs to it, as one table; the rest as paragraphs."""
    from docx.enum.table import WD_ROW_HEIGHT_RULE
    from docx.oxml import OxmlElement
    from docx.shared import Pt

    table: Any = None
    for row in rows:
        if not row.ruled and len(row.cells) == 1:
            table = None
            ((words, lines),) = row.laid()[0]
            style = f"Heading {row.level}" if row.level else None
            _put(document.add_paragraph(style=style), words, lines, row.before, GAP)
            continue
        is_first = table is None
        table = document.add_table(0, len(COLUMNS), style="Table Grid") if is_first else table
        line = table.add_row()
        line.height, line.height_rule = Pt(row.height), WD_ROW_HEIGHT_RULE.EXACTLY
        if is_first:
            line._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        cells = line.cells if len(row.cells) > 1 else [line.cells[0].merge(line.cells[-1])]
        for cell, share, laid in zip(cells, row.shares, row.laid(), strict=True):
            cell.width = Pt(share * (WIDE - 2 * MARGIN))
            for i, (words, lines) in enumerate(laid):
                _put(cell.add_paragraph() if i else cell.paragraphs[0], words, lines)


def _put(paragraph: Any, words: Words, lines: Sequence[str], before: float = 0, after: float = 0) -> None:
    from docx.shared import Pt, RGBColor

    form = paragraph.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), Pt(LEADING * words.size)
    run = paragraph.add_run(" ".join(lines))
    run.font.name, run.font.size, run.bold = WORD_FONT, Pt(words.size), words.bold
    run.font.color.rgb = RGBColor(0, 0, 0)
