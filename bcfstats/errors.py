"""Every error a user can meet, each saying what, where, what was found and what to do."""

LONGEST_FOUND = 8_000  # characters shown of what was found


class BcfStatsError(Exception):
    """Base of all errors raised on purpose; the command prints it without a traceback.

    Parameters
    ----------
    what : str
        What is wrong, in the user's words.
    where : str, optional
        File, sheet, row, column, area or period.
    found : str, optional
        The value that was found.
    do : str, optional
        What to do about it.

    Examples
    --------
    >>> print(BcfStatsError("The delayed days are not a number.", where="April_14.xls, Leeds",
    ...                     found="'n/k'", do="Correct the cell or leave it empty."))
    The delayed days are not a number. Where: April_14.xls, Leeds. Found: 'n/k'.
    Correct the cell or leave it empty.
    """

    def __init__(self, what: str, *, where: str = "", found: str = "", do: str = "") -> None:
        if len(found) > LONGEST_FOUND:
            found = f"{found[:LONGEST_FOUND]}… ({len(found):,} characters)"
        self.what, self.where, self.found, self.do = what, where, found, do
        told = [f"{label}: {text}" for label, text in (("Where", where), ("Found", found)) if text]
        sentences = [text if text.endswith(".") else f"{text}." for text in told]
        super().__init__(" ".join(filter(None, (what, *sentences, do))))


class InputError(BcfStatsError):
    """A file or table that cannot be used as it stands."""


class ParameterError(BcfStatsError):
    """A setting, name or argument that is not understood."""


class NotDoneError(BcfStatsError):
    """What could not be done, though the input is right: no room, no right to write, something missing."""
