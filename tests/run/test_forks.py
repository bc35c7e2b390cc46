"""Work in forked processes gives what this process would give, whatever becomes of them."""

import os
import signal

import pytest

from bcfstats.run import forks
from bcfstats.run.forks import forked, in_processes

HERE = os.getpid()
forks_only = pytest.mark.needs("fork")


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)


def squared(number):
    return number * number


def squared_here_alone(number):
    if os.getpid() != HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def refused(number):
    raise ValueError(f"{number} is refused")


@pytest.mark.parametrize("items", [[], [3], range(5), range(300)])
@pytest.mark.parametrize("can_fork", [False, pytest.param(True, marks=forks_only)])
def test_answers_come_in_order(can_fork, items, three, monkeypatch):
    monkeypatch.setattr(forks, "CAN_FORK", can_fork)
    assert in_processes(squared, items) == [number * number for number in items]


@forks_only
def test_what_a_killed_process_was_at_is_done_here(three):
    assert in_processes(squared_here_alone, range(50)) == [number * number for number in range(50)]


def test_an_error_is_raised_as_it_is(three):
    with pytest.raises(ValueError, match="is refused"):
        in_processes(refused, range(4))


@forks_only
def test_each_answer_is_of_another_process():
    with forked(os.getpid, processes=2) as answers:
        assert len({answer() for answer in answers} | {HERE}) == 3


@forks_only
def test_a_process_that_fails_gives_no_answer_and_none_is_left():
    with forked(lambda: 1 / 0) as failed, forked(os.getpid) as ended:
        assert failed[0]() is None
        process = ended[0]()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@forks_only
def test_it_ends_with_the_process_that_asked():
    """The grandchild's end of a pipe is closed when it ends, though nobody tells it to."""
    alive, theirs = os.pipe()

    def asks():
        with forked(signal.pause):
            os.write(theirs, b".")
            os.close(theirs)
            os.kill(os.getpid(), signal.SIGKILL)

    with forked(asks) as answers:
        os.close(theirs)
        assert answers[0]() is None
        assert os.read(alive, 2) == b"."
        assert os.read(alive, 1) == b""
    os.close(alive)
