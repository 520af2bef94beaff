"""Calls beside everything else, as long as they are wanted."""

from __future__ import annotations

import threading

from phasegrok.files.repeating import repeating


def test_it_calls_until_the_end_and_no_longer() -> None:
    thrice = threading.Semaphore(0)
    with repeating(0.001, thrice.release, patience=60):
        for _ in range(3):
            assert thrice.acquire(timeout=60)
        mine = threading.active_count()
    assert threading.active_count() == mine - 1, "its thread has ended"


def test_the_first_call_comes_after_a_while() -> None:
    calls: list[int] = []
    with repeating(3600, lambda: calls.append(1)):
        pass
    assert not calls
