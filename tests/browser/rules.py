"""The rules of axe-core, Deque's implementation of what a machine can check of WCAG."""

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def broken_rules(page):
    """Rules that a page breaks, each with the first element that breaks it."""
    runner = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed: .[browser]"
    )
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = runner.Axe().run(page, options=options).response
    assert found["passes"], "axe has checked nothing"
    return {rule["id"]: rule["nodes"][0]["html"] for rule in found["violations"]}
