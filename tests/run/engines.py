"""What two engines made of the same notebook, cell by cell: all but times, and ids that papermill draws."""

from typing import Any

import nbformat


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


def differences(ours: Any, theirs: Any) -> list[str]:
    """Name, for each report, what differs; an empty list if nothing does."""
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
