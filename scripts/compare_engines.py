"""Compare the reports of our engine with those of papermill's own, cell by cell, for every example area.

python -m scripts.compare_engines               150 areas; the data of every tenth are broken
python -m scripts.compare_engines AREAS ENGINE  so many areas; the engine forked or warm

Compared is everything a notebook records but times, and ids that papermill draws at random.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "area_report.ipynb"
AREAS, EVERY = 150, 10


def cells_of(notebook: Any) -> list[dict[str, Any]]:
    """Everything that a notebook's cells record but for times, and for ids that papermill draws at random."""
    return [
        {
            "source": cell.source,
            "outputs": cell.get("outputs"),
            "count": cell.get("execution_count"),
            "tags": cell.metadata.get("tags"),
            "status": cell.metadata.get("papermill", {}).get("status"),
            "exception": cell.metadata.get("papermill", {}).get("exception"),
        }
        for cell in notebook.cells
    ]


def prepared(folder: Path, areas: int) -> Path:
    """Prepare example areas; one month of every tenth becomes a negative count, which stops its report."""
    import pandas as pd

    from bcfstats.example.data import write_example
    from bcfstats.read.prepare import prepare

    write_example(folder / "raw", n_areas=areas)
    prepare(folder / "raw", folder / "processed")
    path = folder / "processed" / "observations.parquet"
    rows = pd.read_parquet(path)
    months = rows[rows["metric"] == "delayed_transfers"].drop_duplicates("area_code")
    rows.loc[months.index[::EVERY], "numerator"] = -5.0
    rows.to_parquet(path)
    return folder / "processed"


def differences(ours: Any, theirs: Any) -> list[str]:
    """Name, for each report, what differs; an empty list if nothing does."""
    import nbformat

    found = []
    if ours.exit_code != theirs.exit_code:
        found.append(f"exit codes {ours.exit_code} and {theirs.exit_code}")
    for mine, other in zip(ours.outcomes, theirs.outcomes, strict=True):
        names = [run.out / "notebooks" / f"{mine.stem}.ipynb" for run in (ours, theirs)]
        books = [nbformat.read(name, as_version=4) for name in names]
        if mine != other:
            found.append(f"{mine.stem}: {mine} and {other}")
        pairs = zip(*map(cells_of, books), strict=True)
        found += [f"{mine.stem}, cell {place}" for place, (a, b) in enumerate(pairs) if a != b]
        if books[0].metadata.papermill.exception != books[1].metadata.papermill.exception:
            found.append(f"{mine.stem}: exception of the notebook")
    return found


def main() -> None:
    from bcfstats.run.batch import run_batch
    from bcfstats.run.settings import Settings

    areas = int(sys.argv[1]) if len(sys.argv) > 1 else AREAS
    engine = sys.argv[2] if len(sys.argv) > 2 else "forked"
    with tempfile.TemporaryDirectory() as name:
        processed = prepared(Path(name), areas)
        runs = [
            run_batch(
                Settings(processed=processed, out=Path(name) / kind, notebook=NOTEBOOK, jobs=2, engine=kind),
                stream=io.StringIO(),
            )
            for kind in (engine, "plain")
        ]
        found = differences(*runs)
        codes = " and ".join(str(run.exit_code) for run in runs)
        print(f"{areas} areas, {len(runs[1].failed)} stopped by an error, exit codes {codes}")
        print(f"{len(found)} differences", *found, sep="\n")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
