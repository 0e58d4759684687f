"""Commands: the corpus, and Hypothesis strategies for commands of the grammar and mutations of them."""

import json
from pathlib import Path

from hypothesis import strategies as st

_CORPUS = Path(__file__).parent / "corpus"


def _load(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (_CORPUS / name).read_text("utf-8").splitlines()]


VALID = _load("valid.jsonl")
HOSTILE = _load("hostile.jsonl")
_EDGE = "abcxyz0189"
_COUNT = st.integers(1, 100)
_PATCH_TYPES = st.sampled_from(["", "--type=merge ", "--type strategic "])


def labels() -> st.SearchStrategy[str]:
    """Return names of namespaces and containers."""
    middle = st.text(alphabet=_EDGE + "-", max_size=12)
    return st.builds(lambda a, b, c: a + b + c, st.sampled_from(_EDGE), middle, st.sampled_from(_EDGE))


def _kinds(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


def _targets(*kinds: str) -> st.SearchStrategy[str]:
    return st.builds(lambda kind, gap, name: kind + gap + name, _kinds(*kinds), st.sampled_from(["/", " "]), labels())


_SCALABLE = ("deployment", "deploy", "deployments.apps", "deployment.v1.apps", "statefulset", "sts")
_WORKLOADS = (*_SCALABLE, "daemonset", "ds")
_AMOUNTS = st.sampled_from(
    ["cpu=500m", "cpu=2", "memory=512Mi", "memory=1.5Gi", "cpu=250m,memory=256Mi", "memory=1G,cpu=1"]
)


def _patches() -> st.SearchStrategy[str]:
    replicas = st.builds(lambda n: {"spec": {"replicas": n}}, _COUNT)
    return st.builds(
        lambda target, patch_type, patch, quote: f"patch {target} {patch_type}{quote}'{json.dumps(patch)}'",
        _targets(*_SCALABLE),
        _PATCH_TYPES,
        replicas,
        st.sampled_from(["-p ", "-p=", "--patch=", "--patch "]),
    )


def _bounds() -> st.SearchStrategy[str]:
    return st.builds(
        lambda target, low, more: (
            f"patch {target} -p '{json.dumps({'spec': {'minReplicas': low, 'maxReplicas': low + more}})}'"
        ),
        _targets("hpa", "horizontalpodautoscaler"),
        st.integers(1, 50),
        st.integers(0, 50),
    )


def valid_commands() -> st.SearchStrategy[str]:
    """Return commands of the grammar in many spellings."""
    bodies = st.one_of(
        st.builds(lambda t, n, gap: f"scale {t} --replicas{gap}{n}", _targets(*_SCALABLE), _COUNT, _kinds("=", " ")),
        st.builds(
            lambda t, n, now: f"scale {t} --current-replicas={now} --replicas={n}",
            _targets(*_SCALABLE),
            _COUNT,
            st.integers(0, 1000),
        ),
        st.builds(
            lambda t, low, more, cpu: f"autoscale {t} --max={low + more} --min {low} {cpu}",
            _targets(*_SCALABLE),
            st.integers(1, 50),
            st.integers(0, 50),
            st.builds(lambda form, n: form.format(n), _kinds("--cpu={}%", "--cpu '{}%'", "--cpu-percent={}"), _COUNT),
        ),
        st.builds(lambda t, c, a: f"set resources {t} -c={c} --limits={a}", _targets(*_WORKLOADS), labels(), _AMOUNTS),
        st.builds(lambda t, a: f"set resources {t} --requests {a}", _targets(*_WORKLOADS), _AMOUNTS),
        st.builds(lambda t: f"rollout restart {t}", _targets(*_WORKLOADS)),
        st.builds(lambda t, n: f"rollout undo {t} --to-revision={n}", _targets(*_WORKLOADS), st.integers(0, 1_000_000)),
        st.builds(lambda t: f"delete {t}", _targets("pod", "po", "pods")),
        _patches(),
        _bounds(),
    )
    forms = st.sampled_from(
        [
            *("kubectl {0} -n {1}", "kubectl -n {1} {0}", "kubectl {0} --namespace={1}", "kubectl {0}"),
            *("kubectl {0} -n{1}", "kubectl {0} -n '{1}'", 'kubectl --namespace="{1}" {0}'),
            *("$ kubectl {0} -n {1}", "`kubectl {0} -n {1}`"),
        ]
    )
    return st.builds(lambda form, body, ns: form.replace("{0}", body).replace("{1}", ns), forms, bodies, labels())


_VALID = valid_commands()
_FRAGMENTS = [
    *";&|<>$`()#*?[]{}~!\\'\"=+-,./:@%\n\r\t\0\x1b\x7f ",
    *"\u00a0\u200b\u202e\u2028\u3000\uff0d\uff1d\u0663\u0441\ufeff",
    " --all",
    " --force",
    " -A",
    " -l app=x",
    " -n kube-system",
    " --namespace=other",
    " --replicas=0",
    " pod/other",
    " && reboot",
    "; kubectl delete ns shop",
    "$(id)",
    "`id`",
    "kubectl ",
    "sudo ",
    " --",
    "+2",
    "999",
    "0x",
    ",other",
    "/../",
    '"image":"evil",',
    '"replicas":0,',
    "' --force '",
    "'\"'\"'",
]


@st.composite
def mutations(draw: st.DrawFn, of: st.SearchStrategy[str] = _VALID) -> str:
    """Return commands with a few changes: fragments inserted, pieces removed, repeated or reversed."""
    text = draw(of)
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        piece, end = text[start:end][:12], min(end, start + 12)
        new = draw(st.sampled_from([*_FRAGMENTS, *["", piece * 2, piece[::-1]] * 8]))
        text = text[:start] + new + text[end if draw(st.booleans()) else start :]
    return text
