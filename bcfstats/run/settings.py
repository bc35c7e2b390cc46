"""The settings of a run, from a commented TOML file or from the command line."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.areas import codes_of
from bcfstats.define.datafiles import check_keys, read_toml, texts
from bcfstats.define.metrics import METRICS, Metric, get_metric, load_metrics
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.disclose.results import without_small
from bcfstats.disclose.rules import rule
from bcfstats.errors import InputError, ParameterError
from bcfstats.files import write_whole
from bcfstats.judge.screening import Trusted, parse_break, parse_trusted, sound
from bcfstats.read.data import Data, load
from bcfstats.read.papers import read_allocations
from bcfstats.read.targets import read_rows_of_targets
from bcfstats.run.notebooks import AREA_REPORT
from bcfstats.show.palettes import ANALYSIS_FUNCTION, palette

FILE = "bcfstats.toml"
NAMES = ("only_areas", "only_metrics", "trusted", "breaks", "joined")  # lists that hold no paths
LARGEST = 1_000_000  # jobs, seconds or MiB


@dataclass(frozen=True)
class Settings:
    """Where a run reads and writes, and by which rules: each is explained in `bcfstats.toml`."""

    raw: Path = Path("data/raw")
    processed: Path = Path("data/processed")
    out: Path = Path("reports")
    scheme: str = DEFAULT_SCHEME
    metrics: tuple[Path, ...] = ()
    targets: tuple[Path, ...] = ()
    allocations: tuple[Path, ...] = ()
    only_areas: tuple[str, ...] = ()
    only_metrics: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    disclosure: str = ""
    palette: str = ANALYSIS_FUNCTION
    notebook: Path = AREA_REPORT
    jobs: int = max(1, (os.cpu_count() or 2) - 1)
    engine: str = "auto"
    executor: str = "local"
    cell_seconds: int = 300
    memory_mib: int = 2048

    def with_given(self, **given: Any) -> "Settings":
        """Replace the settings that were given on the command line; None and an empty list were not."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
            if value is not None and value != []
        }
        return replace(self, **values)

    def as_record(self) -> dict[str, Any]:
        """Give the settings as plain values, for a run's record: no path for the package's own notebook."""
        given = asdict(self) | ({"notebook": ""} if self.notebook == AREA_REPORT else {})
        return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}


def load_settings(path: Path | None = None) -> Settings:
    """Read settings from a file; the defaults if there is none."""
    file = path or Path(FILE)
    if not os.path.lexists(file):
        if path is None:
            return Settings()
        raise InputError("There is no such settings file.", where=str(path), do="'bcfstats init' writes one.")
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    known = {name: str if issubclass(kind, Path) else kind for name, kind in kinds.items()}
    known |= dict.fromkeys(("metrics", "targets", "allocations", *NAMES), list) | {"disclosure": object}
    table = check_keys(read_toml(file), str(file), {}, known)
    given: dict[str, Any] = {name: _typed(name, kinds[name], table, file) for name in table}
    return Settings(**given)


def all_metrics(settings: Settings) -> Mapping[str, Metric]:
    """Give the registry with the metrics of the user's own files added."""
    metrics = dict(METRICS)
    for path in settings.metrics:
        own = {name: metric for name, metric in load_metrics(path).items() if name not in METRICS}
        if twice := sorted(own.keys() & metrics.keys()):
            raise InputError("Two files define the same metric.", where=str(path), found=", ".join(twice))
        metrics |= own
    return metrics


def read_all_targets(settings: Settings, areas: pd.DataFrame) -> tuple[pd.DataFrame | None, list[list[str]]]:
    """Read every file of targets, nothing where none is named; and what is left out, with its area's code."""
    metrics = all_metrics(settings)
    rules = scheme(settings.scheme, metrics)
    given: Any = {"areas": areas, "metrics": metrics, "scheme": rules}
    read = [read_rows_of_targets(path, **given) for path in settings.targets]
    left_out = [[code, f"{one.file}, {problem}"] for one in read for code, problem in one.left_out]
    return pd.concat([one.rows for one in read], ignore_index=True) if read else None, left_out


def read_all_allocations(settings: Settings, areas: pd.DataFrame) -> pd.DataFrame | None:
    """Read every file of the areas' money; nothing where none is named."""
    rules = scheme(settings.scheme, all_metrics(settings))
    tables = [read_allocations(path, rules, areas=areas) for path in settings.allocations]
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True)
    twice = table.loc[table.duplicated(["area_code", "payment"]), ["area_code", "payment"]]
    if len(twice):
        raise InputError("Two files give an area's money.", found=", ".join(twice.iloc[0]))
    return table


def chosen_metrics(settings: Settings) -> list[str]:
    """Give the ids of the metrics the settings are about; none means all."""
    metrics = all_metrics(settings)
    return [get_metric(text, metrics).id for text in settings.only_metrics]


def only(settings: Settings, table: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the areas and metrics that the settings are about."""
    kept = table
    for column, wanted in (
        ("area_code", codes_of(settings.only_areas, areas)),
        ("metric", chosen_metrics(settings)),
    ):
        kept = kept.loc[kept[column].isin(wanted)] if wanted else kept
    if kept.empty and len(table):
        named = ", ".join((*settings.only_areas, *settings.only_metrics))
        raise InputError("Nothing is there of what --area and --metric name.", found=named)
    return kept.reset_index(drop=True)


def vouched_for(settings: Settings) -> tuple[Trusted, ...]:
    """Read the months that the settings vouch for."""
    metrics = all_metrics(settings)
    return tuple(parse_trusted(entry, metrics) for entry in settings.trusted)


def prepared_data(settings: Settings) -> Data:
    """Read what was prepared: areas put together, and figures parted by breaks, as the settings say."""
    metrics, data = all_metrics(settings), load(settings.processed)
    for name in settings.joined:
        data = data.joined(name, metrics)
    observations = data.observations
    for entry in settings.breaks:
        observations = parse_break(entry, metrics).of(observations)
    return replace(data, observations=observations)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What targets are judged by: the data of a scheme's years without small numbers, and its sound rows."""

    data: Data
    rules: Scheme
    metrics: Mapping[str, Metric]
    usable: pd.DataFrame


def evidence(settings: Settings) -> Evidence:
    """Line up what targets are judged by, as the settings say."""
    metrics = all_metrics(settings)
    rules = scheme(settings.scheme, metrics)
    data = without_small(prepared_data(settings).at(rules), metrics.values(), settings.disclosure)
    usable = sound(data.observations, metrics, vouched_for(settings)).observations
    return Evidence(data, rules, metrics, usable)


def write_settings(folder: Path) -> Path:
    """Write a commented settings file."""
    target = folder / FILE
    if target.exists():
        raise ParameterError(
            "There is a settings file already.", where=str(target), do="Edit it, or move it away."
        )
    text = files("bcfstats.run").joinpath("bcfstats.toml").read_text(encoding="utf-8")
    write_whole(target, text)
    return target


def _typed(name: str, kind: type, table: dict[str, Any], source: Path) -> object:
    """Give a setting as `Settings` holds it; refused here, by whatever command, if it can mean nothing."""
    value = table[name]
    if kind is tuple:
        given = texts(table, name, str(source))
        return given if name in NAMES else tuple(map(Path, given))
    if issubclass(kind, Path):
        return Path(value)
    if kind is int and not 1 <= value <= LARGEST:
        do = f"Give a whole number from 1 to {LARGEST:,}."
        raise InputError(f"'{name}' is out of range.", where=str(source), found=str(value)[:40], do=do)
    try:
        if name == "disclosure":
            largest = rule(value).largest
            return f"threshold={largest}" if isinstance(value, dict) else value
        if name == "palette":
            palette(value)
    except ParameterError as error:
        raise InputError(error.what, where=f"{source}, {name}", found=error.found, do=error.do) from None
    return value
