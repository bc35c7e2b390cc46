"""One area's report: parameters checked, the notebook run by papermill, the page made from it."""

import ast
import hashlib
import json
import logging
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bcfstats.errors import NotDoneError, ParameterError

AUTO, FORKED, WARM, PLAIN = "auto", "forked", "warm", "plain"  # what runs a notebook
ENGINES = (AUTO, FORKED, WARM, PLAIN)
KERNEL_NAME = "python3"
SCRIPT, SLIDER = "slider.js", '<div class="move"'  # what needs it
LOADED_MIB, NEEDED_MIB = 1600, 2300  # of addresses, most of them set aside by pyarrow and numpy
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def check_memory(needed: int = NEEDED_MIB) -> None:
    """Refuse to begin where the system allows a process less memory than a report, or a command, needs."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY and allowed < needed * 2**20:
        raise NotDoneError(
            "The system allows a program too little memory.",
            found=f"{allowed // 2**20:,} MiB of addresses (ulimit -v)",
            do=f"Allow {NEEDED_MIB:,} MiB or more; most of it is only set aside.",
        )


@dataclass(frozen=True)
class Kit:
    """What all reports of a run share."""

    notebook_name: str
    notebook: str
    folder: Path
    engine: str
    cell_seconds: int
    memory_mib: int
    code: str
    tables: bytes = b""


@dataclass(frozen=True)
class Job:
    """What it takes to make one report; small enough to be sent to another machine."""

    stem: str
    area_code: str
    area_name: str
    title: str
    banner: str
    fingerprint: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """The notebook's parameters; the run's folder is relative, so that a run can be moved."""
        return {"area_code": self.area_code, "run_folder": ".."}


@dataclass(frozen=True)
class Outcome:
    """What became of a job: nothing in `reason` means that the report was made.

    `is_waiting` says that it has not been made yet, and `reason` how it can be.
    """

    area_code: str
    area_name: str
    stem: str
    cell: str = ""
    source: str = ""
    reason: str = ""
    is_waiting: bool = False


@dataclass(frozen=True)
class Made:
    """One report as texts, to be written by whoever asked for it.

    `page` is empty where the report failed, `notebook` where no cell was run; `died` says that a process
    ended under the report, so that another attempt may help.
    """

    outcome: Outcome
    page: str = ""
    notebook: str = ""
    died: bool = False


def notebook_parameters(notebook: Path) -> tuple[str, ...]:
    """Name the parameters that a notebook declares in its cell tagged `parameters`."""
    for cell in _cells(notebook):
        if cell["cell_type"] == "code" and "parameters" in cell["metadata"].get("tags", []):
            body = ast.parse("".join(cell["source"])).body
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


def _cells(notebook: Path) -> list[Any]:
    try:
        return list(json.loads(notebook.read_text(encoding="utf-8"))["cells"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParameterError(
            "The notebook cannot be read.",
            where=str(notebook),
            found=f"{type(error).__name__}: {error}",
            do="Give the path of a notebook, or leave it out: bcfstats comes with one.",
        ) from None


def check_parameters(notebook: Path, parameters: dict[str, str]) -> None:
    """Refuse unknown and missing parameters before any kernel starts.

    papermill only warns of a name it does not know and runs on with the default, which would make every
    report of a batch the report of one area.
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


def make_report(kit: Kit, job: Job) -> Made:
    """Run the notebook for one area and make its page; a failure is told, never raised."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from bcfstats.run.engine import register_engines

    register_engines()
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
    cell = source = reason = page = ""
    died = False
    executed: list[Any] = []  # the one notebook, or none if no cell was run
    try:
        papermill.execute_notebook(
            _titled(kit, job),
            None,
            parameters=job.parameters,
            engine_name=kit.engine,
            kernel_name=KERNEL_NAME,
            language="python",
            progress_bar=False,
            execution_timeout=kit.cell_seconds,
            coalesce_streams=True,
            memory_mib=kit.memory_mib,
            executed=executed,
            cwd=kit.folder / "notebooks",
        )
    except PapermillExecutionError as error:
        cell, source, reason = str(error.cell_index), error.source, f"{error.ename}: {error.evalue}"
    except Exception as error:
        slow = isinstance(error, TimeoutError)  # nbclient's, for a cell
        died = isinstance(error, RuntimeError | OSError) and not slow  # as its DeadKernelError
        cell, source = _running_cell(executed)
        what = f"the cell ran for more than {kit.cell_seconds} seconds" if slow else error
        reason = f"{type(error).__name__}: {what}"
    for notebook in executed:
        _place(notebook, kit, job)
        page = "" if reason else _page(notebook)
        notebook.metadata["bcfstats"]["page"] = hashlib.sha256(page.encode()).hexdigest()
    outcome = Outcome(job.area_code, job.area_name, job.stem, cell, source, reason)
    return Made(outcome, page, "".join(map(_text, executed)), died)


def _running_cell(executed: list[Any]) -> tuple[str, str]:
    """Find the cell that was running when the notebook was given up."""
    cells = [pair for notebook in executed for pair in enumerate(notebook.cells)]
    begun = [(str(place), cell.source) for place, cell in cells if cell.metadata.papermill.start_time]
    return begun[-1] if begun else ("", "")


def _place(notebook: Any, kit: Kit, job: Job) -> None:
    """Name the files as they lie in the run's folder, wherever the notebook was run."""
    notebook.metadata.papermill.input_path = kit.notebook_name
    notebook.metadata.papermill.output_path = f"notebooks/{job.stem}.ipynb"


def _text(notebook: Any) -> str:
    import nbformat

    write: Any = nbformat.writes  # has no type annotations
    return str(write(notebook))


def _titled(kit: Kit, job: Job) -> Any:
    import nbformat

    read: Any = nbformat.reads  # has no type annotations
    notebook = read(kit.notebook, as_version=4)
    about = {"title": job.title, "banner": job.banner, "fingerprint": job.fingerprint}
    notebook.metadata["bcfstats"] = about
    return notebook


def _page(notebook: Any) -> str:
    from bcfstats.show.page import script, script_hash, style

    found = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())]
    moves = any(SLIDER in str(data.get("text/html", "")) for data in found)
    given: dict[str, str] = {"style": style()}
    given |= {"script": script(SCRIPT), "script_hash": script_hash(SCRIPT)} if moves else {}
    resources = {f"bcfstats_{name}": str(text) for name, text in given.items()}
    html, _ = exporter().from_notebook_node(notebook, resources)
    return str(html)


@cache
def exporter() -> Any:
    """Make what turns notebooks into pages, once.

    It leaves out nbconvert's second pass over the page, which would parse all of it to mark up cells and
    pictures that this template does not have, and checks the notebook once, not after every step.
    """
    from nbconvert.exporters import HTMLExporter, TemplateExporter

    from bcfstats.show.page import FOLDER

    given: Any = HTMLExporter  # has no type annotations
    make: Any = type("PageExporter", (given,), {"from_notebook_node": TemplateExporter.from_notebook_node})
    return make(
        template_name="report",
        extra_template_basedirs=[str(FOLDER)],
        exclude_anchor_links=True,
        optimistic_validation=True,
    )
