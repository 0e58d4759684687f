"""The JSON of a patch: what it may change, and messages that quote it safely."""

import json
from typing import Any

import pytest

from openclaw_stream.arbitration.kubectl import parse
from openclaw_stream.arbitration.kubectl.command import Kind, RefusedCommand
from openclaw_stream.arbitration.kubectl.patches import PATCH_TYPES, check_patch, patch_json, patch_type

LIMITS = {"limits": {"cpu": "2"}}
CONTAINER = "/spec/template/spec/containers/0/resources"


def containers(*each: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(each)}}}}


def replace(path: Any, value: Any, op: str = "replace") -> dict[str, Any]:
    return {"op": op, "path": path, "value": value}


def refusal(kind: Kind, of_type: str, patch: Any) -> str:
    with pytest.raises(RefusedCommand) as refused:
        check_patch(kind, of_type, json.dumps(patch))
    return str(refused.value)


@pytest.mark.parametrize("of_type", PATCH_TYPES)
def test_a_patch_type_of_the_api_passes(of_type: str) -> None:
    assert patch_type("--type", of_type) == of_type


@pytest.mark.parametrize("of_type", ["", "JSON", "apply", "strategic "])
def test_any_other_patch_type_is_refused(of_type: str) -> None:
    with pytest.raises(RefusedCommand, match=r"^--type must be one of strategic, merge, json$"):
        patch_type("--type", of_type)


def test_json_is_rendered_without_blanks_and_in_ascii() -> None:
    assert patch_json("--patch", ' { "spec" : {"replicas": 2} } ') == '{"spec":{"replicas":2}}'
    assert patch_json("--patch", '["\u200b"]') == '["\\u200b"]'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "--patch is not valid JSON"),
        ("{'spec':1}", "--patch is not valid JSON"),
        ('{"spec":1}{}', "--patch is not valid JSON"),
        ("[" * 100_000, "--patch is not valid JSON"),
        ("9" * 5000, "--patch is not valid JSON"),
        ('{"a":{"b":1,"b":2}}', "the patch repeats a key"),
        ('{"a":NaN}', "the patch contains NaN, which is not valid JSON"),
        ("[-Infinity]", "the patch contains -Infinity, which is not valid JSON"),
    ],
)
def test_invalid_json_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RefusedCommand) as refused:
        patch_json("--patch", text)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("kind", "of_type", "patch"),
    [
        (Kind.DEPLOYMENT, "strategic", {"spec": {"replicas": 1}}),
        (Kind.STATEFULSET, "merge", {"spec": {"replicas": 100}}),
        (Kind.DAEMONSET, "strategic", containers({"name": "a", "resources": {"requests": {"memory": 4194304}}})),
        (Kind.HPA, "merge", {"spec": {"minReplicas": 4, "maxReplicas": 4}}),
        (Kind.HPA, "merge", {"spec": {"minReplicas": 100}}),
        (Kind.HPA, "strategic", {"spec": {"maxReplicas": 1}}),
        (Kind.HPA, "json", [replace("/spec/minReplicas", 2), replace("/spec/maxReplicas", 9, "add")]),
        (Kind.DEPLOYMENT, "json", [replace("/spec/replicas", 3)]),
        (Kind.DAEMONSET, "json", [replace(f"{CONTAINER}/limits/cpu", 1), replace(f"{CONTAINER}/limits/memory", "1Gi")]),
        (Kind.DEPLOYMENT, "json", [replace(CONTAINER, {**LIMITS, "requests": {"cpu": "1"}})]),
    ],
)
def test_replicas_resources_and_bounds_may_change(kind: Kind, of_type: str, patch: Any) -> None:
    canonical = patch_json("--patch", json.dumps(patch))
    check_patch(kind, of_type, canonical)
    rendered = parse(f"kubectl patch {kind}/a --type={of_type} -p '{canonical}'").render()
    assert rendered == f"kubectl patch {kind}/a --type={of_type} --patch='{canonical}'"


@pytest.mark.parametrize(
    ("kind", "patch", "reason"),
    [
        (Kind.DEPLOYMENT, [], "another value where an object is required"),
        (Kind.DEPLOYMENT, {}, "a patch may change spec here, not an empty object"),
        (Kind.DEPLOYMENT, {"spec": {"replicas": 2}, "metadata": {}}, "a patch may change spec here, not 'metadata'"),
        (Kind.DEPLOYMENT, {"spec": {"replicas": 2, "paused": True}}, "template here, not 'paused', 'replicas'"),
        (Kind.DEPLOYMENT, {"spec": {"replicas": True}}, "replicas must be a whole number"),
        (Kind.DEPLOYMENT, {"spec": {"replicas": "2"}}, "replicas must be a whole number"),
        (Kind.DEPLOYMENT, {"spec": {"replicas": 0}}, "replicas must be a plain whole number from 1 to 100, not '0'"),
        (Kind.DAEMONSET, {"spec": {"replicas": 2}}, "a daemonset has no replicas"),
        (Kind.DEPLOYMENT, containers(), "the patch has no containers"),
        (Kind.DEPLOYMENT, containers({"name": "a"}), "only a name and resources"),
        (Kind.DEPLOYMENT, containers({"name": 1, "resources": LIMITS}), "only a name and resources"),
        (Kind.DEPLOYMENT, containers({"name": "a'b", "resources": LIMITS}), "is not a Kubernetes name"),
        (Kind.DEPLOYMENT, containers({"name": "a", "resources": {"limits": {}}}), "the patch has no limits"),
        (Kind.DEPLOYMENT, containers({"name": "a", "resources": {"claims": []}}), "limits or requests here"),
        (Kind.DEPLOYMENT, containers({"name": "a", "resources": {"limits": {"cpu": 1.5}}}), "is not a quantity"),
        (Kind.DEPLOYMENT, containers({"name": "a", "resources": {"limits": {"cpu": True}}}), "is not a quantity"),
        (
            Kind.DEPLOYMENT,
            containers({"name": "a", "resources": {**LIMITS, "requests": {"cpu": "3"}}}),
            "the cpu request 3 is above its limit 2",
        ),
        (Kind.HPA, {"spec": {"minReplicas": 5, "maxReplicas": 4}}, "minReplicas is above maxReplicas"),
        (Kind.HPA, {"spec": {"replicas": 4}}, "a patch may change minReplicas or maxReplicas here, not 'replicas'"),
        (Kind.HPA, {"spec": {"maxReplicas": 101}}, "maxReplicas must be a plain whole number from 1 to 100"),
    ],
)
def test_a_strategic_patch_of_anything_else_is_refused(kind: Kind, patch: Any, reason: str) -> None:
    assert reason in refusal(kind, "strategic", patch)


def test_a_merge_patch_may_not_replace_the_containers() -> None:
    patch = containers({"name": "a", "resources": LIMITS})
    check_patch(Kind.DEPLOYMENT, "strategic", json.dumps(patch))
    assert "use --type=strategic" in refusal(Kind.DEPLOYMENT, "merge", patch)


@pytest.mark.parametrize(
    ("kind", "operations", "reason"),
    [
        (Kind.DEPLOYMENT, {"spec": {"replicas": 2}}, "must be a list of operations"),
        (Kind.DEPLOYMENT, [], "must be a list of operations"),
        (Kind.DEPLOYMENT, ["x"], "another value where an object is required"),
        (Kind.DEPLOYMENT, [replace("/spec/replicas", 2, "remove")], "must be a replace or an add"),
        (Kind.DEPLOYMENT, [{**replace("/spec/replicas", 2), "from": "/a"}], "must be a replace or an add"),
        (Kind.DEPLOYMENT, [replace(7, 2)], "the path of an operation must be a string"),
        (Kind.DEPLOYMENT, [replace("/spec/paused", 1)], "a patch may not change '/spec/paused'"),
        (Kind.DEPLOYMENT, [replace("/spec/template/spec/containers/00/resources", LIMITS)], "may not change"),
        (Kind.DEPLOYMENT, [replace(f"{CONTAINER}\n", LIMITS)], "may not change"),
        (Kind.DEPLOYMENT, [replace(f"{CONTAINER}/limits/gpu", 1)], "'gpu' is not one of"),
        (Kind.DEPLOYMENT, [replace("/spec/replicas", 2)] * 2, "the patch changes '/spec/replicas' twice"),
        (
            Kind.DEPLOYMENT,
            [replace("/spec/replicas", 2), replace(CONTAINER, LIMITS)],
            "a patch may change replicas or resources, not both",
        ),
        (Kind.DAEMONSET, [replace("/spec/replicas", 2)], "a daemonset has no replicas"),
        (Kind.HPA, [replace("/spec/minReplicas", 5), replace("/spec/maxReplicas", 4)], "above maxReplicas"),
        (Kind.HPA, [replace("/spec/metrics", 5)], "a patch may not change '/spec/metrics' of an HPA"),
        (Kind.HPA, [replace("maxReplicas", 5)], "a patch may not change 'maxReplicas' of an HPA"),
    ],
)
def test_an_operation_on_anything_else_is_refused(kind: Kind, operations: Any, reason: str) -> None:
    assert reason in refusal(kind, "json", operations)


@pytest.mark.parametrize("hidden", [r"\u202e", r"\u0000", r"\ud800", r"\n"])
@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        ("deploy", """-p '{"%s":1}'"""),
        ("deploy", """-p '{"spec":{"template":{"%s":1}}}'"""),
        ("deploy", """-p '{"spec":{"template":{"spec":{"containers":[{"name":"%s","resources":{}}]}}}}'"""),
        ("deploy", """--type=json -p '[{"op":"add","path":"/%s","value":1}]'"""),
        ("deploy", f"""--type=json -p '[{{"op":"add","path":"{CONTAINER}","value":{{"limits":{{"%s":1}}}}}}]'"""),
        ("deploy", f"""--type=json -p '[{{"op":"add","path":"{CONTAINER}","value":{{"limits":{{"%s":[]}}}}}}]'"""),
        ("deploy", f"""--type=json -p '[{{"op":"add","path":"{CONTAINER}/limits/cpu","value":"1%s"}}]'"""),
        ("hpa", """--type=json -p '[{"op":"add","path":"/%s","value":1}]'"""),
    ],
)
def test_characters_hidden_by_json_escapes_do_not_reach_the_message(kind: str, flags: str, hidden: str) -> None:
    """A lone surrogate in a published reason would make its event impossible to encode."""
    with pytest.raises(RefusedCommand) as refused:
        parse(f"kubectl patch {kind}/a {flags % hidden}")
    assert str(refused.value).isprintable()
    assert str(refused.value).encode()


@pytest.mark.parametrize(
    ("kind", "of_type", "patch"),
    [
        (Kind.DEPLOYMENT, "strategic", {f"{number}{'k' * 999}": 1 for number in range(9)}),
        (Kind.DEPLOYMENT, "strategic", containers({"name": "a", "resources": {"limits": {"k" * 999: 1}}})),
        (Kind.DEPLOYMENT, "strategic", containers({"name": "a", "resources": {"limits": {"cpu": "1" * 999}}})),
        (Kind.DEPLOYMENT, "json", [replace("/" + "p" * 999, 1)]),
        (Kind.HPA, "json", [replace("/" + "p" * 999, 1)]),
    ],
)
def test_messages_are_short(kind: Kind, of_type: str, patch: Any) -> None:
    assert len(refusal(kind, of_type, patch)) < 250
