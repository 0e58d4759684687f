#!/usr/bin/env bash
# The mirror connector of Kafka Connect stops for a minute where its topic of offset syncs is missing.
#
# MirrorSourceConnector creates the topic mm2-offset-syncs.TARGET.internal with three replicas by default. On a cluster with
# fewer brokers that fails, is logged, and the connector runs nevertheless. When the first copy is acknowledged, the task
# sends an offset sync, which is for the positions of consumers; copies do not need it. Where brokers create no topics by
# themselves (auto.create.topics.enable=false), that send waits for max.block.ms, 60 s, and all further copies wait too.
#
# Expected: copies do not wait for offset syncs, or the connector does not start. Seen: the second record is copied 60 s
# after it was written, the others at once. With emit.offset-syncs.enabled=false, or
# offset-syncs.topic.replication.factor=1, every record is copied at once, except for the first, which waits for the start.
# Run: Kafka Connect 4.3.1 (connect-runtime, connect-mirror), Apache Kafka 4.4.0. Needs python3 (3.11 or later) with venv.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
source "$(dirname "$0")/lib/kafka.sh"

connect_jars() {
  "$python" - "$work" "$1" <<'PYTHON'
import os
import sys
from pathlib import Path

from jgo.env import EnvironmentBuilder
from jgo.maven import MavenContext, PythonResolver

work, version = Path(sys.argv[1]), sys.argv[2]
builder = EnvironmentBuilder(MavenContext(resolver=PythonResolver(), repo_cache=work / "maven"), cache_dir=work / "connect")
names = [f"org.apache.kafka:{name}:{version}" for name in ("connect-runtime", "connect-mirror")]
print(os.pathsep.join(map(str, builder.from_endpoint("+".join([*names, "org.slf4j:slf4j-simple:1.7.36"])).all_jars)))
PYTHON
}

properties=auto.create.topics.enable=false
with_kafka confluent-kafka==2.16.1
classes=$(connect_jars "${1:-4.3.1}")
"$python" - "$bootstrap" "$work" "$java" "$classes" <<'PYTHON'
import json
import subprocess
import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP, WORK, JAVA, CLASSES = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
SERVERS = {"bootstrap.servers": BOOTSTRAP}
ADMIN = AdminClient(SERVERS)
RECORDS = 4


def connector(name: str, settings: dict[str, str]) -> dict[str, object]:
    """Return the configuration that copies the topic NAME to edge-NAME.NAME, in the same cluster."""
    return {
        "name": name,
        "config": {
            "connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector",
            "source.cluster.alias": f"edge-{name}",
            "target.cluster.alias": "central",
            "source.cluster.bootstrap.servers": BOOTSTRAP,
            "target.cluster.bootstrap.servers": BOOTSTRAP,
            "topics": name,
            "replication.factor": "1",
            "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
            "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
            **settings,
        },
    }


def worker(name: str) -> Path:
    properties = WORK / f"{name}.properties"
    converter = "org.apache.kafka.connect.storage.StringConverter"
    properties.write_text(
        f"bootstrap.servers={BOOTSTRAP}\nkey.converter={converter}\nvalue.converter={converter}\n"
        f"offset.storage.file.filename={WORK / name}.offsets\nlisteners=http://127.0.0.1:0\n"
    )
    return properties


def delays(name: str, settings: dict[str, str]) -> list[float]:
    """Return how many seconds after it was written each record's copy was read; one is written when the last was read."""
    ADMIN.create_topics([NewTopic(name, 1, 1)])[name].result(30)
    configuration = WORK / f"{name}.json"
    configuration.write_text(json.dumps(connector(name, settings)))
    producer = Producer(SERVERS)
    fresh = {"auto.offset.reset": "earliest", "topic.metadata.refresh.interval.ms": 500}
    consumer = Consumer(SERVERS | fresh | {"group.id": name})
    consumer.subscribe([f"^edge-{name}.{name}"])
    command = [JAVA, "-Xmx256m", "-cp", CLASSES, "org.apache.kafka.connect.cli.ConnectStandalone"]
    found: list[float] = []
    with (WORK / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([*command, worker(name), configuration], stdout=log, stderr=log)
        while len(found) < RECORDS and process.poll() is None:
            producer.produce(name, str(len(found)).encode())
            producer.flush(30)
            found.append(wait_for_copy(consumer))
        process.kill()
        process.wait()
    consumer.close()
    return found


def wait_for_copy(consumer: Consumer) -> float:
    began = time.monotonic()
    while time.monotonic() < began + 150:
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            return time.monotonic() - began
    sys.exit("no copy within 150 s")


found = {
    "default": delays("default", {}),
    "without": delays("without", {"emit.offset-syncs.enabled": "false"}),
    "one-replica": delays("one-replica", {"offset-syncs.topic.replication.factor": "1"}),
}
for name, times in found.items():
    print(f"{name}: seconds until the copy of each record: {', '.join(f'{each:.1f}' for each in times)}")
errors = [line for line in (WORK / "default.log").read_text().splitlines() if "offset-syncs" in line and "ERROR" in line]
print("logged:", *errors[:2], sep="\n  ")
if max(found["default"][1:]) < 50 or max(found["without"][1:] + found["one-replica"][1:]) > 30:
    sys.exit("changed")
print("as reported: copies wait for the topic of offset syncs")
PYTHON
