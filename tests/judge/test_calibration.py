"""The tool is as sure as it may be: its rates of error on the example panel stay within their bands.

The bands and their reasons are in docs/reliability.md. What is compared with is what happened: months of the
panel that the methods were not given.
"""

import pytest

from tests.judge.calibration import BANDS, figures, narrower, outside

pytestmark = pytest.mark.slow


def test_every_figure_is_within_its_band():
    found = figures()
    assert set(found["figure"]) == set(BANDS)
    assert outside(found) == []


@pytest.mark.parametrize("figure", [figure for figure in BANDS if not figure.startswith("forecast error")])
def test_limits_a_fifth_too_narrow_are_noticed_by_every_figure_that_depends_on_them(figure, too_sure):
    assert any(told.startswith(figure) for told in too_sure)


@pytest.fixture(scope="module")
def too_sure():
    with narrower(0.8):
        return outside(figures())
