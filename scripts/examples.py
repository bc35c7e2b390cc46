"""Run the examples of the documentation and write what they give back into its pages.

python -m scripts.examples          renews every page of docs/ that has examples
python -m scripts.examples PAGE...  renews these

In a page, a block marked `console` holds commands after "$ ", one marked `pycon` holds Python after ">>> ",
and a block with a title is a file of that name. They run in a folder that holds the example data, prepared.
"""

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bcfstats.example.data import write_example, write_example_targets
from bcfstats.read.prepare import prepare

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile("^```(console|pycon)$", re.MULTILINE)
BAD_INPUT = 2


def pages():
    """Pages that have examples."""
    return [path for path in sorted(DOCS.rglob("*.md")) if EXAMPLE.search(_read(path))]


def make_workspace(folder):
    """Lay out the folder in which examples run: example data raw and prepared, targets, notebooks."""
    write_example(folder / "data" / "raw")
    write_example_targets(folder / "targets.csv")
    prepare(folder / "data" / "raw", folder / "data" / "processed")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")


def renewed(text, folder):
    """Give the text of a page with the output that its examples have now, run in `folder` in their order."""
    names = {"__name__": "__main__"}

    def renew(block):
        kind, title, body = block.groups()
        if title:
            (folder / title).write_text(body, encoding="utf-8")
        elif kind == "console":
            body = "\n".join(_command(line, folder) for line in body.splitlines() if line.startswith("$ "))
        elif kind == "pycon":
            body = "".join(_example(found, names) for found in doctest.DocTestParser().get_examples(body))
        head = f'{kind} title="{title}"' if title else kind
        return f"```{head}\n{body.rstrip()}\n```"

    with contextlib.chdir(folder):
        return BLOCK.sub(renew, text)


def _command(line, folder):
    words = shlex.split(line.removeprefix("$ "))
    command = [sys.executable, *(["-m", "bcfstats"] if words[0] == "bcfstats" else []), *words[1:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if "Traceback" in done.stderr:
        raise RuntimeError(f"{line}\n{done.stderr}")
    told = done.stderr if done.returncode == BAD_INPUT else done.stdout
    return f"{line}\n{told.rstrip()}".rstrip()


def _example(found, names):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(found.source, "example", "single"), names)
    first, *more = found.source.splitlines(keepends=True)
    told = "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
    return "".join([f">>> {first}", *(f"... {line}" for line in more), told])


def _read(path):
    return path.read_text(encoding="utf-8")


def main(chosen):
    with tempfile.TemporaryDirectory() as made:
        make_workspace(Path(made) / "first")
        for page in chosen or pages():
            folder = Path(made) / page.stem
            shutil.copytree(Path(made) / "first", folder)
            page.write_text(renewed(_read(page), folder), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]])
