"""Where a sweep is trained: in this process, by several that share its folder, or by a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phasegrok.errors import Refusal

if TYPE_CHECKING:
    from phasegrok.distribute.dask import Dask
    from phasegrok.running import Prepared, Reporter

__all__ = [
    "Dashboard",
    "Mixed",
    "NotShared",
    "Scheduler",
    "SchedulerFile",
    "ShardOf",
    "TlsCa",
    "TlsCert",
    "TlsKey",
    "Where",
    "Workers",
]

CLUSTER = "On several processes or machines"
_Option = partial(typer.Option, rich_help_panel=CLUSTER)

ShardOf = Annotated[
    str | None,
    _Option(metavar="I/N", help="Be one of N processes that share the folder's work."),
]
Workers = Annotated[
    int, _Option(min=0, help="Train in so many processes of this machine, one for each GPU.")
]
Scheduler = Annotated[str, _Option(metavar="ADDRESS", help="Train on this Dask cluster.")]
SchedulerFile = Annotated[
    Path | None, _Option(help="Train on the Dask cluster that wrote this file.")
]
NotShared = Annotated[
    bool, _Option("--no-shared-files", help="The cluster does not see the result folder.")
]
Mixed = Annotated[
    bool,
    _Option(
        "--mixed", help="Several at work: allow a device of another kind than the folder's; noted."
    ),
]
SweepFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A sweep file, or the name of one that `phasegrok list` shows."
    ),
]
ResultFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A result folder.")]
AnyDevice = Annotated[
    bool,
    _Option(
        "--any-device", help="Go on with a folder that another kind of device began, here alone."
    ),
]
Dashboard = Annotated[
    int, _Option(min=0, max=65535, help="With --workers: the port of Dask's dashboard.")
]
TlsCa = Annotated[Path | None, _Option(help="The cluster's certificate authority, in PEM.")]
TlsCert = Annotated[Path | None, _Option(help="This user's certificate, in PEM.")]
TlsKey = Annotated[Path | None, _Option(help="Its key, in PEM.")]

Run = Callable[["Prepared", "Reporter", Callable[[], "Prepared"]], bool]


@dataclass(frozen=True, kw_only=True)
class Where:
    """What the options of ``phasegrok sweep`` say of it."""

    shard: str | None = None
    mixed: bool = False
    fresh: bool = False
    shared_files: bool = True
    workers: int = 0
    scheduler: str = ""
    scheduler_file: Path | None = None
    dashboard: int = 0
    tls: tuple[Path | None, Path | None, Path | None] = (None, None, None)  # CA, certificate, key

    @property
    def shared(self) -> bool:
        """Whether other processes may work on the folder."""
        return self.shard is not None

    @property
    def cluster(self) -> Dask | None:
        """The cluster, if there is one."""
        if not (self.workers or self.scheduler or self.scheduler_file):
            return None
        from phasegrok.distribute.dask import Dask

        ca, cert, key = self.tls
        return Dask(
            workers=self.workers,
            scheduler=self.scheduler,
            scheduler_file=self.scheduler_file,
            dashboard=self.dashboard,
            tls_ca=ca,
            tls_cert=cert,
            tls_key=key,
        )

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises:
            Refusal: it says which.
        """
        cluster = self.cluster
        if cluster is not None:
            cluster.check()
        elif any(self.tls) or not self.shared_files or self.dashboard:
            raise Refusal(
                "--tls-ca, --no-shared-files, --dashboard: found without a cluster; allowed:"
                " --workers, --scheduler or --scheduler-file"
            )
        if self.shard is None:
            return
        from phasegrok.distribute.split import Shard

        Shard.parse(self.shard)
        if cluster is not None:
            raise Refusal("--shard: found with a cluster, which needs none; allowed: one of them")
        if self.fresh:
            raise Refusal(
                "--fresh: found with --shard, where every process would move the others' results"
                " aside; allowed: another --output"
            )

    def begin(self) -> None:
        """Begin JAX: a process whose workers train leaves the GPUs to them."""
        from phasegrok.train.devices import use_all_cores

        if self.cluster is not None:
            from phasegrok.distribute.dask import gpus

            if gpus() or not self.workers:
                import jax

                jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]
        use_all_cores()

    @contextmanager
    def opened(self, note: Callable[[str], object]) -> Iterator[Run]:
        """What trains the sweep; planning is for the machines that do, while this lasts."""
        if (cluster := self.cluster) is not None:
            from phasegrok import running
            from phasegrok.distribute.cluster import on_cluster

            with on_cluster(cluster, self.shared_files, self.mixed, note) as deliver:

                def run(prepared: Prepared, reporter: Reporter, again: object) -> bool:
                    return running.run(prepared, reporter, self.fresh, deliver)

                yield run
        else:
            yield self._here

    def _here(self, prepared: Prepared, reporter: Reporter, again: Callable[[], Prepared]) -> bool:
        """Train in this process what is missing, or a share of it.

        Returns:
            Whether any table is another one than before, and this process wrote the labels.
        """
        if self.shard is not None:
            from phasegrok.distribute.shards import run_shard
            from phasegrok.distribute.split import Shard

            return run_shard(prepared, Shard.parse(self.shard), reporter, again, self.mixed)
        from phasegrok import running

        return running.run(prepared, reporter, self.fresh)
