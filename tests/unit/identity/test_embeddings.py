"""Embeddings say what made them, and are compared with their like only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x121lib.base.errors import InvalidInputError
from x121lib.identity import DifferentBackendError, Embedding, load_backend, similarity
from x121lib.identity.faces import BackendUnavailableError


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(512).astype(np.float32)
    return vector / np.linalg.norm(vector)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_similarity_is_a_symmetric_cosine(a: int, b: int) -> None:
    one, two = Embedding("classical", "p", unit(a)), Embedding("classical", "p", unit(b))
    assert similarity(one, one) == pytest.approx(1, abs=1e-5)
    assert -1 <= similarity(one, two) == similarity(two, one) <= 1
    assert similarity(one, Embedding("classical", "p", -one.vector)) == pytest.approx(-1, abs=1e-5)


@pytest.mark.parametrize(("backend", "pack"), [("insightface", "p"), ("classical", "q")])
def test_another_backend_or_pack_is_refused_by_name(backend: str, pack: str) -> None:
    with pytest.raises(DifferentBackendError, match=f"classical/p .* {backend}/{pack}"):
        similarity(Embedding("classical", "p", unit(1)), Embedding(backend, pack, unit(1)))


@pytest.mark.parametrize(
    "vector", [np.ones(512), np.zeros(512), unit(1)[:511], np.full(512, np.nan), unit(1).reshape(1, 512)]
)
def test_a_vector_that_is_no_embedding_is_refused(vector: np.ndarray) -> None:
    with pytest.raises(InvalidInputError):
        Embedding("classical", "p", vector)


def test_without_a_model_pack_the_classical_backend_is_loaded_and_says_so(tmp_path: Path) -> None:
    for packs in (None, tmp_path, tmp_path / "absent"):
        backend = load_backend(packs)
        assert backend.name == "classical"
        assert backend.pack


def test_a_pack_asked_for_by_name_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailableError, match="no face model pack 'studio'"):
        load_backend(tmp_path, prefer="studio")
