"""The names of the engines, and which one this machine can use."""

import os

from bcfstats.errors import InputError

AUTO, FORKED, WARM, PLAIN = "auto", "forked", "warm", "plain"
ENGINES = (AUTO, FORKED, WARM, PLAIN)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def chosen_engine(name: str) -> str:
    """Choose the engine: with `auto`, forked where processes can be forked, else warm.

    Raises
    ------
    InputError
        If there is no such engine, here or at all.
    """
    can_fork = hasattr(os, "fork")
    if name not in ENGINES:
        raise InputError("This engine is not known.", found=f"'{name}'", do=f"Engines: {', '.join(ENGINES)}.")
    if name == FORKED and not can_fork:
        raise InputError("This system cannot fork processes.", found=f"'{name}'", do="Use the warm engine.")
    return (FORKED if can_fork else WARM) if name == AUTO else name
