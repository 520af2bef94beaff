"""Trends in shares: two groups by hand, the correlation that the test is, and its rate of error."""

from __future__ import annotations

import numpy as np
import pytest

from phasegrok.analysis.rising import rise


def test_two_groups_are_the_test_of_two_shares() -> None:
    """10 of 40 against 25 of 50: z is the difference of the shares over its deviation under one
    share for both, and the slope is that difference."""
    found = rise([10, 25], [40, 50], [0, 1])
    share = 35 / 90
    deviation = (share * (1 - share) * (1 / 40 + 1 / 50)) ** 0.5
    assert found.slope == pytest.approx(0.25)
    assert found.z == pytest.approx(0.25 / deviation)
    half = 1.96 * (0.25 * 0.75 / 40 + 0.5 * 0.5 / 50) ** 0.5
    assert (found.low, found.high) == pytest.approx((0.25 - half, 0.25 + half))
    assert found.p == pytest.approx(0.00785, abs=1e-4)  # of z = 2.4172, from a table


def test_it_is_the_correlation_over_runs() -> None:
    """Its z is the correlation of success and number over single runs, times the root of their
    number,
    and a change of the number's unit changes the slope alone."""
    number, runs, at = [1, 4, 4, 9], [10, 12, 9, 14], [1.0, 2.0, 4.0, 5.0]
    success = np.concatenate([np.arange(n) < r for r, n in zip(number, runs, strict=True)])
    x = np.repeat(at, runs)
    found = rise(number, runs, at)
    assert found.z == pytest.approx(np.corrcoef(success, x)[0, 1] * len(x) ** 0.5)
    assert found.slope == pytest.approx(np.polyfit(x, success, 1)[0])
    other = rise(number, runs, 100 * np.array(at) + 7)
    assert (other.z, other.slope) == pytest.approx((found.z, found.slope / 100))


def test_a_falling_share_has_no_rise() -> None:
    down, up = rise([9, 5, 1], [10, 10, 10], [1, 2, 3]), rise([1, 5, 9], [10, 10, 10], [1, 2, 3])
    assert down.z == pytest.approx(-up.z) and down.p == pytest.approx(1 - up.p)
    assert down.high < 0 < up.low


@pytest.mark.parametrize("number", [[0, 0], [5, 5]])
def test_where_all_runs_end_alike_there_is_no_trend(number: list[int]) -> None:
    assert rise(number, [5, 5], [1, 2])[3:] == (0.0, 0.5)


def test_errors_are_as_often_as_p_says() -> None:
    """Without a trend, p is below 0.05 in about one of twenty of 2000 samples."""
    drawn = np.random.default_rng(0).binomial(100, 0.3, (2000, 6))
    wrong = np.mean([rise(number, [100] * 6, range(6)).p < 0.05 for number in drawn])
    assert 0.035 < wrong < 0.065
