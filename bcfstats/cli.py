"""The `bcfstats` command: thin, one function a job."""

import os
import sys
import webbrowser
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import bcfstats
from bcfstats.errors import InputError
from bcfstats.run.exit_codes import one_message, run_to_its_end


class Commands(TyperGroup):
    """All commands, so that none forgets how an error is told."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Take the command line apart; help is printed here."""
        with one_message():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        with one_message():
            return super().invoke(ctx)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # it would end a broken pipe in its own way
    help="What should our target be? Baselines, trends, seasons and changes for Better Care Fund metrics.",
    epilog="Exit codes: 0 done; 1 done, and something was found (of each command, see its help); "
    "2 the input or the command cannot be used; 3 it could not be done, or was stopped.",
)

Folder = Annotated[Path | None, typer.Option(help="Folder; see bcfstats.toml for the defaults.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file, if not bcfstats.toml.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
SchemeName = Annotated[str | None, typer.Option("--scheme", help="Payment scheme: an id or a TOML file.")]
OwnMetrics = Annotated[list[Path] | None, typer.Option("--metrics", help="TOML file of your own metrics.")]
Disclosure = Annotated[
    str | None, typer.Option(help="Small numbers of your own: none, hes-2014, hes-2018 or threshold=N.")
]
TargetFiles = Annotated[list[Path] | None, typer.Option("--targets", help="File of proposed targets.")]
MoneyFiles = Annotated[
    list[Path] | None, typer.Option("--allocations", help="CSV or XLSX file of each area's money.")
]
Areas = Annotated[
    list[str] | None, typer.Option("--area", help="Only this area: name or code; may be given again.")
]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="Only this metric: id, code or name; may be given again.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Reports made at the same time.")]


def main() -> None:
    """Run the command; whatever ends it is one message and an exit code, never a traceback."""
    from bcfstats.files import now
    from bcfstats.run.report import LOADED_MIB, ONE_THREAD, check_memory

    for name, number in ONE_THREAD.items():  # many small sums: more threads would wait for each other
        os.environ.setdefault(name, number)
    if not os.environ.get("SOURCE_DATE_EPOCH"):  # empty is not set, which fonts in a PDF do not know
        os.environ.pop("SOURCE_DATE_EPOCH", None)

    def command() -> None:
        check_memory(LOADED_MIB)
        now()  # refuses what is no time before anything is begun
        app()

    run_to_its_end(command)


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"bcfstats {bcfstats.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the example reports.")] = Path("reports/demo"),
    jobs: Jobs = None,
    areas: Annotated[int, typer.Option(min=1, help="How many example areas.")] = 150,
    scheme: SchemeName = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the index when done.")] = False,
    debug: Debug = False,
) -> None:
    """Make reports for every area of the example data (all of it made up)."""
    import tempfile

    from bcfstats.example.data import write_example, write_example_targets
    from bcfstats.files import sole_use
    from bcfstats.read.prepare import prepare as prepare_files
    from bcfstats.run.settings import Settings

    settings = Settings(processed=out / "data", out=out).with_given(jobs=jobs, scheme=scheme)
    with sole_use(out):
        pass  # a folder that cannot be written to is told before anything is computed
    with tempfile.TemporaryDirectory() as raw:
        write_example(Path(raw), n_areas=areas, scheme=settings.scheme)
        prepare_files(Path(raw), out / "data")
    proposed = write_example_targets(out / "data" / "targets.csv", n_areas=areas, scheme=settings.scheme)
    settings = settings.with_given(targets=(proposed,))
    _batch(settings, open_=open_)


@app.command()
def init(debug: Debug = False) -> None:
    """Write a commented settings file, bcfstats.toml, in this folder."""
    from bcfstats.run.settings import write_settings

    print(f"Wrote {write_settings(Path())}. Every line in it is explained.")


@app.command()
def notebooks(
    folder: Annotated[Path, typer.Argument(help="Where they go.")] = Path("notebooks"), debug: Debug = False
) -> None:
    """Lay notebooks to work with in a folder: explore, set ambitions, compare areas."""
    from bcfstats.run.notebooks import lay_out

    for path in lay_out(folder):
        print(path)
    print(f"Open them with: jupyter lab {folder}")


@app.command()
def prepare(
    raw: Folder = None,
    processed: Folder = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Recognise every published file by its content and build the observations.

    Exit code 1: some files were refused.
    """
    from bcfstats.read.prepare import prepare as prepare_files
    from bcfstats.run.check import describe_prepared
    from bcfstats.run.settings import all_metrics

    settings = _settings(config, raw=raw, processed=processed, metrics=metrics)
    prepared = prepare_files(settings.raw, settings.processed, metrics=all_metrics(settings))
    _tell(prepared.exit_code, describe_prepared(prepared))


@app.command()
def check(
    targets: Annotated[Path | None, typer.Argument(help="CSV or XLSX file of proposed targets.")] = None,
    processed: Folder = None,
    allocations: Annotated[Path | None, typer.Option(help="CSV or XLSX file of each area's money.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for the assessments, with reasons.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Explain each verdict in sentences.")] = False,
    area: Areas = None,
    metric: Metrics = None,
    scheme: SchemeName = None,
    disclosure: Disclosure = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Say what data there is, what is missing or broken; judge a file of targets.

    Exit code 1: an area's data are broken, a row is left out, or a target is not challenging and achievable.
    """
    from bcfstats.run.check import describe_data, describe_targets

    given: dict[str, Any] = {"processed": processed, "scheme": scheme, "metrics": metrics}
    given |= {"disclosure": disclosure, "only_areas": area, "only_metrics": metric}
    settings = _settings(config, **given)
    if targets is None:
        _tell(*describe_data(settings))
    else:
        _tell(*describe_targets(settings, targets, allocations=allocations, out=out, why=why))


@app.command()
def overview(
    targets: Annotated[Path, typer.Argument(help="CSV or XLSX file of proposed targets of many boards.")],
    processed: Folder = None,
    allocations: Annotated[Path | None, typer.Option(help="CSV or XLSX file of each area's money.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables as CSV files.")] = None,
    area: Areas = None,
    metric: Metrics = None,
    scheme: SchemeName = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Add up all boards' ambitions, by region and for England, and name plans that stand out.

    Exit code 1: a target cannot be assessed.
    """
    from bcfstats.run.check import describe_overview

    given: dict[str, Any] = {"processed": processed, "scheme": scheme, "metrics": metrics}
    settings = _settings(config, **given, only_areas=area, only_metrics=metric)
    _tell(*describe_overview(settings, targets, allocations=allocations, out=out))


@app.command()
def track(
    plan: Annotated[Path, typer.Argument(help="CSV or XLSX file of goals, in the form of targets.")],
    processed: Folder = None,
    until: Annotated[str | None, typer.Option(help="Last month to use, such as 'Sep 2025'.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for pages and the return's table.")] = None,
    area: Areas = None,
    metric: Metrics = None,
    scheme: SchemeName = None,
    disclosure: Disclosure = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Follow the goals of a plan through the year: on track or not, and what is still needed.

    Exit code 1: a goal is not on track, or was not met.
    """
    from bcfstats.run.check import describe_tracking

    given: dict[str, Any] = {"processed": processed, "scheme": scheme, "metrics": metrics}
    given |= {"disclosure": disclosure, "only_areas": area, "only_metrics": metric}
    settings = _settings(config, **given)
    _tell(*describe_tracking(settings, plan, until=until, out=out))


@app.command()
def phase(
    plan: Annotated[Path, typer.Argument(help="CSV or XLSX file of goals, in the form of targets.")],
    out: Annotated[Path, typer.Argument(help="CSV file for the goals by month or quarter.")],
    by: Annotated[str, typer.Option(help="month or quarter.")] = "quarter",
    path: Annotated[str, typer.Option(help="level, step or ramp.")] = "level",
    start: Annotated[str | None, typer.Option(help="First day of the work, for a step or a ramp.")] = None,
    processed: Folder = None,
    area: Areas = None,
    metric: Metrics = None,
    scheme: SchemeName = None,
    disclosure: Disclosure = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Phase goals by season, days and the path of the work, in whole people; `track` follows what it writes.

    Exit code 1: a goal could not be phased.
    """
    from bcfstats.run.check import describe_phases

    given: dict[str, Any] = {"processed": processed, "scheme": scheme, "metrics": metrics}
    given |= {"disclosure": disclosure, "only_areas": area, "only_metrics": metric}
    settings = _settings(config, **given)
    _tell(*describe_phases(settings, plan, out, by=by, path=path, start=start))


@app.command()
def goals(
    work: Annotated[Path, typer.Argument(help="CSV or XLSX file of schemes of work and their effects.")],
    plan: Annotated[Path, typer.Argument(help="CSV or XLSX file of the goals, in the form of targets.")],
    processed: Folder = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for all columns.")] = None,
    area: Areas = None,
    metric: Metrics = None,
    scheme: SchemeName = None,
    disclosure: Disclosure = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Add schemes of work up to a goal, beside doing nothing and what peers have done.

    Exit code 1: some work does not surely add up to its goal.
    """
    from bcfstats.run.check import describe_goals

    given: dict[str, Any] = {"processed": processed, "scheme": scheme, "metrics": metrics}
    given |= {"disclosure": disclosure, "only_areas": area, "only_metrics": metric}
    _tell(*describe_goals(_settings(config, **given), work, plan, out=out))


@app.command()
def run(
    area: Areas = None,
    metric: Metrics = None,
    processed: Folder = None,
    out: Folder = None,
    scheme: SchemeName = None,
    metrics: OwnMetrics = None,
    targets: TargetFiles = None,
    allocations: MoneyFiles = None,
    disclosure: Disclosure = None,
    notebook: Annotated[Path | None, typer.Option(help="Notebook to run for each area.")] = None,
    jobs: Jobs = None,
    engine: Annotated[str | None, typer.Option(help="auto, forked, warm or plain.")] = None,
    executor: Annotated[str | None, typer.Option(help="local, or dask=ADDRESS.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Make only what is missing or changed.")] = False,
    config: Config = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the index when done.")] = False,
    debug: Debug = False,
) -> None:
    """Make one report per area, with an index, results.csv, failures.csv and run.json.

    Exit code 1: some reports failed, or a row of targets was left out. 3: it was stopped, and --resume
    makes what is left.
    """
    given: dict[str, Any] = {
        "processed": processed,
        "out": out,
        "scheme": scheme,
        "metrics": metrics,
        "targets": targets,
        "allocations": allocations,
        "disclosure": disclosure,
        "notebook": notebook,
        "jobs": jobs,
        "engine": engine,
        "executor": executor,
        "only_areas": area,
        "only_metrics": metric,
    }
    _batch(_settings(config, **given), open_=open_, resume=resume)


@app.command()
def report(
    area: Annotated[str, typer.Argument(help="Name, ONS code or council code.")],
    processed: Folder = None,
    out: Folder = None,
    allocations: MoneyFiles = None,
    metric: Metrics = None,
    disclosure: Disclosure = None,
    config: Config = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the report when done.")] = False,
    debug: Debug = False,
) -> None:
    """Make the report of one area, in a folder apart from the reports of a batch."""
    settings = _settings(config)
    out = out or settings.out / "single"
    given: dict[str, Any] = {"processed": processed, "disclosure": disclosure, "allocations": allocations}
    given |= {"only_areas": (area,), "only_metrics": metric}
    settings = settings.with_given(out=out, jobs=1, **given)
    _batch(settings, open_=open_, single=True)


@app.command()
def export(
    area: Areas = None,
    metric: Metrics = None,
    out: Annotated[Path | None, typer.Option(help="Folder of a run; see bcfstats.toml.")] = None,
    fingertips: Annotated[bool, typer.Option("--fingertips", help="CSV as a Fingertips export.")] = False,
    docx: Annotated[bool, typer.Option("--docx", help="Each report as a Word document.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Each report as PDF, by Chromium or Edge.")] = False,
    board: Annotated[
        bool, typer.Option("--board", help="Two pages for each board, as PDF and as Word.")
    ] = False,
    charts: Annotated[str, typer.Option(help="Every chart as a file: svg or png.")] = "",
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Write figures, charts, Word or PDF files from the reports of a run."""
    from bcfstats.run.export import export as export_files

    folder = _settings(config, out=out).out
    wanted = {"fingertips": fingertips, "docx": docx, "pdf": pdf, "board": board}
    for path in export_files(folder, areas=area or (), metrics=metric or (), charts=charts, **wanted):
        print(path)


@app.command()
def board(
    area: Annotated[str | None, typer.Argument(help="Name, ONS code or council code.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every board, in place of an area.")] = False,
    targets: TargetFiles = None,
    allocations: MoneyFiles = None,
    answers: Annotated[Path | None, typer.Option(help="Answers to conditions and criteria.")] = None,
    groups: Annotated[Path | None, typer.Option(help="Commissioning groups' ambitions and shares.")] = None,
    local: Annotated[str, typer.Option(help="The local metric, where no target names it.")] = "",
    docx: Annotated[bool, typer.Option("--docx", help="A Word document besides the CSV files.")] = False,
    processed: Folder = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the boards' folders.")] = None,
    scheme: SchemeName = None,
    disclosure: Disclosure = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Write what the guidance asks of a board: verdicts, payment, conditions, risks, the template's table."""
    from bcfstats.run.board import describe_boards

    if (area is None) is not all_:
        raise InputError("Name one area, or give --all for every board.", found=area or "neither")
    given: dict[str, Any] = {"targets": targets, "allocations": allocations}
    given |= {"processed": processed, "scheme": scheme, "metrics": metrics, "disclosure": disclosure}
    settings = _settings(config, **given)
    folder = out or settings.out / "boards"
    _tell(*describe_boards(settings, area, folder, answers=answers, groups=groups, local=local, docx=docx))


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="Folder of a run.")],
    after: Annotated[Path, typer.Argument(help="Folder of a later run.")],
    out: Annotated[Path | None, typer.Option(help="CSV file for every change.")] = None,
    area: Areas = None,
    metric: Metrics = None,
    debug: Debug = False,
) -> None:
    """Say which numbers moved between two runs, and what differs in data, settings and code.

    Exit code 1: something moved.
    """
    from bcfstats.run.compare import describe_comparison

    _tell(*describe_comparison(before, after, out=out, areas=area or (), metrics=metric or ()))


@app.command()
def validate(
    processed: Folder = None,
    out: Folder = None,
    until: Annotated[str | None, typer.Option(help="Last day to use, such as 2015-03-31.")] = None,
    metric: Metrics = None,
    metrics: OwnMetrics = None,
    config: Config = None,
    debug: Debug = False,
) -> None:
    """Try the methods on months whose outcome is known: false alarms, coverage, forecast error."""
    from bcfstats.define.periods import Period
    from bcfstats.run.check import write_validation

    given: dict[str, Any] = {"processed": processed, "out": out, "metrics": metrics}
    settings = _settings(config, **given, only_metrics=metric)
    page, validations = write_validation(settings, until=Period.parse(until).end if until else None)
    for validation in validations:
        print(f"{validation.name}: {validation.description}")
    print(page)


@app.command()
def explain(name: Annotated[str, typer.Argument(help="A method or a metric.")], debug: Debug = False) -> None:
    """Explain a method or a metric in plain words."""
    from bcfstats.run.explain import explain_name

    print(explain_name(name))


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="metrics, areas, schemes or methods.")], debug: Debug = False
) -> None:
    """List metrics, areas, schemes or methods."""
    from bcfstats.run.explain import LISTS

    lister: Callable[[], list[str]] | None = LISTS.get(what)
    if lister is None:
        raise InputError("There is no such list.", found=f"'{what}'", do=f"Lists are {', '.join(LISTS)}.")
    for line in lister():
        print(line)


def _batch(
    settings: Any,
    *,
    open_: bool = False,
    single: bool = False,
    resume: bool = False,
) -> None:
    from bcfstats.run.batch import run_batch
    from bcfstats.run.pool import NOT_YET

    result = run_batch(settings, areas=settings.only_areas, resume=resume)
    for outcome in result.failed:
        print(f"{outcome.area_name}: no report. {outcome.reason}", file=sys.stderr)
    for problem in result.left_out:
        print(f"Left out: {problem}", file=sys.stderr)
    made = len(result.outcomes) - len(result.failed) - len(result.waiting)
    print(f"{made} reports made, {len(result.failed)} failed.")
    if result.waiting:
        print(f"{result.stopped} {len(result.waiting)} reports are {NOT_YET}.", file=sys.stderr)
    page = result.page(result.outcomes[0]) if single and made else result.index
    print(page)
    if open_:
        webbrowser.open(page.resolve().as_uri())
    raise typer.Exit(result.exit_code)


def _settings(config: Path | None, **given: Any) -> Any:
    """Take the settings of the file, and what the command line gives in their place."""
    from bcfstats.run.settings import load_settings

    return load_settings(config).with_given(**given)


def _tell(code: int, lines: Iterable[str]) -> None:
    """Print what a command has found, and end with its code."""
    for line in lines:
        print(line)
    raise typer.Exit(code)
