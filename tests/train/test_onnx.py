"""Policies as ONNX models."""

import numpy as np
import pytest

from qiki.botspec import generate, load_spec
from qiki.tasks import SIZE, Policy, PolicyError, read_engine
from qiki.tasks.onnx_policy import OnnxPolicy, export_onnx
from qiki_harness.training import START, tied_policy

pytest.importorskip("onnxruntime", reason="ONNX is not installed: tox -e train")
onnx = pytest.importorskip("onnx", reason="ONNX is not installed: tox -e train")
pytestmark = pytest.mark.filterwarnings("ignore")  # of its own


def trained():
    rng = np.random.default_rng(2)
    layers = [(rng.normal(size=(SIZE, 12)) * 0.2, rng.normal(size=12)), (rng.normal(size=(12, 5)), np.zeros(5))]
    return Policy.of("inspect", layers, mean=rng.normal(size=SIZE), spread=rng.uniform(0.5, 2.0, SIZE))


@pytest.mark.parametrize("policy", [trained(), tied_policy("avoid", START)])
def test_an_exported_policy_acts_as_the_policy_does(tmp_path, policy):
    path = tmp_path / "one.onnx"
    export_onnx(policy, path)
    again = OnnxPolicy.read(path)
    assert again.task == policy.task
    for observation in np.random.default_rng(1).uniform(-2, 2, (20, SIZE)):
        assert again.act(observation) == pytest.approx(policy.act(observation), abs=1e-5)
    assert read_engine(path, generate(load_spec()))


def test_a_model_for_other_spaces_is_one_line(tmp_path):
    path = tmp_path / "one.onnx"
    export_onnx(trained(), path)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"task": "avoid", "layout": "99", "size": str(SIZE)})
    onnx.save(model, path)
    with pytest.raises(PolicyError, match="its layout is 99"):
        OnnxPolicy.read(path)


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_file_that_is_no_model_is_one_line(tmp_path, content):
    path = tmp_path / "one.onnx"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="not an ONNX model"):
        OnnxPolicy.read(path)
