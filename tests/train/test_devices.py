"""Settings with which JAX cannot start are told in a line, before its first use."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import pytest

from phasegrok.errors import Refusal
from phasegrok.train import devices
from phasegrok.train.memory import machine


def line(caught: pytest.ExceptionInfo[Refusal]) -> str:
    """The refusal, which is one line."""
    text = str(caught.value)
    assert text.isprintable() and "allowed: " in text
    return text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--nope=3", "XLA_FLAGS: found --nope=3 (Unknown flag in XLA_FLAGS: --nope=3)"),
        ("--xla_force_host_platform_device_count=abc", "interpret value abc"),
    ],
)
def test_flags_that_abort_are_refused(
    monkeypatch: pytest.MonkeyPatch, flags: str, words: str
) -> None:
    """XLA ends the process at these. Another process has tried them before."""
    monkeypatch.setenv("XLA_FLAGS", flags)
    with pytest.raises(Refusal) as caught:
        devices.check_flags()
    assert words in line(caught)


def test_sound_flags_and_none_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
    devices.check_flags()
    monkeypatch.setenv("XLA_FLAGS", " ")
    monkeypatch.setattr(devices.subprocess, "run", None)  # nothing is tried where nothing is set
    devices.check_flags()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AssertionError(), "the platform that was asked for is not there"),
        (RuntimeError("Unable to initialize backend 'x': no.\nmore"), "Unable to initialize back"),
    ],
)
def test_a_platform_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    """A GPU that was asked for, on a machine without one: the line names who asked."""

    def none() -> None:
        raise error

    monkeypatch.setattr(jax, "local_devices", none)
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    with pytest.raises(Refusal) as caught:
        machine()
    assert said in line(caught) and "JAX_PLATFORMS=cuda" in line(caught)


@pytest.mark.parametrize("name", devices.SETTINGS)
def test_settings_that_change_numbers_are_refused(name: str) -> None:
    """float64 is another program than the one whose inputs we give, and so on."""
    devices.check_settings(jax.config)
    needed, _ = devices.SETTINGS[name]
    with pytest.raises(Refusal) as caught:
        devices.check_settings(SimpleNamespace(**{name: not needed}))
    assert line(caught).startswith(f"{name.upper()}: found {not needed}; allowed: {needed}")
