"""Names of data stores: no command changes one, because that takes more than a restart of its pods."""

import re
from collections.abc import Iterable, Iterator

from openclaw_stream.incidents.case import Exemplar

_STORES = (
    r"postgres(?:ql)?|pg|pgbouncer|mysql|mariadb|percona|galera|pxc|mongo|redis|valkey|kafka|redpanda|pulsar|zookeeper|etcd"
    r"|elastic(?:search)?|opensearch|solr|cassandra|scylla|rabbit(?:mq)?|activemq|nats|clickhouse|minio|ceph|rook|longhorn"
    r"|influx|timescale|memcached?|cockroach|couch(?:base)?|neo4j|dgraph|tikv|database|sql|mssql|sqlserver|oracle"
    r"|greenplum|yugabyte|hazelcast|ignite|aerospike|qdrant|milvus|weaviate|vault|consul|\w*db"
)
_APPLICATIONS = (
    r"consumers?|producers?|publishers?|subscribers?|prox(?:y|ies)|clients?|workers?|sync|syncer|backups?|operator|api|ui"
    r"|gateway|connect(?:or)?s?|adapter|bridge|admin|migrat\w*|dashboard|pools?|listener|reader|writer|loader|importer"
)
_WORD_BREAK = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")
_STORE = re.compile(rf"(?:{_STORES})\d*", re.IGNORECASE)
_APPLICATION = re.compile(_APPLICATIONS, re.IGNORECASE)
_EXPORTER = re.compile(r"[-_]exporter$")
_LABELS = (
    *("app", "app_kubernetes_io_name", "app_kubernetes_io_component", "component", "service", "image", "job"),
    *("helm_chart", "chart", "database", "engine"),
)


def is_data_store(name: str) -> bool:
    """Return whether a name is that of a data store: `orders-db`, `redis-master`, `mysql-orders`.

    `kafka-consumer` and `mysql-proxy` are applications.
    """
    words = _WORD_BREAK.split(name)
    return any(map(_STORE.fullmatch, words)) and not any(map(_APPLICATION.fullmatch, words))


def names_data_store(exemplars: Iterable[Exemplar]) -> bool:
    """Return whether alerts name a data store in their labels, images or alert names."""
    return any(is_data_store(name) for exemplar in exemplars for name in _names(exemplar))


def _names(exemplar: Exemplar) -> Iterator[str]:
    yield from (exemplar.name, exemplar.service)
    for key, value in exemplar.labels.items():
        if re.sub(r"[^a-z0-9]", "_", key.lower()) in _LABELS:
            yield _EXPORTER.sub("", value.rpartition("/")[2].partition(":")[0].partition("@")[0])
