"""The `bcfstats` command: thin, one function a job."""

import os
import sys
import webbrowser
from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Parameter, Signature, signature
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

Jobs = Annotated[int | None, typer.Option(min=1, help="Reports made at the same time.")]
Folder = Annotated[Path | None, typer.Option(help="Folder; see bcfstats.toml for the defaults.")]
SchemeName = Annotated[str | None, typer.Option("--scheme", help="Payment scheme: an id or a TOML file.")]
Money = Annotated[Path | None, typer.Option(help="CSV or XLSX file of each area's money.")]
Areas = Annotated[
    list[str] | None, typer.Option("--area", help="Only this area: name or code; may be given again.")
]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="Only this metric: id, code or name; may be given again.")
]
OpenIndex = Annotated[bool, typer.Option("--open", help="Open the index when done.")]
# What a command line may give in place of the settings file, by the names of the settings
SETTINGS: dict[str, Any] = {
    "raw": Folder,
    "processed": Folder,
    "out": Folder,
    "scheme": SchemeName,
    "metrics": Annotated[list[Path] | None, typer.Option("--metrics", help="TOML file of your own metrics.")],
    "targets": Annotated[list[Path] | None, typer.Option("--targets", help="File of proposed targets.")],
    "allocations": Annotated[
        list[Path] | None, typer.Option("--allocations", help="CSV or XLSX file of each area's money.")
    ],
    "disclosure": Annotated[
        str | None, typer.Option(help="Small numbers of your own: none, hes-2014, hes-2018 or threshold=N.")
    ],
    "only_areas": Areas,
    "only_metrics": Metrics,
    "notebook": Annotated[Path | None, typer.Option(help="Notebook to run for each area.")],
    "jobs": Jobs,
    "engine": Annotated[str | None, typer.Option(help="auto, forked, warm or plain.")],
    "executor": Annotated[str | None, typer.Option(help="local, or dask=ADDRESS.")],
}
CONFIG = Annotated[Path | None, typer.Option("--config", help="Settings file, if not bcfstats.toml.")]
DEBUG = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
OF_PLANS = ("only_areas", "only_metrics", "scheme", "disclosure", "metrics", "config")


def command(*order: str, name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command: its own options and those of settings in this order, and `--debug`.

    What takes `settings` is given those of the file, with what the command line gives in their place.
    """

    def made(function: Callable[..., None]) -> Callable[..., None]:
        own = dict(signature(function).parameters)
        takes_settings = own.pop("settings", None) is not None
        given = {name: SETTINGS[name] for name in order if name not in own and name != "config"}

        @wraps(function)
        def call(config: Path | None = None, debug: bool = False, **values: Any) -> None:
            chosen = {name: values.pop(name) for name in given}
            if takes_settings:
                from bcfstats.run.settings import load_settings

                values["settings"] = load_settings(config).with_given(**chosen)
            function(**values)

        kind = Parameter.POSITIONAL_OR_KEYWORD
        shared = {name: Parameter(name, kind, default=None, annotation=of) for name, of in given.items()}
        shared["config"] = Parameter("config", kind, default=None, annotation=CONFIG)
        debug = Parameter("debug", kind, default=False, annotation=DEBUG)
        first = [one for name, one in own.items() if name not in order]
        call.__signature__ = Signature([*first, *((own | shared)[name] for name in order), debug])  # type: ignore[attr-defined]
        app.command(name)(call)
        return function

    return made


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


@command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the example reports.")] = Path("reports/demo"),
    jobs: Jobs = None,
    areas: Annotated[int, typer.Option(min=1, help="How many example areas.")] = 150,
    scheme: SchemeName = None,
    open_: OpenIndex = False,
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


@command()
def init() -> None:
    """Write a commented settings file, bcfstats.toml, in this folder."""
    from bcfstats.run.settings import write_settings

    print(f"Wrote {write_settings(Path())}. Every line in it is explained.")


@command()
def notebooks(folder: Annotated[Path, typer.Argument(help="Where they go.")] = Path("notebooks")) -> None:
    """Lay notebooks to work with in a folder: explore, set ambitions, compare areas."""
    from bcfstats.run.notebooks import lay_out

    for path in lay_out(folder):
        print(path)
    print(f"Open them with: jupyter lab {folder}")


@command("raw", "processed", "metrics", "config")
def prepare(settings: Any) -> None:
    """Recognise every published file by its content and build the observations.

    Exit code 1: some files were refused.
    """
    from bcfstats.read.prepare import prepare as prepare_files
    from bcfstats.run.check import describe_prepared
    from bcfstats.run.settings import all_metrics

    prepared = prepare_files(settings.raw, settings.processed, metrics=all_metrics(settings))
    _tell(prepared.exit_code, describe_prepared(prepared))


@command("processed", "allocations", "out", "why", *OF_PLANS)
def check(
    settings: Any,
    targets: Annotated[Path | None, typer.Argument(help="CSV or XLSX file of proposed targets.")] = None,
    allocations: Money = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for the assessments, with reasons.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Explain each verdict in sentences.")] = False,
) -> None:
    """Say what data there is, what is missing or broken; judge a file of targets.

    Exit code 1: an area's data are broken, a row is left out, or a target is not challenging and achievable.
    """
    from bcfstats.run.check import describe_data, describe_targets

    if targets is None:
        _tell(*describe_data(settings))
    else:
        _tell(*describe_targets(settings, targets, allocations=allocations, out=out, why=why))


@command("processed", "allocations", "out", "only_areas", "only_metrics", "scheme", "metrics", "config")
def overview(
    settings: Any,
    targets: Annotated[Path, typer.Argument(help="CSV or XLSX file of proposed targets of many boards.")],
    allocations: Money = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables as CSV files.")] = None,
) -> None:
    """Add up all boards' ambitions, by region and for England, and name plans that stand out.

    Exit code 1: a target cannot be assessed.
    """
    from bcfstats.run.check import describe_overview

    _tell(*describe_overview(settings, targets, allocations=allocations, out=out))


@command("processed", "until", "out", *OF_PLANS)
def track(
    settings: Any,
    plan: Annotated[Path, typer.Argument(help="CSV or XLSX file of goals, in the form of targets.")],
    until: Annotated[str | None, typer.Option(help="Last month to use, such as 'Sep 2025'.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for pages and the return's table.")] = None,
) -> None:
    """Follow the goals of a plan through the year: on track or not, and what is still needed.

    Exit code 1: a goal is not on track, or was not met.
    """
    from bcfstats.run.check import describe_tracking

    _tell(*describe_tracking(settings, plan, until=until, out=out))


@command("processed", *OF_PLANS)
def phase(
    settings: Any,
    plan: Annotated[Path, typer.Argument(help="CSV or XLSX file of goals, in the form of targets.")],
    out: Annotated[Path, typer.Argument(help="CSV file for the goals by month or quarter.")],
    by: Annotated[str, typer.Option(help="month or quarter.")] = "quarter",
    path: Annotated[str, typer.Option(help="level, step or ramp.")] = "level",
    start: Annotated[str | None, typer.Option(help="First day of the work, for a step or a ramp.")] = None,
) -> None:
    """Phase goals by season, days and the path of the work, in whole people; `track` follows what it writes.

    Exit code 1: a goal could not be phased.
    """
    from bcfstats.run.check import describe_phases

    _tell(*describe_phases(settings, plan, out, by=by, path=path, start=start))


@command("processed", "out", *OF_PLANS)
def goals(
    settings: Any,
    work: Annotated[Path, typer.Argument(help="CSV or XLSX file of schemes of work and their effects.")],
    plan: Annotated[Path, typer.Argument(help="CSV or XLSX file of the goals, in the form of targets.")],
    out: Annotated[Path | None, typer.Option(help="CSV file for all columns.")] = None,
) -> None:
    """Add schemes of work up to a goal, beside doing nothing and what peers have done.

    Exit code 1: some work does not surely add up to its goal.
    """
    from bcfstats.run.check import describe_goals

    _tell(*describe_goals(settings, work, plan, out=out))


@command(
    *("only_areas", "only_metrics", "processed", "out", "scheme", "metrics", "targets", "allocations"),
    *("disclosure", "notebook", "jobs", "engine", "executor", "resume", "config", "open_"),
)
def run(
    settings: Any,
    resume: Annotated[bool, typer.Option("--resume", help="Make only what is missing or changed.")] = False,
    open_: OpenIndex = False,
) -> None:
    """Make one report per area, with an index, results.csv, failures.csv and run.json.

    Exit code 1: some reports failed, or a row of targets was left out. 3: it was stopped, and --resume
    makes what is left.
    """
    _batch(settings, open_=open_, resume=resume)


@command("processed", "out", "allocations", "only_metrics", "disclosure", "config", "open_")
def report(
    settings: Any,
    area: Annotated[str, typer.Argument(help="Name, ONS code or council code.")],
    out: Folder = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the report when done.")] = False,
) -> None:
    """Make the report of one area, in a folder apart from the reports of a batch."""
    out = out or settings.out / "single"
    _batch(settings.with_given(out=out, jobs=1, only_areas=(area,)), open_=open_, single=True)


@command("area", "metric", "out", "fingertips", "docx", "pdf", "board", "charts", "config")
def export(
    settings: Any,
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
) -> None:
    """Write figures, charts, Word or PDF files from the reports of a run."""
    from bcfstats.run.export import export as export_files

    wanted = {"fingertips": fingertips, "docx": docx, "pdf": pdf, "board": board}
    folder = out or settings.out
    for path in export_files(folder, areas=area or (), metrics=metric or (), charts=charts, **wanted):
        print(path)


@command(
    *("targets", "allocations", "answers", "groups", "local", "docx", "processed", "out", "scheme"),
    *("disclosure", "metrics", "config"),
)
def board(
    settings: Any,
    area: Annotated[str | None, typer.Argument(help="Name, ONS code or council code.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every board, in place of an area.")] = False,
    answers: Annotated[Path | None, typer.Option(help="Answers to conditions and criteria.")] = None,
    groups: Annotated[Path | None, typer.Option(help="Commissioning groups' ambitions and shares.")] = None,
    local: Annotated[str, typer.Option(help="The local metric, where no target names it.")] = "",
    docx: Annotated[bool, typer.Option("--docx", help="A Word document besides the CSV files.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the boards' folders.")] = None,
) -> None:
    """Write what the guidance asks of a board: verdicts, payment, conditions, risks, the template's table."""
    from bcfstats.run.board import describe_boards

    if (area is None) is not all_:
        raise InputError("Name one area, or give --all for every board.", found=area or "neither")
    folder = out or settings.out / "boards"
    _tell(*describe_boards(settings, area, folder, answers=answers, groups=groups, local=local, docx=docx))


@command()
def compare(
    before: Annotated[Path, typer.Argument(help="Folder of a run.")],
    after: Annotated[Path, typer.Argument(help="Folder of a later run.")],
    out: Annotated[Path | None, typer.Option(help="CSV file for every change.")] = None,
    area: Areas = None,
    metric: Metrics = None,
) -> None:
    """Say which numbers moved between two runs, and what differs in data, settings and code.

    Exit code 1: something moved.
    """
    from bcfstats.run.compare import describe_comparison

    _tell(*describe_comparison(before, after, out=out, areas=area or (), metrics=metric or ()))


@command("processed", "out", "until", "only_metrics", "metrics", "config")
def validate(
    settings: Any,
    until: Annotated[str | None, typer.Option(help="Last day to use, such as 2015-03-31.")] = None,
) -> None:
    """Try the methods on months whose outcome is known: false alarms, coverage, forecast error."""
    from bcfstats.define.periods import Period
    from bcfstats.run.check import write_validation

    page, validations = write_validation(settings, until=Period.parse(until).end if until else None)
    for validation in validations:
        print(f"{validation.name}: {validation.description}")
    print(page)


@command()
def explain(name: Annotated[str, typer.Argument(help="A method or a metric.")]) -> None:
    """Explain a method or a metric in plain words."""
    from bcfstats.run.explain import explain_name

    print(explain_name(name))


@command(name="list")
def list_(what: Annotated[str, typer.Argument(help="metrics, areas, schemes or methods.")]) -> None:
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


def _tell(code: int, lines: Iterable[str]) -> None:
    """Print what a command has found, and end with its code."""
    for line in lines:
        print(line)
    raise typer.Exit(code)
