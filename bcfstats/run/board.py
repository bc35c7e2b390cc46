"""A board's papers: what the guidance asks of it, answered in one folder, and what is not given named."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.define.areas import find_area
from bcfstats.define.metrics import Metric, get_metric
from bcfstats.define.schemes import LOCAL, Scheme
from bcfstats.files import fitting, write_csv, write_whole
from bcfstats.judge.ambitions import COLUMNS as ASSESSMENT_COLUMNS
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.payment import READINGS, UNIT_COST, VALUES, outcomes, payment, quarterly_outcomes
from bcfstats.judge.payment import UNCONFIRMED as UNCONFIRMED_RULES
from bcfstats.judge.plan import (
    CRITERIA,
    NOT_RECORDED,
    ambition_consistency,
    national_conditions,
    screen_local_metric,
)
from bcfstats.judge.risk import payment_chances, risk_register
from bcfstats.judge.tracking import track
from bcfstats.judge.verdicts import words_of
from bcfstats.read.papers import ANSWER_COLUMNS, GROUP_COLUMNS, read_answers, read_groups
from bcfstats.read.template import Template, load_template, template_rows
from bcfstats.run.export import add_table, new_document, saved
from bcfstats.run.settings import Evidence, Settings, evidence, read_all_allocations, read_all_targets
from bcfstats.words import file_stem, number, plural, sentence, spoken

NO_TARGETS = "not given: no targets of this board (--targets)"
NO_MONEY = "; the money is not given (--allocations)"
NO_GROUPS = "not given: no commissioning groups' ambitions for this board (--groups)"
NO_LOCAL = "not given: which metric is the local one (--local, or a target for it)"
NOT_HERE = "does not exist in this scheme"
UNCONFIRMED = "; labels are not confirmed: compare them with your copy of the template"


@dataclass(frozen=True)
class Paper:
    """One question of the guidance with its answer: a table, or the reason why there is none."""

    name: str
    asks: str
    paragraphs: str
    table: pd.DataFrame | None = None
    note: str = ""

    @property
    def shown(self) -> pd.DataFrame | None:
        """Give what a page has room for."""
        if self.table is None or self.name not in SHOWN:
            return self.table
        return self.table[[name for name in SHOWN[self.name] if name in self.table]]

    @property
    def state(self) -> str:
        """Say in the list of contents what the paper holds."""
        return self.note if self.table is None else f"{plural(len(self.table), 'row')}{self.note}"


@dataclass(frozen=True, eq=False)
class _Boards:
    """What is known of all boards together: judged once, then told board by board."""

    rules: Scheme
    metrics: Mapping[str, Metric]
    observations: pd.DataFrame
    assessed: pd.DataFrame
    answers: pd.DataFrame
    groups: pd.DataFrame
    allocations: pd.DataFrame | None
    local: str
    results: Mapping[str, pd.DataFrame]  # over all boards, by the name of the paper

    def papers(self, code: str) -> Iterator[Paper]:
        """Answer each question for one board."""
        assessed = self.assessed.loc[self.assessed["area_code"] == code]
        none = "" if len(assessed) else NO_TARGETS
        words = self.rules.word
        levels = assessed.reindex(columns=LEVELS)
        if len(levels):
            levels = levels.assign(verdict=[words_of(row) for row in assessed.to_dict("records")])
        yield self._paper("levels", f"Each {words}, its verdict and why", "49-51", levels, none)
        line = f"{NOT_HERE}: no payment line" if self.rules.pass_share is None else none
        money = NO_MONEY if self.allocations is None else ""
        for name, asks, paragraphs in OF_PAYMENT:
            yield self._paper(name, asks, paragraphs, self._of(name, code), line, money)
        if UNIT_COST in self.rules.settings:
            table = self._of("quarterly-payment", code)
            asks = "What admissions avoided earn, quarter by quarter"
            yield self._paper("quarterly-payment", asks, "", table, none, f"; {UNCONFIRMED_RULES}")
        if not self.rules.pays:
            asks = "Each goal followed through the year, with the words of the return"
            yield self._paper("tracking", asks, "policy framework", self._of("tracking", code), none)
        yield self._conditions(code)
        asks = "Rows for the shared risk register"
        yield self._paper("risk-register", asks, "32", self._of("risk-register", code), none, money)
        asks = "Whether targets agree with the commissioning groups' own"
        given = "" if (self.groups["area_code"] == code).any() else NO_GROUPS
        yield self._paper("commissioners", asks, "29, 49", self._of("commissioners", code), given or none)
        yield self._local_metric(code, assessed)
        yield self._template(code, assessed)

    def _of(self, name: str, code: str) -> pd.DataFrame:
        table = self.results.get(name, pd.DataFrame(columns=["area_code"]))
        return table.loc[table["area_code"] == code]

    def _paper(
        self, name: str, asks: str, paragraphs: str, table: pd.DataFrame, missing: str = "", note: str = ""
    ) -> Paper:
        """Make a paper of a board's rows, metrics by their names; or say what is missing."""
        if missing or table.empty:
            return Paper(name, asks, paragraphs, None, missing or "nothing to tell: no target can be judged")
        shown = table.drop(columns=["area_code", "area_name"], errors="ignore")
        if "metric" in shown:
            shown = shown.assign(metric=[self.metrics[x].short_name for x in shown["metric"]])
        texts = shown.select_dtypes(exclude="number").columns
        shown = shown.assign(**{x: shown[x].map(self._said) for x in texts})
        return Paper(name, asks, paragraphs, shown.reset_index(drop=True), note)

    def _said(self, cell: object) -> object:
        return self.rules.said(cell) if isinstance(cell, str) else cell

    def _conditions(self, code: str) -> Paper:
        name, asks, paragraphs = "national-conditions", "Which conditions are met, on what evidence", "35, 37"
        resting = [one for one in self.rules.payments if any(pot.conditions for pot in one.pots)]
        if not resting:
            return Paper(name, asks, paragraphs, None, f"{NOT_HERE}: no money rests on conditions")
        table = self._of("national-conditions", code)
        if len(table):
            return self._paper(name, asks, paragraphs, table)
        texts = [text for pot in resting[0].pots for text in pot.conditions]
        table = pd.DataFrame({"condition": texts, "answer": NOT_RECORDED, "payment": resting[0].id})
        return self._paper(name, asks, paragraphs, table, "", "; not given: the answers (--answers)")

    def _local_metric(self, code: str, assessed: pd.DataFrame) -> Paper:
        name, asks, paragraphs = "local-metric", "The local metric held against the six criteria", "45-47"
        if not any(LOCAL in one.metrics for one in self.rules.payments):
            return Paper(name, asks, paragraphs, None, f"{NOT_HERE}: no local metric is chosen")
        local = [x for x in assessed["metric"] if self.metrics[x].group == LOCAL]
        named = self.local or next(iter(local), "")
        if not named:
            return Paper(name, asks, paragraphs, None, NO_LOCAL)
        own = self.answers.loc[(self.answers["area_code"] == code) & self.answers["question"].isin(CRITERIA)]
        given = {
            row["question"]: (row["answer"].casefold() == "yes", row["evidence"])
            for row in own.to_dict("records")
            if row["answer"].casefold() in ("yes", "no")
        }
        verdict = next(iter(assessed.loc[assessed["metric"] == named, "verdict"]), None)
        table = screen_local_metric(
            named, self.observations, code, answers=given, verdict=verdict, metrics=self.metrics
        )
        table.insert(0, "metric", named)
        return self._paper(name, asks, paragraphs, table)

    def _template(self, code: str, assessed: pd.DataFrame) -> Paper:
        name, asks = "template", "What to type into the template's table"
        if assessed.empty:
            return Paper(name, asks, "31", None, NO_TARGETS)
        form = template_of(self.rules)
        _, headings, *lines = template_rows(assessed, code, template=form, metrics=self.metrics)
        table = pd.DataFrame(lines, columns=[text or "Row" for text in headings])
        return Paper(name, asks, "31", table, "" if form.confirmed else UNCONFIRMED)


READING = ("reading", "money_at_stake")
SHOWN: Mapping[str, tuple[str, ...]] = {
    "levels": ("metric", "payment", *VALUES[:2], "ambition_percent", "p_paid_do_nothing", "verdict"),
    "payment": ("metric", "payment", *VALUES[:3], "line", "achieved", "reason", *READING),
    "what-follows": ("payment", "metrics_due", "metrics_achieved", "achieved", "what_follows", *READING),
    "all-metrics-paid": (
        "payment",
        "metrics_due",
        "metrics_known",
        "all_do_nothing",
        "all_delivered",
        "note",
    ),
    "risk-register": (
        *("metric", "payment", "risk", "likely_shortfall", "large_shortfall", "pounds_at_stake"),
        *("mitigation", "owner"),
    ),
    "tracking": ("metric", "period", "plan_so_far", "actual_so_far", "goal", "outcome", "status", "needed"),
}
LEVELS = [
    *("metric", "payment", "target_period", "baseline_value", "target_value", "ambition_percent"),
    *("p_paid_do_nothing", "p_paid_if_delivered", "verdict", "reasons"),
]
LONGEST_FILE = "/national-conditions.csv"
OF_PAYMENT = (
    ("payment", "Met or missed: each metric against its line, in three readings of the rule", "48, 57"),
    ("what-follows", "What follows for the money, who plans and who directs, in each reading", "56-61"),
    ("all-metrics-paid", "The chance that every metric is paid", "57"),
)


def template_of(rules: Scheme) -> Template:
    """Give the template with a column a payment, or period planned for, of a scheme."""
    shipped = load_template()
    ids = tuple(one.id for one in rules.payments)
    if ids == shipped.payments:
        return shipped
    columns = tuple(f"{rules.word.capitalize()} for {one.label}" for one in rules.payments)
    return replace(shipped, headings=(*shipped.headings[:3], *columns), payments=ids, confirmed=False)


def describe_boards(
    settings: Settings,
    area: str | None,
    out: Path,
    *,
    answers: Path | None = None,
    groups: Path | None = None,
    local: str = "",
    docx: bool = False,
) -> tuple[int, list[str]]:
    """Write the papers of one board, or of every board, each in a folder of its own.

    The exit code is 1 where a row of targets was left out.
    """
    given = evidence(settings)
    names = given.data.areas.set_index("area_code")["area_name"]
    codes = [find_area(area, given.data.areas).area_code] if area else names.index.tolist()
    targets, left_out = read_all_targets(settings, given.data.areas)
    boards = _judged(settings, given, targets, answers, groups, local)
    lines = []
    for code in codes:
        folder = out / fitting(out, file_stem(code, names[code]), LONGEST_FILE)
        papers = [*boards.papers(code)]
        if given.rules.pass_share is None:  # other schemes have other paragraphs
            papers = [replace(paper, paragraphs="") for paper in papers]
        _write(folder, papers, names[code], docx=docx)
        missing = [paper for paper in papers if paper.table is None]
        lines.append(f"{names[code]}: {plural(len(papers) - len(missing), 'paper')} in {folder}")
        if len(codes) == 1:
            lines += [f"{paper.name}: {paper.state}" for paper in papers]
    lines += [f"Left out: {problem}" for _, problem in left_out]
    return int(bool(left_out)), lines


def _judged(
    settings: Settings,
    given: Evidence,
    targets: pd.DataFrame | None,
    answers: Path | None,
    groups: Path | None,
    local: str,
) -> _Boards:
    """Read what boards have given, and judge all of it at once."""
    rules, metrics, usable, areas = given.rules, given.metrics, given.usable, given.data.areas
    money = read_all_allocations(settings, areas)
    said = pd.DataFrame(columns=ANSWER_COLUMNS) if answers is None else read_answers(answers, areas)
    asked = pd.DataFrame(columns=GROUP_COLUMNS) if groups is None else read_groups(groups, areas, metrics)
    assessed = pd.DataFrame(columns=ASSESSMENT_COLUMNS)
    results: dict[str, pd.DataFrame] = {}
    if targets is not None:
        assessed = assess_ambitions(usable, targets, rules, allocations=money, metrics=metrics)
        results["risk-register"] = risk_register(assessed, rules, metrics=metrics)
        if rules.pass_share is not None:
            results |= _of_payment(usable, assessed, rules, money, metrics)
        if UNIT_COST in rules.settings:
            results["quarterly-payment"] = quarterly_outcomes(usable, assessed, rules, metrics=metrics)
        if not rules.pays:
            results["tracking"] = track(usable, targets, rules, metrics=metrics)
        if len(asked):
            shares = asked[["commissioner", "area_code", "area_share"]].drop_duplicates()
            wanted = asked[["commissioner", "metric", "change_percent"]].drop_duplicates()
            results["commissioners"] = ambition_consistency(assessed, wanted, shares)
    resting = [one.id for one in rules.payments if any(pot.conditions for pot in one.pots)]
    conditions = said.loc[~said["question"].isin(CRITERIA)].rename(columns={"question": "condition"})
    if resting and len(conditions):
        results["national-conditions"] = national_conditions(conditions, resting[0], rules)
    local_metric = get_metric(local, metrics).id if local else ""
    return _Boards(rules, metrics, usable, assessed, said, asked, money, local_metric, results)


def _of_payment(
    usable: pd.DataFrame,
    assessed: pd.DataFrame,
    rules: Scheme,
    money: pd.DataFrame | None,
    metrics: Mapping[str, Metric],
) -> dict[str, pd.DataFrame]:
    """Judge what came of targets in each reading of the line; a target for an agreed period is in none."""
    ids = [one.id for one in rules.payments]
    paid = assessed.loc[assessed["payment"].map(rules.payment_id).isin(ids)]
    if paid.empty:
        return {}
    came = outcomes(usable, paid, metrics=metrics)
    judged = {
        name: payment(came, rules, reading=name, allocations=money, metrics=metrics) for name in READINGS
    }
    values = dict.fromkeys(VALUES[:3], "float64")  # judged as exact fractions
    each = [ruling.metrics.assign(reading=ruling.reading).astype(values) for ruling in judged.values()]
    boards = [ruling.boards.assign(reading=ruling.reading) for ruling in judged.values()]
    return {
        "payment": pd.concat(each, ignore_index=True),
        "what-follows": pd.concat(boards, ignore_index=True),
        "all-metrics-paid": payment_chances(paid, rules, metrics=metrics),
    }


def _write(folder: Path, papers: Sequence[Paper], board: str, *, docx: bool) -> None:
    """Write the papers as CSV files with a list of what they answer, and where asked as a Word document."""
    contents = pd.DataFrame(
        [[paper.name, paper.asks, paper.paragraphs, paper.state] for paper in papers],
        columns=["paper", "answers", "paragraphs", "holds"],
    )
    for paper in papers:
        path = folder / f"{paper.name}.csv"
        if paper.table is None:
            path.unlink(missing_ok=True)  # of an earlier time, when it was given
        else:
            write_csv(path, paper.table)
    write_csv(folder / "contents.csv", contents)
    if docx:
        write_whole(folder / "papers.docx", _document(contents, papers, board))


def _document(contents: pd.DataFrame, papers: Sequence[Paper], board: str) -> bytes:
    title = f"{board}: papers for the board"
    document = new_document(title)
    part = document.sections[0]
    part.page_width, part.page_height = part.page_height, part.page_width  # wide tables
    document.add_heading(title, level=1)
    add_table(document, [list(contents), *contents.to_numpy().tolist()], by_length=True)
    for paper in papers:
        document.add_heading(paper.asks, level=2)
        document.add_paragraph(sentence(paper.state))
        if paper.shown is not None:
            rows = [[_cell(cell) for cell in row] for row in paper.shown.to_numpy(dtype=object)]
            add_table(document, [[spoken(name) for name in paper.shown], *rows], by_length=True)
        if paper.table is not None and "reasons" in paper.table:
            for row in paper.table.to_dict("records"):
                said = f"{row['metric']}, {row['payment']}: {row['reasons']}"
                document.add_paragraph(said, style="List Bullet")
    return saved(document)


def _cell(cell: Any) -> str:
    """Write a cell for a reader: numbers rounded, nothing where something is missing."""
    if pd.isna(cell):
        return ""
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, float | int | np.number):
        size = float(cell)
        return number(size, 0 if abs(size) >= 1000 or size.is_integer() else 2)
    return str(cell)
