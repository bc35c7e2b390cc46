"""Use what every report uses once, so that processes forked afterwards find it ready."""

import numpy as np

from bcfstats.show.charts import chart as charts
from bcfstats.show.page import FOLDER, fill_environment


def warm_up() -> None:
    """Read fonts, draw a chart and compile the templates; starts no thread."""
    for path in FOLDER.glob("*.j2"):
        fill_environment().get_template(path.name)
    one = np.ones(2)
    words = {"unit": "unit", "caption": "caption", "alt": "alternative text"}
    places = ["a", "b"]
    chart = charts.season(places, one, 2 * one, names=("a", "b"), headings=["x"], rows=[["1"]], **words)
    chart.__html__()
