"""The real InsightFace code on a toy model pack that is made here: one fixed face, a linear recogniser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from x121lib.identity import embed_face, load_backend
from x121lib.identity.faces import BackendUnavailableError, IdentityError
from x121lib.identity.insight import InsightFaceBackend

for _needed in ("onnx", "onnxruntime", "insightface"):
    pytest.importorskip(_needed, reason=f"the optional extra 'face' is not installed ({_needed} is missing)")
onnx = pytest.importorskip("onnx")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

SIDE = 640


def detector(path: Path, *, cells: tuple[tuple[int, float], ...]) -> None:
    """Write an SCRFD-shaped model: constant outputs, a face of 4 x 5 strides around each given cell of stride 32."""
    names, nodes, outputs = [], [], []
    for width in (1, 4, 10):
        for stride in (8, 16, 32):
            values = np.zeros(((SIDE // stride) ** 2 * 2, width), np.float32)
            if stride == 32:
                for cell, score in cells:
                    points = [-1, -1, 1, -1, 0, 0, -0.8, 1, 0.8, 1]
                    values[cell * 2] = {1: [score], 4: [2, 2.5, 2, 2.5], 10: points}[width]
            name = f"out_{width}_{stride}"
            nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values)))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape))
            names.append(name)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    write(path, nodes, [image], outputs)


def recogniser(path: Path, seed: int = 1) -> None:
    """Write an ArcFace-shaped model: mean over 14 px blocks, then a fixed random matrix."""
    matrix = np.random.default_rng(seed).standard_normal((192, 512)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["image"], ["small"], kernel_shape=[14, 14], strides=[14, 14]),
        helper.make_node("Flatten", ["small"], ["flat"]),
        helper.make_node("Constant", [], ["matrix"], value=numpy_helper.from_array(matrix)),
        helper.make_node("MatMul", ["flat", "matrix"], ["embedding"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 112, 112])
    write(path, nodes, [image], [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 512])])


def write(path: Path, nodes: list[object], inputs: list[object], outputs: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(nodes, path.stem, inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs")
    detector(folder / "toy" / "det.onnx", cells=((10 * 20 + 10, 0.9), (4 * 20 + 4, 0.7)))
    recogniser(folder / "toy" / "rec.onnx")
    return folder


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def test_an_installed_pack_is_taken_before_the_classical_backend(packs: Path) -> None:
    backend = load_backend(packs)
    assert backend.name == "insightface"
    assert backend.pack.startswith("toy-")
    assert load_backend(packs, prefer="classical").name == "classical"


def test_faces_carry_boxes_landmarks_and_the_detectors_score(packs: Path, picture: np.ndarray) -> None:
    faces = load_backend(packs).detect(picture)
    assert [round(face.confidence, 3) for face in faces] == [0.9, 0.7]
    assert faces[0].box == pytest.approx((320 - 64, 320 - 80, 128, 160), abs=1)
    assert faces[0].landmarks is not None
    assert faces[0].landmarks.shape == (5, 2)
    assert faces[0].landmarks[0] == pytest.approx((288, 288), abs=1)


def test_embeddings_are_normalised_and_depend_on_the_picture(packs: Path, picture: np.ndarray) -> None:
    backend = load_backend(packs)
    face = backend.detect(picture)[0]
    first, second = embed_face(backend, picture, face), embed_face(backend, 255 - picture, face)
    assert np.linalg.norm(first.vector) == pytest.approx(1, abs=1e-5)
    assert (first.backend, first.pack) == ("insightface", backend.pack)
    assert float(first.vector @ second.vector) < 0.5


def test_red_and_blue_are_not_swapped(packs: Path) -> None:
    """The models take RGB and InsightFace takes BGR: a red picture must raise the first of the toy's 3 channels."""
    backend = InsightFaceBackend(packs / "toy")
    red = np.zeros((SIDE, SIDE, 3), np.uint8)
    red[..., 0] = 255
    matrix = np.random.default_rng(1).standard_normal((192, 512)).astype(np.float32)
    flat = np.repeat(np.array([1, -1, -1], np.float32), 64) @ matrix
    vector = backend.embed(red, backend.detect(red)[0])
    assert float(vector @ (flat / np.linalg.norm(flat))) > 0.99


def test_packs_of_one_name_with_other_models_are_other_packs(tmp_path: Path, packs: Path) -> None:
    detector(tmp_path / "toy" / "det.onnx", cells=((210, 0.9),))
    recogniser(tmp_path / "toy" / "rec.onnx", seed=2)
    assert InsightFaceBackend(tmp_path / "toy").pack != InsightFaceBackend(packs / "toy").pack


def test_a_face_without_landmarks_is_refused(packs: Path, picture: np.ndarray) -> None:
    classical = load_backend(packs, prefer="classical")
    backend = load_backend(packs)
    face = type(backend.detect(picture)[0])((10, 10, 50, 50), 0.9)
    assert classical.name == "classical"
    with pytest.raises(IdentityError, match="no landmarks"):
        backend.embed(picture, face)


def test_incomplete_and_broken_packs_are_named(tmp_path: Path) -> None:
    recogniser(tmp_path / "half" / "rec.onnx")
    detector(tmp_path / "blind" / "det.onnx", cells=((210, 0.9),))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "det.onnx").write_bytes(b"no model")
    with pytest.raises(BackendUnavailableError, match="half holds no detection model"):
        load_backend(tmp_path, prefer="half")
    with pytest.raises(BackendUnavailableError, match="blind holds no recognition model"):
        load_backend(tmp_path, prefer="blind")
    with pytest.raises(BackendUnavailableError, match="broken can not be loaded"):
        load_backend(tmp_path, prefer="broken")
