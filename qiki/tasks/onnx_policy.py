"""Policies as ONNX models, for networks of other shapes than `Policy` has; it takes the extra `onnx`.

A model has one input, a flat observation (1, SIZE) of float32, and one output, the action (1, 5). Its metadata have the
names `task`, `layout` and `size`.
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from qiki.arrays import Array
from qiki.tasks.actions import ACTIONS
from qiki.tasks.observation import LAYOUT, SIZE
from qiki.tasks.policy import Policy, PolicyError

SUFFIX = ".onnx"
_EXTRA = "pip install 'qiki-dtmp[onnx]'"


class OnnxPolicy:
    """A policy whose network is an ONNX model; it runs in one thread."""

    def __init__(self, session: Any, task: str) -> None:
        self._session, self.task = session, task
        self._input = session.get_inputs()[0].name

    def act(self, observation: ArrayLike) -> Array:
        """Return the action for a flat observation, (5,), each -1 to 1."""
        row = np.asarray(observation, np.float32).reshape(1, SIZE)
        (action,) = self._session.run(None, {self._input: row})
        return np.clip(np.asarray(action, np.float64).reshape(len(ACTIONS)), -1.0, 1.0)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            PolicyError: it is not there, no model, or one for other spaces; or the extra is not installed.
        """
        try:
            import onnxruntime  # noqa: PLC0415  # it is an extra
        except ModuleNotFoundError:
            raise PolicyError(f"{path}: it takes onnxruntime, which is not installed: {_EXTRA}") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise PolicyError(f"{path}: {error.strerror}") from None
        except Exception:  # the runtime has errors of its own for what is no model
            raise PolicyError(f"{path}: not an ONNX model") from None
        return cls(session, _checked(path, session))


def export_onnx(policy: Policy, path: Path) -> None:
    """Write a policy as an ONNX model; PolicyError if the package onnx is not installed."""
    try:
        import onnx  # noqa: PLC0415  # it is an extra
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415
    except ModuleNotFoundError:
        raise PolicyError(f"{path}: it takes onnx, which is not installed: {_EXTRA}") from None
    first, _ = policy.layers[0]
    # The choice of columns and their normalisation become a first layer without a bend.
    spread = np.zeros((SIZE, len(policy.columns)))
    spread[policy.columns, np.arange(len(policy.columns))] = 1.0 / policy.spread
    layers = [(spread @ first, policy.layers[0][1] - (policy.mean / policy.spread) @ first), *policy.layers[1:]]
    nodes, constants, last = [], [], "observation"
    for number, (weights, bias) in enumerate(layers):
        names = f"weights_{number}", f"bias_{number}", f"sum_{number}", f"layer_{number}"
        for name, array in zip(names[:2], (weights, bias), strict=True):
            constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        out = "action" if number == len(layers) - 1 else names[3]
        nodes.append(helper.make_node("Gemm", [last, *names[:2]], [names[2]]))
        nodes.append(helper.make_node("Tanh", [names[2]], [out]))
        last = out
    takes = helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, SIZE])
    gives = helper.make_tensor_value_info("action", TensorProto.FLOAT, [1, len(ACTIONS)])
    model = helper.make_model(helper.make_graph(nodes, "policy", [takes], [gives], constants))
    helper.set_model_props(model, {"task": policy.task, "layout": str(LAYOUT), "size": str(SIZE)})
    model.ir_version = min(model.ir_version, 10)  # runtimes are behind
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _checked(path: Path, session: Any) -> str:
    """Return the task of a model whose spaces fit."""
    found = session.get_modelmeta().custom_metadata_map
    for name, expected in (("layout", str(LAYOUT)), ("size", str(SIZE))):
        if found.get(name) != expected:
            raise PolicyError(f"{path}: its {name} is {found.get(name)} (this version expects {expected})")
    shapes = [list(one.shape) for one in (*session.get_inputs(), *session.get_outputs())]
    if shapes != [[1, SIZE], [1, len(ACTIONS)]]:
        raise PolicyError(f"{path}: its shapes are {shapes} (expected [1, {SIZE}] and [1, {len(ACTIONS)}])")
    return str(found.get("task", ""))
