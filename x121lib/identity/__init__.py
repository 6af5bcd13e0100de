"""Faces: detect, embed, compare; the backend is swappable and named beside every score."""

from x121lib.identity.backends import load_backend
from x121lib.identity.faces import (
    EMBEDDING_SIZE,
    Box,
    DetectedFace,
    DifferentBackendError,
    Embedding,
    FaceBackend,
    IdentityError,
    embed_face,
    primary_face,
    similarity,
)

__all__ = [
    "EMBEDDING_SIZE",
    "Box",
    "DetectedFace",
    "DifferentBackendError",
    "Embedding",
    "FaceBackend",
    "IdentityError",
    "embed_face",
    "load_backend",
    "primary_face",
    "similarity",
]
