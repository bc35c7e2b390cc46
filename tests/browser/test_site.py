"""The documentation site, opened from its folder: nothing from elsewhere, and axe finds nothing."""

import pytest

from tests.browser.rules import broken_rules

pytestmark = pytest.mark.slow

PAGES = ["index", "tutorial", "howto/which-target", "methods/trend", "reference/judge"]


@pytest.mark.parametrize("name", PAGES)
def test_page_of_the_site(open_page, site, name):
    opened = open_page(site / f"{name}.html")
    opened.page.wait_for_load_state("networkidle")
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []
    assert broken_rules(opened.page) == {}
