"""Names of data stores: no command changes one, because that takes more than a restart of its pods."""

import re

_STORES = (
    r"postgres(?:ql)?|pg|mysql|mariadb|percona|galera|pxc|mongo(?:db)?|redis|valkey|kafka|zookeeper|etcd|elasticsearch"
    r"|opensearch|cassandra|scylla|rabbitmq|nats|clickhouse|minio|influxdb|memcached|cockroach(?:db)?|couchdb|neo4j|tikv"
    r"|tidb|db|database|sql"
)
_PARTS = (
    r"master|primary|replicas?|secondary|slaves?|leader|nodes?|server|cluster|brokers?|data|ha|cache|main|shard|v?\d+"
)
_DATA_STORE = re.compile(rf"(?:^|[-_.])(?:{_STORES})(?:[-_.](?:{_PARTS}))*$", re.IGNORECASE)


def is_data_store(name: str) -> bool:
    """Return whether a workload is a data store by its name: `orders-db`, `redis-master`, `kafka-broker-0`.

    `kafka-consumer` and `mysql-proxy` are applications.
    """
    return _DATA_STORE.search(name) is not None
