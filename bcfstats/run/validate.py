"""`bcfstats validate`: the methods tried on the user's own months, written as a page."""

from datetime import date
from pathlib import Path

from bcfstats.errors import InputError
from bcfstats.files import write_whole
from bcfstats.judge.validation import Validation, validate_observations
from bcfstats.read.data import load
from bcfstats.run.settings import Settings, all_metrics
from bcfstats.show.validation_page import reliability_svg, validation_page

PAGE = "validation.md"


def write_validation(settings: Settings, *, until: date | None = None) -> tuple[Path, list[Validation]]:
    """Validate every monthly metric that has enough months, up to a day, and write the page."""
    data, metrics = load(settings.processed), all_metrics(settings)
    monthly = data.observations.loc[data.observations["frequency"] == "month", "metric"].unique()
    names = {name: metrics[name].name if name in metrics else name for name in sorted(monthly)}
    tried = [
        validate_observations(data.observations, metric, name=name, until=until)
        for metric, name in names.items()
    ]
    found = [validation for validation in tried if validation is not None]
    if not found:
        raise InputError(
            "No monthly metric has enough months to validate.",
            where=str(settings.processed),
            do="Prepare at least two and a half years of months without a gap.",
        )
    page = settings.out / PAGE
    write_whole(page, "# Validation\n\n" + validation_page(found))
    for number, validation in enumerate(found, start=1):
        if not validation.reliability.empty:
            picture = reliability_svg(validation.reliability, f"Reliability: {validation.name}")
            write_whole(settings.out / f"reliability-{number}.svg", picture)
    return page, found
