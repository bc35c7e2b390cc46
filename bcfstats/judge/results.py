"""The results of a run: one tidy table a subject, and the words findings are told in."""

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from bcfstats.define.metrics import Metric, SeriesBreak
from bcfstats.errors import InputError
from bcfstats.files import whole

LATEST = "latest"
PER_CENT = "%"
BETTER, WORSE, UNCLEAR, NOT_COMPARED = "better", "worse", "no clear change", "not compared"
AGAINST_HISTORY = "usual movement between years"
AGAINST_NOISE = "noise within the two periods only"
PEERS = "peers"  # by group, where all others are by area
TABLES = (
    *("areas", "series", "windows", "trends", "seasons", "outlooks", "ladders", "candidates", "assessments"),
    *("findings", "standings", PEERS),
)
METRICS, ABOUT = "metrics.json", "about.json"
ROWS_READ_TOGETHER = 8192  # some dozen areas: what reading one costs, however many there are


@dataclass(frozen=True)
class Results:
    """All areas' results, one tidy table a subject (columns.toml says what each column means)."""

    areas: pd.DataFrame
    series: pd.DataFrame
    windows: pd.DataFrame
    trends: pd.DataFrame
    seasons: pd.DataFrame
    outlooks: pd.DataFrame
    ladders: pd.DataFrame
    candidates: pd.DataFrame
    assessments: pd.DataFrame
    findings: pd.DataFrame
    standings: pd.DataFrame
    peers: pd.DataFrame
    metrics: tuple[Metric, ...]
    about: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write the tables as parquet files, ordered so that one area is read alone, and `about.json`.

        Nothing that was there is touched before all is written; `about.json` says that what is there belongs
        together: it goes first and comes last.
        """
        with ExitStack() as stack:
            stack.enter_context(whole(folder / ABOUT)).write_text(_json(self.about), encoding="utf-8")
            definitions = [asdict(metric) for metric in self.metrics]
            stack.enter_context(whole(folder / METRICS)).write_text(_json(definitions), encoding="utf-8")
            for name in TABLES:
                table, part = getattr(self, name), stack.enter_context(whole(folder / f"{name}.parquet"))
                columns = list(dict.fromkeys([*table.columns, "area_code"]))  # an empty table may have none
                ordered = table.reindex(columns=columns).astype({"area_code": str})  # of an empty table too
                ordered = ordered.sort_values("group" if name == PEERS else "area_code", kind="stable")
                ordered.to_parquet(part, index=False, row_group_size=ROWS_READ_TOGETHER)
            (folder / ABOUT).unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path, area_code: str | None = None) -> "Results":
        """Read what `save` wrote, for all areas or for one."""
        if not (folder / ABOUT).exists():
            raise InputError(
                "This folder does not hold the results of a run.",
                where=str(folder),
                do="Give the folder that 'bcfstats run' wrote.",
            )
        chosen: Any = None if area_code is None else [("area_code", "==", area_code)]
        tables: dict[str, pd.DataFrame] = {}
        for name in TABLES:
            if chosen and name == PEERS and len(tables["standings"]):  # theirs are the rows of other areas
                chosen = [("group", "in", set(tables["standings"]["group"]))]
            tables[name] = pd.read_parquet(folder / f"{name}.parquet", filters=chosen)
        metrics, about = (
            json.loads((folder / name).read_text(encoding="utf-8")) for name in (METRICS, ABOUT)
        )
        return cls(**tables, metrics=tuple(map(_metric, metrics)), about=about)


def _json(content: object) -> str:
    return json.dumps(content, indent=1, default=str, ensure_ascii=False)


def _metric(entry: dict[str, Any]) -> Metric:
    breaks = tuple(
        SeriesBreak(**{**found, "date": date.fromisoformat(found["date"])}) for found in entry["breaks"]
    )
    cells: dict[str, Any] = {
        name: tuple(cell) if isinstance(cell, list) else cell for name, cell in entry.items()
    }
    return Metric(**cells | {"breaks": breaks})
