"""One target at a time gives what a file of targets gives."""

import numpy as np
import pandas as pd

from bcfstats.example.data import example_data
from bcfstats.judge.ambitions import assess_ambitions
from bcfstats.judge.what_if import WhatIf

TARGET = {"area": "X06000001", "metric": "delayed_transfers", "payment": "2015-04", "change_percent": -3.5}


def test_a_target_is_judged_as_in_a_file():
    data = example_data(n_areas=6).of("delayed_transfers")
    what_if = WhatIf(data)
    alone = what_if.judge(TARGET["area"], TARGET["metric"], TARGET["payment"], TARGET["change_percent"])
    row = {**TARGET, "area_code": TARGET["area"], "target_value": np.nan, "target_numerator": np.nan}
    row |= {"baseline_value": np.nan, "against": "baseline"}
    (other,) = assess_ambitions(what_if.observations, pd.DataFrame([row])).to_dict("records")
    for name in ("baseline_value", "target_value", "p_paid_do_nothing", "verdict"):
        assert alone[name] == other[name], name
    assert TARGET["area"] in what_if.assessable(TARGET["metric"], TARGET["payment"])
    assert TARGET["payment"] in [payment for _, payment in what_if.payments(TARGET["metric"])]
