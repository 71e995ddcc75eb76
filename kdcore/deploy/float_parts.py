"""Parts of an ONNX graph that 8 bits may not suit, found by where they stand in it.

Swish, x · sigmoid(x), is where INT8 loses time: ONNX Runtime computes it as one operator in float,
but quantised as two with conversions around each, and so an EfficientNet-B0 in INT8 is slower than
in float. Joined before quantisation it stays one, and a depthwise convolution between two of them
is left in float, since its little work does not pay for converting there and back.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx

_WEIGHTED = ("Conv", "Gemm", "MatMul")
_POOLS = ("GlobalAveragePool", "ReduceMean", "ReduceMax", "GlobalMaxPool")
_SWISH, _SWISH_DOMAIN = "QuickGelu", "com.microsoft"  # x · sigmoid(alpha x); ONNX Runtime's own
_GATE_SIZE = 12  # nodes between a pooling and the sigmoid of a gate; no branch of a network is so


def sensitive_parts(model: onnx.ModelProto) -> Mapping[str, tuple[str, ...]]:
    """Return names of nodes by part: "first convolution" and "classifier", where there are such.

    The first sees the picture itself, where a step of 1/255 counts; the last has no layer after it
    that averages its rounding out. Both hold little of the network's work.
    """
    convolutions = [n.name for n in model.graph.node if n.op_type == "Conv"]
    heads = [n.name for n in model.graph.node if n.op_type in ("Gemm", "MatMul")]
    found = {"first convolution": convolutions[:1], "classifier": heads[-1:]}
    return {part: tuple(names) for part, names in found.items() if names}


def gates(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the weighted nodes of squeeze-and-excitation gates: from a pooling to a sigmoid.

    They work on one number a channel, so 8 bits save no time there, and their product scales
    whole channels.
    """
    makers = {output: node for node in model.graph.node for output in node.output}
    found: dict[str, None] = {}
    for node in model.graph.node:
        if node.op_type in ("Sigmoid", "HardSigmoid"):
            between = _back_to_pools(node, makers)
            found |= dict.fromkeys(n.name for n in between if n.op_type in _WEIGHTED)
    return tuple(found)


def join_swish(model: onnx.ModelProto) -> int:
    """Make one node of each x · sigmoid(x) in `model`, in place; returns how many there were.

    The operator is ONNX Runtime's own, as its optimiser would choose it; other runtimes lack it.
    """
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    joined = []
    for node in model.graph.node:
        after = users.get(node.output[0], []) if node.op_type == "Sigmoid" else []
        if len(after) == 1 and after[0].op_type == "Mul" and node.input[0] in after[0].input:
            swish = after[0]
            swish.op_type, swish.domain = _SWISH, _SWISH_DOMAIN
            del swish.input[:]
            swish.input.append(node.input[0])
            swish.attribute.append(onnx.helper.make_attribute("alpha", 1.0))
            joined.append(node)
    for node in joined:
        model.graph.node.remove(node)
    if joined and _SWISH_DOMAIN not in {o.domain for o in model.opset_import}:
        model.opset_import.append(onnx.helper.make_opsetid(_SWISH_DOMAIN, 1))
    return len(joined)


def depthwise_after_swish(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the grouped convolutions that take what a joined swish gives."""
    swishes = {output for n in model.graph.node if n.op_type == _SWISH for output in n.output}
    return tuple(
        node.name
        for node in model.graph.node
        if node.op_type == "Conv"
        and node.input[0] in swishes
        and any(a.name == "group" and a.i > 1 for a in node.attribute)
    )


def _back_to_pools(
    end: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]
) -> list[onnx.NodeProto]:
    """Return the nodes between `end` and the poolings before it; none if a way misses them."""
    seen: dict[str, onnx.NodeProto] = {}
    waiting = [end]
    while waiting:
        node = waiting.pop()
        if node.name in seen or node.op_type in _POOLS:
            continue
        seen[node.name] = node
        before = [makers[name] for name in node.input if name in makers]
        if len(seen) > _GATE_SIZE or not before:
            return []
        waiting += [n for n in before if n.op_type != "Constant"]
    return list(seen.values())
