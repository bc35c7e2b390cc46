"""The pages of methods that `bcfstats explain NAME` prints."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import resources

from bcfstats.errors import ParameterError

_PAGES = resources.files("bcfstats.stats") / "methods"
_SUFFIX = ".md"


def method_names() -> list[str]:
    """Names of all methods that have a page, sorted.

    Examples
    --------
    >>> "proportion" in method_names()
    True
    """
    pages = (page.name for page in _PAGES.iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in pages if name.endswith(_SUFFIX))


def explain(name: str) -> str:
    """Page of one method: what it answers, its formula, its source, when not to use it.

    Parameters
    ----------
    name : str
        As the function is called; spaces, hyphens and capitals do not matter.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ParameterError
        If there is no such page; the message names those that are nearest.

    Examples
    --------
    >>> print(explain("Crude rate").splitlines()[0])
    # Crude rate
    """
    names = method_names()
    wanted = "_".join(name.replace("-", " ").lower().split())
    if wanted not in names:
        near = [known for known in names if wanted and wanted in known]
        near += [known for known in get_close_matches(wanted, names, n=5, cutoff=0.5) if known not in near]
        do = f"Did you mean {', '.join(near[:5])}?" if near else f"There are {', '.join(names)}."
        raise ParameterError("There is no method of this name.", found=f"'{name}'", do=do)
    return (_PAGES / f"{wanted}{_SUFFIX}").read_text(encoding="utf-8")
