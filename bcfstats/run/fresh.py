"""Make a kernel that has run a notebook as good as new, where processes cannot be forked.

What a module keeps to itself stays: a forked process forgets that too.
"""

import os
import random
import sys
import warnings
from typing import Any

_remembered: dict[str, Any] = {}


def remember() -> None:
    """Keep the state of a kernel that has run nothing yet."""
    _remembered.update(
        environment=dict(os.environ),
        path=list(sys.path),
        filters=list(warnings.filters),
        recursion=sys.getrecursionlimit(),
    )


def forget(folder: str) -> None:
    """Give back that state, an empty namespace and a fresh random state, and go to a folder."""
    import matplotlib as mpl
    import numpy as np
    import pandas as pd
    from IPython import get_ipython

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(_remembered["environment"])
    sys.path[:] = _remembered["path"]
    warnings.filters[:] = _remembered["filters"]  # type: ignore[index]
    sys.setrecursionlimit(_remembered["recursion"])
    random.seed()
    np.random.seed()  # noqa: NPY002 - what a notebook may have used
    with warnings.catch_warnings(action="ignore"):  # of options that pandas is to drop
        pd.reset_option("all")
    mpl.rcdefaults()
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    shell: Any = get_ipython()
    shell.reset(new_session=True)
