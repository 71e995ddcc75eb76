"""Parts of an ONNX graph that 8 bits may not suit, found by where they stand in it."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

_WEIGHTED = ("Conv", "Gemm", "MatMul")
_POOLS = ("GlobalAveragePool", "ReduceMean", "ReduceMax", "GlobalMaxPool")
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
