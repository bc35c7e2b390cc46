"""The national conditions that part of a payment rests on: recorded answers, never computed ones."""

import pandas as pd

from bcfstats.define.datafiles import near_misses
from bcfstats.define.schemes import DEFAULT_SCHEME, Scheme, scheme
from bcfstats.errors import ParameterError

ANSWERS = ("yes", "no", "in progress")
NOT_RECORDED = "not recorded"


def national_conditions(
    answers: pd.DataFrame, payment: str = "2015-04", rules: Scheme | str = DEFAULT_SCHEME
) -> pd.DataFrame:
    """Set recorded answers beside the conditions that a payment rests on.

    It answers: which conditions has each area said it meets, and on what evidence?

    Parameters
    ----------
    answers : DataFrame
        `area_code`, `condition` (its number in the payment, or its text), `answer` ("yes", "no",
        "in progress"), `evidence` (where it is written down), and optionally `answered_on`.
    payment : str
        Payment id.
    rules : Scheme or str

    Returns
    -------
    DataFrame
        One row per area and condition: `answer` ("not recorded" where there is none), `evidence`,
        `answered_on`, and `note` where a yes has no evidence.

    Raises
    ------
    ParameterError
        If a condition or an answer is not understood, or two answers are given to one condition.

    Notes
    -----
    Whether a condition is met is for people to judge: nothing here is worked out from figures.

    Examples
    --------
    >>> import pandas as pd
    >>> given = pd.DataFrame({"area_code": ["X"], "condition": [1], "answer": ["yes"], "evidence": [""]})
    >>> national_conditions(given)[["answer", "note"]].values.tolist()[:2]
    [['yes', 'no evidence is recorded'], ['not recorded', '']]
    """
    rules = scheme(rules)
    texts = [text for pot in rules.payment(payment).pots for text in pot.conditions]
    if not texts:
        raise ParameterError("This payment rests on no national conditions.", found=f"{rules.id}, {payment}")
    given = answers.assign(
        condition=[_condition(found, texts) for found in answers["condition"]],
        answer=[_answer(found) for found in answers["answer"]],
    )
    if given.duplicated(["area_code", "condition"]).any():
        twice = given.loc[given.duplicated(["area_code", "condition"]), ["area_code", "condition"]].iloc[0]
        raise ParameterError(
            "Two answers are given to one condition.", found=f"{twice.iloc[0]}, {twice.iloc[1]}"
        )
    every = pd.MultiIndex.from_product(
        [given["area_code"].unique(), texts], names=["area_code", "condition"]
    ).to_frame(index=False)
    table = every.merge(given, on=["area_code", "condition"], how="left")
    table = table.reindex(columns=["area_code", "condition", "answer", "evidence", "answered_on"])
    table["answer"] = table["answer"].fillna(NOT_RECORDED)
    table[["evidence", "answered_on"]] = table[["evidence", "answered_on"]].astype(object).fillna("")
    bare = (table["answer"] == "yes") & (table["evidence"].astype(str).str.strip() == "")
    return table.assign(payment=payment, note=bare.map({True: "no evidence is recorded", False: ""}))


def _condition(found: object, texts: list[str]) -> str:
    text = str(found).strip()
    if text.isdigit() and 1 <= int(text) <= len(texts):
        return texts[int(text) - 1]
    matches = [known for known in texts if text and text.casefold() in known.casefold()]
    if len(matches) == 1:
        return matches[0]
    raise ParameterError(
        "There is no such condition.",
        found=f"'{text}'",
        do=f"Give a number from 1 to {len(texts)}. {near_misses(text, texts)}",
    )


def _answer(found: object) -> str:
    text = str(found).strip().casefold()
    if text not in ANSWERS:
        raise ParameterError(
            "The answer is not understood.", found=f"'{found}'", do=f"Use {', '.join(ANSWERS)}."
        )
    return text
