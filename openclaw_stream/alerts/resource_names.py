"""Names: made safe to keep and to publish; and those that Kubernetes generates for the pods and jobs of a workload."""

import re
from functools import lru_cache
from hashlib import blake2b

from openclaw_stream.text import Hidden, safe_text

NAME_MAX = 200
# Most names; no token of any vendor is made of words as short as these, so there is nothing to redact or to encode.
PLAIN = re.compile(r"[a-z0-9]{1,15}(?:[-.][a-z0-9]{1,15})*")

# A pod of a replica set, cron job, daemon set or job: Kubernetes draws hashes from letters that spell no words.
_HASH_LETTERS = frozenset("bcdfghjklmnpqrstvwxz2456789")
_HASH_LENGTHS, _TIME_LENGTHS = range(7, 11), range(8, 11)
_HASH_LENGTH = 5
_ORDINAL = re.compile(r"(?<=[a-z0-9])-(?:\d{1,4}|\d{8,10})$")
_JOB_TIME = re.compile(r"(?<=[a-z0-9])-\d{8,10}$")
# Template hashes of Kubernetes before 1.8 were decimal; those that people write in examples are hexadecimal.
_OTHER_HASHES = re.compile(r"(?<=[a-z0-9])-(?=[a-z]*\d)(?=\d*[a-z])[0-9a-f]{8,10}-(?=[a-z]*\d)[a-z0-9]{5}$")
_TEMPLATE_HASH = re.compile(rf"(?<=[a-z0-9])-(?:(?=[a-z]*\d)[{''.join(sorted(_HASH_LETTERS))}]{{8,10}}|\d{{8,10}})$")
# A stateful set names its claims TEMPLATE-SET-ORDINAL; these are the usual names of templates.
_CLAIM = re.compile(
    r"^(?:(?:(?:redis|valkey|mysql|mariadb|postgres|postgresql|mongo|mongodb|kafka|zookeeper|rabbitmq|elasticsearch|"
    r"opensearch|cassandra|etcd|pg)-?)?(?:data|datadir|datastore|data-volume|storage|volume|db|www|logs?|export|"
    r"persistence|persistent-storage|cache)(?:-\d+)?)-(.+)-\d+$"
)
# The Prometheus operator's templates are PROGRAM-NAME-db, its sets PROGRAM-NAME.
_OPERATOR_CLAIM = re.compile(r"^(?P<set>(?:prometheus|alertmanager|thanos-ruler)-.+)-db-(?P=set)-\d+$")


_NO_NAMES = frozenset(("pod", "pods", "container", "replica", "instance", "pod-name", "kubernetes-pod-name"))

# A copy takes a third of the time of a new hasher.
HASHER = blake2b(digest_size=8)


def workload_of_pod(pod: str) -> str:
    """Return the name of the workload that a pod's name was generated from: without hashes or ordinal.

    `checkout-7d9f8b6c5-x2x4z`, `checkout-x2x4z` and `checkout-0` are pods of `checkout`; any other name is its own, and
    so is `pod-1`: nothing is called just `pod`.
    """
    name = _ORDINAL.sub("", pod) if _ORDINAL.search(pod) else without_hash(pod)
    return pod if name in _NO_NAMES else name


def job_without_time(job: str) -> str:
    """Return the name of the cron job that a job's name was generated from: without its scheduled time."""
    return _JOB_TIME.sub("", job)


def workload_of_replica_set(name: str) -> str:
    """Return the name of the deployment that a replica set's name was generated from."""
    return _TEMPLATE_HASH.sub("", name)


def workload_of_claim(claim: str) -> str:
    """Return the name of the stateful set that a claim's name was generated from; any other name is its own."""
    if operated := _OPERATOR_CLAIM.match(claim):
        return operated["set"]
    return _CLAIM.sub(r"\1", claim)


def without_hash(name: str) -> str:
    """Return a pod's name without the hashes that every roll-out changes; a pattern takes three times as long."""
    head, _, suffix = name.rpartition("-")
    if len(suffix) != _HASH_LENGTH or not _ends_a_word(head):
        return name
    if not _HASH_LETTERS.issuperset(suffix):
        return _OTHER_HASHES.sub("", name)
    front, _, middle = head.rpartition("-")
    hashed = len(middle) in _HASH_LENGTHS and _HASH_LETTERS.issuperset(middle)
    timed = len(middle) in _TIME_LENGTHS and middle.isascii() and middle.isdigit()
    if (hashed or timed) and _ends_a_word(front):
        return front
    other = _OTHER_HASHES.sub("", name)
    return head if other == name else other


def _ends_a_word(text: str) -> bool:
    last = text[-1:]
    return last.isascii() and (last.islower() or last.isdigit())


def member_of(fingerprint: str) -> int:
    """Return a fingerprint as an unsigned 64-bit hash, equal in every process."""
    return _cached_hash(fingerprint) if len(fingerprint) <= NAME_MAX else hash_of(fingerprint)


def name_of(value: str) -> str:
    """Return a name fit to be kept and published: at most 200 characters, without secrets.

    Where that takes something away a hash of the whole is added, so that different names stay different.
    """
    return _cached_name(value) if len(value) <= NAME_MAX else _name(value)


def hash_of(text: str) -> int:
    """Return a text as an unsigned 64-bit hash, equal in every process."""
    hasher = HASHER.copy()
    hasher.update(text.encode())
    return int.from_bytes(hasher.digest(), "big")


def _name(value: str) -> str:
    if len(value) <= NAME_MAX and PLAIN.fullmatch(value):
        return value
    # Hidden characters stay, so that names that only look alike stay different.
    shown = safe_text(value, 2 * NAME_MAX, hidden=Hidden.KEEP)
    if shown == value and len(value) <= NAME_MAX:
        return value
    return f"{shown[: NAME_MAX - 17]}~{hash_of(value):016x}"


# The names of a system are few, and its alerts repeat; what is longer than a name is not kept.
_cached_hash = lru_cache(maxsize=16384)(hash_of)
_cached_name = lru_cache(maxsize=16384)(_name)
