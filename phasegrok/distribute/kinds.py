"""Devices of one kind give the same numbers. Others are asked for, and noted chunk by chunk."""

from __future__ import annotations

from phasegrok.errors import Refusal
from phasegrok.running.manifest import Manifest
from phasegrok.train.devices import kind_of_device

__all__ = ["check_kind", "is_other_kind", "kind_of"]


def kind_of(manifest: Manifest) -> str:
    """The kind of device that began a folder; empty where an earlier version did not say."""
    return manifest.processor if manifest.platform == "cpu" else manifest.device


def is_other_kind(manifest: Manifest) -> bool:
    """Whether this process computes on another kind of device than the one that began a folder."""
    return bool(kind := kind_of(manifest)) and kind != kind_of_device()


def check_kind(manifest: Manifest, where: str, mixed: bool) -> None:
    """Refuse a device of another kind than a folder's, unless that is allowed.

    Raises:
        Refusal: it is of another kind.
    """
    if not mixed and is_other_kind(manifest):
        raise Refusal(
            f"{where}: found {kind_of_device()}; this folder was begun on {kind_of(manifest)}, and"
            " numbers of another kind of device agree to rounding only; allowed: devices of that"
            " kind, or --mixed, which notes which chunks were trained on another one"
        )
