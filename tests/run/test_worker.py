"""The process that makes reports: it ends with its starter, and keeps its answers clean."""

import os
import pickle
import subprocess
import sys

import pytest

from bcfstats.run.pool import COMMAND
from bcfstats.run.report import PLAIN, Job
from bcfstats.run.worker import _as_if_not_installed
from tests.run.test_engine import kit_for, notebook

SECONDS = 600


def test_it_ends_when_its_starter_hangs_up():
    done = subprocess.run([*COMMAND, PLAIN], input=b"", capture_output=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.slow
def test_what_is_printed_does_not_get_among_the_answers(tmp_path):
    cell = "import os, sys\nprint('noise')\nos.write(1, b'more noise')\nsys.stdout.flush()"
    asked = [
        (kit_for(notebook(cell), tmp_path, PLAIN), Job(name, name, name, "", "")) for name in ("x1", "x2")
    ]
    questions = b"".join(map(pickle.dumps, asked))
    here = os.environ | {"JUPYTER_RUNTIME_DIR": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(
        [*COMMAND, PLAIN], input=questions, capture_output=True, timeout=SECONDS, check=True, env=here
    )
    first = pickle.loads(done.stdout)
    second = pickle.loads(done.stdout[len(pickle.dumps(first)) :])
    assert [made.outcome.stem for made in (first, second)] == ["x1", "x2"]
    assert [made.outcome.reason for made in (first, second)] == ["", ""]


def test_a_package_that_is_dear_is_as_if_not_installed_and_then_there_again():
    sys.modules.pop("colorsys", None)
    with _as_if_not_installed(("colorsys",)):
        try:
            import colorsys
        except ImportError:
            seen = True
        else:
            seen = False
    assert seen
    import colorsys

    assert colorsys.rgb_to_hsv(1, 0, 0) == (0, 1, 1)
