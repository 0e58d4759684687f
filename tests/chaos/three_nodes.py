"""The three-node scenario: faults of nodes, rights, group and topics; canaries and readiness are sampled throughout.

The workers run with the default session and transaction timeouts and with exactly the listed rights. After the scenario
is verified, two topics are replaced under its workers, see `replaced_topics`.
"""

import shutil
import time
from pathlib import Path

from tests.chaos.campaign import FaultInjector, Outcome, Scenario, pace, verify
from tests.chaos.canaries import Canaries
from tests.chaos.cluster_faults import AddedPartitions, ForeignMember
from tests.chaos.faults import FrozenWorker, KilledWorker, Scaling, TerminatedWorker, TwiceTerminatedWorker
from tests.chaos.feeder import Feeder
from tests.chaos.logcheck import read_logs
from tests.chaos.offsets import committed_offsets
from tests.chaos.replaced_topics import ReplacedTopics
from tests.chaos.rights import Rights
from tests.chaos.sampler import Sampler
from tests.chaos.silences import lines
from tests.chaos.testbed import Servers, Testbed, retry_until
from tests.chaos.workload import Workload

DEFAULT_TIMEOUTS = {"KAFKA_SESSION_TIMEOUT": "", "KAFKA_TRANSACTION_TIMEOUT": ""}
REBALANCING = (
    AddedPartitions.name,
    ForeignMember.name,
    FrozenWorker.name,
    KilledWorker.name,
    Scaling.name,
    TerminatedWorker.name,
    TwiceTerminatedWorker.name,
)
"""The faults that cause a rebalance; any other assignment is unexpected, or the first."""

_WORKERS = 2
_RECOVERY_SECONDS = 60
_SETTLE_SECONDS = 240


def run_scenario(  # noqa: PLR0917 - the sizes of a scenario
    servers: Servers, scenario: Scenario, folder: Path, seed: int, alerts: int, faults: int, seconds: float
) -> Outcome:
    """Run the scenario and verify it; its folder is removed if nothing was wrong, unless it is to be kept."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    testbed = Testbed(servers, folder, seed, settings=DEFAULT_TIMEOUTS)
    testbed.fleet.wanted = _WORKERS
    testbed.create()
    servers.cluster.await_in_sync()
    Rights(testbed.run).grant_all()
    testbed.run.save(folder)
    outcome = Outcome(scenario.name)
    try:
        _inject(testbed, FaultInjector(testbed, scenario, seed, faults, started + seconds), outcome, alerts, faults)
        outcome.verified, outcome.report = verify(folder)
        replaced = ReplacedTopics(testbed)
        replaced.run()
        outcome.notes += replaced.lines
        outcome.problems += replaced.problems
        testbed.fleet.stop()
    finally:
        testbed.fleet.kill()
    outcome.problems += [*testbed.fleet.problems, *read_logs(folder).problems()]
    outcome.seconds = time.monotonic() - started
    if outcome.clean and not scenario.keep:
        shutil.rmtree(folder)
    return outcome


def _inject(testbed: Testbed, injector: FaultInjector, outcome: Outcome, alerts: int, faults: int) -> None:
    """Inject all faults while alerts and canaries are produced; wait until everything is decided."""
    canaries = Canaries(testbed.run)
    workload = Workload(testbed.run.seed, alerts, testbed.run.partitions)
    testbed.on_new_partition.append(workload.add_partition)
    feeder = Feeder(testbed, workload, pace(injector, alerts, faults), canaries)
    sampler = Sampler(testbed, canaries)
    testbed.fleet.start()
    feeder.start()
    sampler.start()
    injector.run()
    if injector.overtime:
        feeder.ended.set()
    if not retry_until(lambda: not canaries.waiting, _RECOVERY_SECONDS):
        outcome.problems.append(f"{canaries.waiting} canaries were not decided within {_RECOVERY_SECONDS} s")
    canaries.ended.set()
    feeder.join()
    if not testbed.settle(_SETTLE_SECONDS):
        at = f"committed {committed_offsets(testbed.run)}, ends {testbed.ends()}"
        outcome.problems.append(f"not settled within {_SETTLE_SECONDS} s: {at}")
    sampler.stop()
    outcome.alerts, outcome.faults = feeder.produced, injector.injected
    logs = read_logs(testbed.folder)
    outcome.notes += [
        *lines(canaries.delays, injector.injections),
        *sampler.readiness.lines(),
        *logs.report(injector.injections, REBALANCING),
    ]
    outcome.problems += [
        *injector.errors,
        *feeder.failed[:5],
        *sampler.errors[:5],
        *sampler.readiness.problems(),
    ]
