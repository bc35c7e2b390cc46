"""What a machine can check of WCAG: the rules of axe-core, Deque's implementation; contrast by formula."""

import re

import numpy as np

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def broken_rules(page):
    """Rules that a page breaks, each with the first element that breaks it."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response
    assert found["passes"], "axe has checked nothing"
    return {rule["id"]: rule["nodes"][0]["html"] for rule in found["violations"]}


def luminance(colour):
    """Relative luminance of a colour as CSS or matplotlib writes it, by the formula of WCAG."""
    hexes = re.findall(r"[0-9A-Fa-f]{2}", colour) if colour.startswith("#") else []
    channels = (
        np.array([int(pair, 16) for pair in hexes] or re.findall(r"\d+", colour)[:3], dtype=float) / 255
    )
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    bright, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (bright + 0.05) / (dark + 0.05)
