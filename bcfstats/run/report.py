"""One area's report: parameters checked, the notebook run by papermill, the page made from it."""

import ast
import logging
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bcfstats.errors import ParameterError
from bcfstats.run.files import write_whole

CELL_SECONDS = 300  # no cell of a report needs a tenth of this


@dataclass(frozen=True)
class Job:
    """What it takes to make one report; small enough to be sent to another process."""

    notebook: Path
    out: Path
    stem: str
    area_code: str
    area_name: str
    title: str
    banner: str

    @property
    def page(self) -> Path:
        """Where the page goes."""
        return self.out / "areas" / f"{self.stem}.html"

    @property
    def executed(self) -> Path:
        """Where the executed notebook goes."""
        return self.out / "notebooks" / f"{self.stem}.ipynb"

    @property
    def parameters(self) -> dict[str, str]:
        """The notebook's parameters; the run's folder is relative, so that a run can be moved."""
        return {"area_code": self.area_code, "run_folder": ".."}


@dataclass(frozen=True)
class Outcome:
    """What became of a job: nothing in `reason` means that the report was made."""

    area_code: str
    area_name: str
    stem: str
    cell: str = ""
    source: str = ""
    reason: str = ""


def notebook_parameters(notebook: Path) -> tuple[str, ...]:
    """Name the parameters that a notebook declares in its cell tagged `parameters`.

    Raises
    ------
    ParameterError
        If the notebook has no such cell.
    """
    for cell in _read(notebook).cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            body = ast.parse(cell.source).body
            return tuple(
                target.id
                for statement in body
                if isinstance(statement, ast.Assign)
                for target in statement.targets
                if isinstance(target, ast.Name)
            )
    raise ParameterError(
        "The notebook has no cell tagged 'parameters'.",
        where=notebook.name,
        do="Tag the cell that holds its parameters.",
    )


def check_parameters(notebook: Path, parameters: dict[str, str]) -> None:
    """Refuse unknown and missing parameters before any kernel starts.

    papermill only warns of a name it does not know and runs on with the default, which would make
    every report of a batch the report of one area.

    Raises
    ------
    ParameterError
        If a name is not declared by the notebook, or a declared one is not given.
    """
    declared = notebook_parameters(notebook)
    unknown = [name for name in parameters if name not in declared]
    missing = [name for name in declared if name not in parameters]
    if unknown or missing:
        raise ParameterError(
            "The notebook's parameters do not match.",
            where=notebook.name,
            found=f"unknown: {', '.join(unknown) or 'none'}; missing: {', '.join(missing) or 'none'}",
            do=f"Its parameters cell declares {', '.join(declared) or 'none'}.",
        )


def make_report(job: Job) -> Outcome:
    """Run the notebook for one area and write its page; a failure is told, never raised.

    The executed notebook is kept either way. Files appear under their names only when they are whole.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from bcfstats.run.kernel import KERNEL_NAME, ThisPythonKernelManager

    for target in (job.page, job.executed):
        target.parent.mkdir(parents=True, exist_ok=True)
    part = job.executed.with_suffix(".part.ipynb")
    cell = source = reason = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("papermill").setLevel(logging.CRITICAL)
        try:
            papermill.execute_notebook(
                _titled(job),
                part,
                parameters=job.parameters,
                kernel_name=KERNEL_NAME,
                kernel_manager_class=ThisPythonKernelManager,
                progress_bar=False,
                execution_timeout=CELL_SECONDS,
                autosave_cell_every=0,
                cwd=job.executed.parent,
            )
        except PapermillExecutionError as error:
            cell, source, reason = str(error.cell_index), error.source, f"{error.ename}: {error.evalue}"
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        if reason:
            job.page.unlink(missing_ok=True)  # a page of an earlier run would not be this run's
        else:
            write_whole(job.page, _page(_read(part)))
    if part.exists():
        part.replace(job.executed)
    return Outcome(job.area_code, job.area_name, job.stem, cell, source, reason)


def _read(notebook: Path) -> Any:
    import nbformat

    read: Any = nbformat.read  # has no type annotations
    return read(notebook, as_version=4)


def _titled(job: Job) -> Any:
    notebook = _read(job.notebook)
    notebook.metadata["bcfstats"] = {"title": job.title, "banner": job.banner}
    return notebook


def _page(notebook: Any) -> str:
    from bcfstats.show.page import style

    html, _ = _exporter().from_notebook_node(notebook, {"bcfstats_style": str(style())})
    return str(html)


@cache
def _exporter() -> Any:
    from nbconvert.exporters import HTMLExporter

    from bcfstats.show.page import FOLDER

    exporter: Any = HTMLExporter  # has no type annotations
    return exporter(template_name="report", extra_template_basedirs=[str(FOLDER)], exclude_anchor_links=True)
