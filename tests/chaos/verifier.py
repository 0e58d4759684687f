"""The verifier: a separate program that checks what a run has published, and imports nothing of the program under test.

    python -m tests.chaos.verifier FOLDER

FOLDER is the journal of a run (see `journal`); the brokers must still run. It prints what was lost, duplicated,
out of order or invalid, and exits with 1 on any.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.checks import INVALID, KINDS, LOST, Finding, counted, examine
from tests.chaos.journal import NUMBER, JournalEntry, Run, digest, read_journal
from tests.chaos.offsets import committed_offsets
from tests.chaos.outputs import Collector, Outputs, headers_of, read
from tests.chaos.truth import Logged, Truth, compute_truth

_SHOWN = 12
_COMMIT_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a verification."""

    truth: Truth
    outputs: Outputs
    sums: tuple[int, int]
    findings: list[Finding]
    compacted: bool

    @property
    def clean(self) -> bool:
        """Whether there is no finding."""
        return not self.findings

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        truth, outputs = self.truth, self.outputs
        yield (
            f"alerts {truth.alerts:,} (no-ops {truth.no_ops:,}), incidents {len(truth.incidents):,}, poison "
            f"{len(truth.dead):,}; visible: decisions {len(outputs.decisions):,}, tuning {len(outputs.tuning):,}, "
            f"states {len(outputs.states):,}, dead letters {len(outputs.dead):,}"
        )
        deciders = Counter(event.decider for event in outputs.decisions if not event.resolution)
        yield "decided by " + ", ".join(f"{name} {n:,}" for name, n in deciders.most_common())
        yield "held back, of aborted transactions: " + ", ".join(f"{k} {n:,}" for k, n in outputs.held_back.items())
        if not self.compacted:
            before = self.sums[1] - self.sums[0]
            lacking = f"; {before:,} were published before a reset" if before and self.clean else ""
            yield f"the last states count {self.sums[0]:,} of {self.sums[1]:,} alerts{lacking}"
        counts = Counter(finding.kind for finding in self.findings)
        yield ", ".join(f"{kind} {counts[kind]}" for kind in KINDS)
        for kind in KINDS:
            shown = [finding.what for finding in self.findings if finding.kind == kind]
            yield from (f"  {kind}: {what}" for what in shown[:_SHOWN])
            if len(shown) > _SHOWN:
                yield f"  {kind}: and {len(shown) - _SHOWN} more"


def verify(folder: Path) -> Report:
    """Read a run's topics and check them."""
    run = Run.load(folder)
    log, findings = read_log(run, {each.number: each for each in read_journal(folder)})
    truth = compute_truth(log, run.hold)
    outputs = Collector(run).collect()
    findings += _check_committed(run)
    findings += examine(run, truth, outputs)
    return Report(truth, outputs, counted(run, truth, outputs), findings, run.compacted)


def read_log(run: Run, records: dict[int, JournalEntry]) -> tuple[list[Logged], list[Finding]]:
    """Return the alerts topic with what its records mean, and the records that Kafka itself has lost."""
    log: list[Logged] = []
    seen: Counter[int] = Counter()
    findings: list[Finding] = []
    for message in read(run.bootstrap, run.topics["alerts"])[0]:
        headers = headers_of(message)
        number = int(dict(headers)[NUMBER])
        record, value, key = records[number], message.value(), message.key()
        value = value.encode() if isinstance(value, str) else value
        seen[number] += 1
        if digest(value) != record.digest:
            findings.append(Finding(INVALID, f"record {number} has other bytes in the log"))
        log.append(
            Logged(
                message.partition() or 0,
                message.offset() or 0,
                message.timestamp()[1],
                key.encode() if isinstance(key, str) else key,
                value,
                headers,
                record.alerts,
                record.dead,
            )
        )
    findings += [Finding(LOST, f"record {number} is not in the log") for number in records.keys() - seen.keys()]
    return log, findings


def _check_committed(run: Run) -> Iterator[Finding]:
    """Compare the group's offsets with the ends of the log; repeated for a while, as they may lag a little."""
    _, ends = read(run.bootstrap, run.topics["alerts"], committed=False)
    deadline = time.monotonic() + _COMMIT_SECONDS
    while (offsets := committed_offsets(run)) != ends and time.monotonic() < deadline:
        time.sleep(0.5)
    for partition, end in ends.items():
        if offsets.get(partition) != end:
            yield Finding(LOST, f"partition {partition}: committed {offsets.get(partition)}, and the log ends at {end}")


def main(folder: Path) -> int:
    """Verify a run's folder; returns the exit code."""
    try:
        report = verify(folder)
    except (OSError, KeyError, json.JSONDecodeError) as error:
        sys.stderr.write(f"{folder} cannot be verified: {error!r}\n")
        return 2
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
