"""The notebooks that come with the package: where they are, and copies of them to work with."""

from pathlib import Path

from bcfstats.errors import ParameterError
from bcfstats.files import write_whole

PACKAGE = Path(__file__).parents[1]
TO_WORK_WITH = ("explore", "set_ambitions", "compare_areas")


def shipped(name: str) -> Path:
    """Find a notebook: inside the package when it was built, beside it in a working folder of the code."""
    inside = PACKAGE / "notebooks"
    return (inside if inside.is_dir() else PACKAGE.parent / "notebooks") / f"{name}.ipynb"


AREA_REPORT = shipped("area_report")


def lay_out(folder: Path) -> list[Path]:
    """Write the notebooks to work with into a folder, and never over what is there."""
    targets = {name: folder / f"{name}.ipynb" for name in TO_WORK_WITH}
    if there := [path.name for path in targets.values() if path.exists()]:
        raise ParameterError(
            "Notebooks are never overwritten.",
            where=str(folder),
            found=", ".join(there),
            do="Name another folder: bcfstats notebooks FOLDER.",
        )
    for name, path in targets.items():
        write_whole(path, shipped(name).read_text(encoding="utf-8"))
    return list(targets.values())
