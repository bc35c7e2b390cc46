"""Write docs/validation.md: the methods tried on published and example data.

python -m scripts.validate                  published files in ../shared/data or BCFSTATS_REAL_DATA
python -m scripts.validate FOLDER...        published files in these folders
python -m scripts.validate trust FOLDER...  print how far to trust which figure, on the files of all folders

AutoETS and AutoTheta take part where the optional extra `forecast` is installed; they take most of the time.
"""

import importlib.util
import os
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

import pandas as pd

from bcfstats.errors import BcfStatsError
from bcfstats.example.data import example_data
from bcfstats.judge.validation import validate_observations
from bcfstats.read.data import Data, load
from bcfstats.read.prepare import prepare
from bcfstats.show.validation_page import reliability_svg, validation_page
from bcfstats.stats.backtest import CHALLENGERS, OPTIONAL_CHALLENGERS
from scripts.nulls import nulls_section, simulated_nulls
from scripts.trust import screened, trust

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DELAYS, ADMISSIONS = "delayed_transfers", "non_elective_admissions"
HEAD = Path(__file__).with_name("validate.md")


def prepared(folders: list[Path], processed: str) -> Data:
    """Read published files of several folders as one."""
    with tempfile.TemporaryDirectory() as together:
        for folder in folders:
            if not folder.is_dir():
                raise BcfStatsError(
                    "There is no folder of published files.", where=str(folder), do="Name it."
                )
            shutil.copytree(folder, together, dirs_exist_ok=True)
        prepare(together, processed)
    return load(processed)


def told(data: Data) -> str:
    """Tables of how far to trust which figure, in two eras of each panel."""
    delays, admissions = data.observations, commissioners(data)
    return trust(
        {
            "delayed days": (screened(delays, DELAYS), "2015-03-31"),
            "admissions": (screened(admissions, ADMISSIONS), "2016-12-31"),
        }
    )


def commissioners(data: Data) -> pd.DataFrame:
    return data.others.loc[data.others["area_type"] == "clinical commissioning group"]


def main():
    only_trust = sys.argv[1:2] == ["trust"]
    usual = os.environ.get("BCFSTATS_REAL_DATA", str(ROOT.parent / "shared/data"))
    folders = [Path(folder) for folder in sys.argv[1 + only_trust :] or [usual]]
    with tempfile.TemporaryDirectory() as processed:
        data = prepared(folders, processed)
    if only_trust:
        print(told(data))
        return
    challengers = dict(CHALLENGERS)
    if importlib.util.find_spec("statsforecast"):
        challengers |= OPTIONAL_CHALLENGERS
    found = [
        validate_observations(
            data.observations,
            DELAYS,
            name="Delayed days by local authority (NHS England)",
            until=date(2015, 3, 31),
            challengers=challengers,
        ),
        validate_observations(
            commissioners(data),
            ADMISSIONS,
            name="Non-elective admissions by clinical commissioning group (NHS England)",
            until=date(2016, 12, 31),
            challengers=challengers,
        ),
        validate_observations(
            example_data().observations, DELAYS, name="Delayed days of the example data (fictional)"
        ),
    ]
    found = [validation for validation in found if validation is not None]
    head = HEAD.read_text(encoding="utf-8").replace("<!-- trust -->", told(data))
    page = f"{head}\n{validation_page(found)}\n{nulls_section(simulated_nulls())}\n"
    for name, validation in zip(("delayed-days", "admissions", "example"), found, strict=True):
        picture = f"reliability-{name}.svg"
        (DOCS / picture).write_text(
            reliability_svg(validation.reliability, f"Reliability: {validation.name}")
        )
        heading = f"## {validation.name}\n"
        page = page.replace(
            heading, f"{heading}\n![Chances given and how often it happened, as tabled below]({picture})\n"
        )
    (DOCS / "validation.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
