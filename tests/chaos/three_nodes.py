"""The three-node act: faults of nodes, rights, group and topics; canaries and readiness are watched throughout.

The workers run with the default session and transaction timeouts and with exactly the listed rights. After the act is
verified its workers go through two replaced topics, see `epilogue`.
"""

import shutil
import time
from pathlib import Path

from tests.chaos.campaign import Act, Conductor, Outcome, pace, verify
from tests.chaos.canaries import Canaries
from tests.chaos.cluster_faults import AddedPartitions, ForeignMember
from tests.chaos.epilogue import Epilogue
from tests.chaos.faults import FrozenWorker, KilledWorker, Scaling, TerminatedWorker, TwiceTerminatedWorker
from tests.chaos.feeder import Feeder
from tests.chaos.logcheck import read_logs
from tests.chaos.offsets import committed_offsets
from tests.chaos.rights import Rights
from tests.chaos.sampler import Sampler
from tests.chaos.silences import lines
from tests.chaos.stage import Servers, Stage, attempt
from tests.chaos.workload import Workload

DEFAULT_TIMEOUTS = {"KAFKA_SESSION_TIMEOUT": "", "KAFKA_TRANSACTION_TIMEOUT": ""}
MOVING = (
    AddedPartitions.name,
    ForeignMember.name,
    FrozenWorker.name,
    KilledWorker.name,
    Scaling.name,
    TerminatedWorker.name,
    TwiceTerminatedWorker.name,
)
"""The faults that move partitions by themselves: any other assignment is a false one, or the first."""

_WORKERS = 2
_RECOVERY_SECONDS = 60
_SETTLE_SECONDS = 240


def play(servers: Servers, act: Act, folder: Path, seed: int, alerts: int, faults: int, seconds: float) -> Outcome:  # noqa: PLR0917 - an act's measures
    """Play the act and verify it; its folder is removed where all is well, unless it is to be kept."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    stage = Stage(servers, folder, seed, settings=DEFAULT_TIMEOUTS)
    stage.fleet.wanted = _WORKERS
    stage.create()
    servers.cluster.await_in_sync()
    Rights(stage.run).grant_all()
    stage.run.save(folder)
    outcome = Outcome(act.name)
    try:
        _strike(stage, Conductor(stage, act, seed, faults, started + seconds), outcome, alerts, faults)
        outcome.verified, outcome.report = verify(folder)
        epilogue = Epilogue(stage)
        epilogue.play()
        outcome.notes += epilogue.lines
        outcome.complaints += epilogue.complaints
        stage.fleet.stop()
    finally:
        stage.fleet.kill()
    outcome.complaints += [*stage.fleet.complaints, *read_logs(folder).complaints()]
    outcome.seconds = time.monotonic() - started
    if outcome.clean and not act.keep:
        shutil.rmtree(folder)
    return outcome


def _strike(stage: Stage, conductor: Conductor, outcome: Outcome, alerts: int, faults: int) -> None:
    """Have all faults strike while alerts and canaries come; wait until everything is decided."""
    canaries = Canaries(stage.run)
    workload = Workload(stage.run.seed, alerts, stage.run.partitions)
    stage.on_new_partition.append(workload.add_partition)
    feeder = Feeder(stage, workload, pace(conductor, alerts, faults), canaries)
    sampler = Sampler(stage, canaries)
    stage.fleet.start()
    feeder.start()
    sampler.start()
    conductor.conduct()
    if conductor.overtime:
        feeder.ended.set()
    if not attempt(lambda: not canaries.waiting, _RECOVERY_SECONDS):
        outcome.complaints.append(f"{canaries.waiting} canaries were not decided within {_RECOVERY_SECONDS} s")
    canaries.ended.set()
    feeder.join()
    if not stage.settle(_SETTLE_SECONDS):
        at = f"committed {committed_offsets(stage.run)}, ends {stage.ends()}"
        outcome.complaints.append(f"not settled within {_SETTLE_SECONDS} s: {at}")
    sampler.stop()
    outcome.alerts, outcome.faults = feeder.said, conductor.struck
    logs = read_logs(stage.folder)
    outcome.notes += [
        *lines(canaries.delays, conductor.strikes),
        *sampler.readiness.lines(),
        *logs.report(conductor.strikes, MOVING),
    ]
    outcome.complaints += [
        *conductor.errors,
        *feeder.failed[:5],
        *sampler.errors[:5],
        *sampler.readiness.complaints(),
    ]
