"""Faces by InsightFace: a detector and an ArcFace recogniser from a model pack that the studio installed itself.

X121 ships no model and downloads none; a pack's licence is the studio's own matter (the well-known packs are for
non-commercial research only).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import threading
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from x121lib.identity.faces import (
    BackendUnavailableError,
    Box,
    DetectedFace,
    IdentityError,
    RgbImage,
    Vector,
    check_rgb,
)

_DETECTION_SIDE_PX = 640
"""Side of the detector's input, the size that SCRFD packs are made for."""
_DETECTION_THRESHOLD = 0.5


def is_importable() -> bool:
    """Return whether the optional extra ``face`` is installed; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in ("insightface", "onnxruntime"))


class InsightFaceBackend:
    """One model pack: a folder with a detector and a recogniser as ONNX files.

    Confidence is the detector's own score. Runs on CUDA where onnxruntime offers it, else on the CPU.
    """

    name = "insightface"

    def __init__(self, pack_dir: Path) -> None:
        """Load the pack.

        Raises:
            BackendUnavailableError: InsightFace is not installed, or the folder holds no detector or no recogniser.
        """
        if not is_importable():
            raise BackendUnavailableError(
                "InsightFace is not installed.", hint="Install the extra 'face', e.g. pip install 'x121[face]'."
            )
        self._lock = threading.Lock()
        self._app = _load(pack_dir)
        recogniser = self._app.models.get("recognition")
        if recogniser is None:
            raise BackendUnavailableError(
                f"The model pack {pack_dir} holds no recognition model.",
                hint="A pack needs a detector and an ArcFace recogniser (112 × 112 input, 512 values out).",
            )
        self._recogniser: Any = recogniser
        self.pack = f"{pack_dir.name}-{_digest(Path(recogniser.model_file))}"

    def detect(self, rgb: RgbImage, near: Box | None = None) -> list[DetectedFace]:
        """Return the faces of an H×W×3 uint8 RGB image, largest first; see `FaceBackend.detect`."""
        check_rgb(rgb)
        x0, y0, x1, y1 = _window(near, rgb.shape[1], rgb.shape[0])
        bgr = np.ascontiguousarray(rgb[y0:y1, x0:x1, ::-1])
        with self._lock:
            boxes, points = self._app.det_model.detect(bgr, max_num=0, metric="default")
        faces = []
        for place, row in enumerate(np.asarray(boxes, np.float64)):
            left, top = max(0, round(row[0]) + x0), max(0, round(row[1]) + y0)
            right, bottom = min(rgb.shape[1], round(row[2]) + x0), min(rgb.shape[0], round(row[3]) + y0)
            if right <= left or bottom <= top:
                continue
            landmarks = (
                None if points is None else np.asarray(points[place], np.float32) + np.array([x0, y0], np.float32)
            )
            confidence = float(np.clip(row[4], 0.0, 1.0))
            faces.append(DetectedFace((left, top, right - left, bottom - top), confidence, landmarks))
        return sorted(faces, key=lambda face: (-face.area_px, -face.confidence, face.box))

    def embed(self, rgb: RgbImage, face: DetectedFace) -> Vector:
        """Return the ArcFace embedding of one face: float32 (512,), L2 norm 1.

        Raises:
            IdentityError: the face has no landmarks to align by, or the model gives no 512 values.
        """
        check_rgb(rgb)
        if face.landmarks is None:
            raise IdentityError(
                "This face has no landmarks, so it can not be aligned.",
                hint="Detect it with this backend; a box drawn by hand is not enough.",
            )
        holder = self._face_class()(kps=face.landmarks)
        with self._lock, warnings.catch_warnings():
            # InsightFace calls a scikit-image method that scikit-image has deprecated.
            warnings.simplefilter("ignore", FutureWarning)
            raw = np.asarray(self._recogniser.get(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), holder), np.float32)
        norm = float(np.linalg.norm(raw))
        if raw.shape != (512,) or not np.isfinite(norm) or norm == 0:
            raise IdentityError(
                f"The recogniser of {self.pack} gave {raw.shape} values of norm {norm:.3g}, not 512 usable ones."
            )
        vector: NDArray[np.float32] = (raw / norm).astype(np.float32)
        return vector

    @staticmethod
    def _face_class() -> Any:
        return importlib.import_module("insightface.app.common").Face


def _load(pack_dir: Path) -> Any:
    """Return a prepared FaceAnalysis of an absolute folder; a bare name would be looked for, and downloaded."""
    folder = pack_dir.resolve()
    if not any(folder.glob("*.onnx")):
        raise BackendUnavailableError(
            f"The model pack {pack_dir} holds no ONNX file.", hint="Put the pack's *.onnx files into that folder."
        )
    analysis = importlib.import_module("insightface.app.face_analysis")
    offered = importlib.import_module("onnxruntime").get_available_providers()
    providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in offered]
    try:
        app = analysis.FaceAnalysis(name=str(folder), allowed_modules=["detection", "recognition"], providers=providers)
    except AssertionError as error:  # its way of saying that no detector was among the files
        raise BackendUnavailableError(f"The model pack {pack_dir} holds no detection model.") from error
    except _load_errors() as error:
        raise BackendUnavailableError(
            f"The model pack {pack_dir} can not be loaded: {error}", hint="Copy the pack again; a file may be cut."
        ) from error
    side = (_DETECTION_SIDE_PX, _DETECTION_SIDE_PX)
    context = 0 if "CUDAExecutionProvider" in providers else -1
    app.prepare(ctx_id=context, det_thresh=_DETECTION_THRESHOLD, det_size=side)
    return app


def _load_errors() -> tuple[type[Exception], ...]:
    """Return what loading a broken model raises; onnxruntime's own errors share no base but Exception."""
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel", "NoSuchFile", "NotImplemented")
    own = [getattr(state, name) for name in names if hasattr(state, name)]
    return (RuntimeError, ValueError, OSError, *own)


def _window(near: Box | None, width: int, height: int) -> tuple[int, int, int, int]:
    """Return (x0, y0, x1, y1) of the part to search: the whole image, or one box side around ``near``."""
    if near is None:
        return 0, 0, width, height
    x, y, w, h = near
    return max(0, x - w), max(0, y - h), min(width, x + 2 * w), min(height, y + 2 * h)


def _digest(model: Path) -> str:
    """Return 8 hex digits of the recogniser's SHA-256: two packs of one name are still two packs."""
    with model.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:8]
