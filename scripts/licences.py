"""Write docs/licences.md: every locked package, its licence, and what needs it.

python -m scripts.licences      after `make lock`, in an environment that has the locked packages

Licences are what each package says of itself; `tests/test_supply.py` refuses one that is not in ALLOWED.
"""

import re
from collections import defaultdict
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
PAGE = ROOT / "docs" / "licences.md"
DIRECT = "bcfstats"
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD",  # two or three clauses: not said
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",  # used as published, never changed
    "PSF-2.0",
    "Zlib",
}
# In the order in which they are looked for in a package's own words.
WORDS = {
    r"apache": "Apache-2.0",
    r"mozilla|mpl": "MPL-2.0",
    r"bsd[- ]3|3-clause": "BSD-3-Clause",
    r"bsd[- ]2|2-clause": "BSD-2-Clause",
    r"bsd": "BSD",
    r"isc": "ISC",
    r"python software foundation|psf": "PSF-2.0",
    r"mit\b": "MIT",
}
# Not installed on every system, or silent in their metadata: read in their licence files.
READ_BY_HAND = {"appnope": "BSD-2-Clause", "axe-playwright-python": "MIT", "pywinpty": "MIT"}
INTRODUCTION = f"""# Licences

Every package of `requirements.lock` and `requirements-dev.lock`, on any system, written by
`python -m scripts.licences` from what the packages say of themselves. A package that carries parts of others
names all their licences. None of them is part of bcfstats: they are installed beside it.

Allowed are {", ".join(sorted(ALLOWED))}; a test refuses any other. The licence MPL-2.0 asks for changes to
its own files to be published; none is changed here.

| package | licence | needed by |
|---|---|---|
"""


def lines() -> list[str]:
    """Give the lines of both locks: what a run needs, and what is more to work on it."""
    return [line for lock in LOCKS for line in lock.read_text(encoding="utf-8").splitlines()]


def locked() -> dict[str, list[str]]:
    """Names of the locked packages, each with what needs it."""
    needed: dict[str, set[str]] = defaultdict(set)
    name = ""
    for line in lines():
        if match := re.match(r"([A-Za-z0-9_.-]+)==", line):
            name = match[1]
            needed[name] |= set()
        elif match := re.fullmatch(r"    #   (?:via )?([^-\s]\S*).*|    # via (\S+).*", line):
            needed[name].add(match[1] or match[2])
    return {name: sorted(needed[name]) or [DIRECT] for name in sorted(needed)}  # the build needs the rest


def licence(name: str) -> str:
    """Give a package's licence as SPDX identifiers; empty if it says nothing that is understood."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    try:
        return _said(distribution(name))
    except PackageNotFoundError:
        return ""


def identifiers(expression: str) -> set[str]:
    """Split an SPDX expression into the licences that it names."""
    return set(re.split(r" AND | OR |[()]", expression)) - {""}


def _said(found: Distribution) -> str:
    metadata = found.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    field = (metadata.get("License") or "").strip().split("\n")[0]
    if identifiers(field) and identifiers(field) <= ALLOWED:
        return field
    classified = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    for words in ([field] if len(field) < 60 else []) + classified:
        for pattern, identifier in WORDS.items():
            if re.search(pattern, words, re.IGNORECASE):
                return identifier
    return ""


def page() -> str:
    """Write the page."""
    rows = [f"| {name} | {licence(name)} | {', '.join(needed)} |\n" for name, needed in locked().items()]
    return INTRODUCTION + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
