"""For every metric one take that it must catch, beside the clean take that it must let pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from x121lib.media.colour import Rgb
from x121lib.media.errors import MediaCancelledError
from x121lib.qa.analysis import Analysis, analyse
from x121lib.qa.gates import judge, overall
from x121lib.qa.metrics import METRICS
from x121lib.qa.profiles import load_profile
from x121lib.terms.quality import Outcome, Verdict
from x121lib.testing import takes
from x121lib.testing.takes import Fault, moved, reference, write

PORTRAIT = load_profile(Path(__file__).resolve().parents[3] / "data" / "qa_profiles" / "portrait.toml")


def values(analysis: Analysis) -> dict[str, float]:
    return {score.metric: score.value for score in analysis.scores}


def verdicts(analysis: Analysis) -> dict[str, Verdict]:
    found = judge(
        analysis.scores, PORTRAIT.gates, not_applicable=analysis.not_applicable, unmeasured=analysis.unmeasured
    )
    return {verdict.metric: verdict for verdict in found}


def faulty(tmp_path: Path, fault: Fault, **path: float) -> Analysis:
    frames = moved("Mara", **path)  # type: ignore[arg-type]
    return analyse(write(tmp_path / "faulty.mp4", fault(frames)), reference(frames[0]))


def test_the_clean_take_passes_every_gate_and_has_every_score(clean: Analysis) -> None:
    judged = verdicts(clean)
    assert {v.outcome for v in judged.values()} == {Outcome.PASS}, [v.reason for v in judged.values()]
    assert set(values(clean)) == {metric.name for metric in METRICS}
    assert len(clean.scores) == len(values(clean))


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        ("black_frames", takes.black(3)),
        ("frozen_run", takes.frozen(14)),
        ("duplicate_ratio", takes.repeated(3)),
        ("motion_jitter", takes.shaken(3)),
        ("motion_spike", takes.jumping(40)),
        ("brightness_flicker", takes.flickering(8)),
        ("seam_ssim", takes.shifted(90)),
        ("seam_phash", takes.swapped("Lena", 0)),
        ("seam_delta_e", takes.tinted(20)),
        ("colour_drift", takes.tinted(20)),
        ("colour_deviation", takes.tinted(40)),
        ("sharpness_ratio", takes.blurred(3)),
        ("blockiness", takes.blocky(3)),
        ("face_found", takes.faceless(12)),
        ("face_similarity", takes.swapped("Jonas", 15, 18)),
    ],
)
def test_each_fault_fails_its_gate(tmp_path: Path, metric: str, fault: Fault) -> None:
    verdict = verdicts(faulty(tmp_path, fault, zoom=0.2))[metric]
    assert verdict.outcome is Outcome.FAIL, verdict.reason
    assert verdict.threshold is not None


def test_a_freeze_is_located_and_timed(tmp_path: Path) -> None:
    analysis = faulty(tmp_path, takes.frozen(14, at=8), zoom=0.2)
    score = next(s for s in analysis.scores if s.metric == "frozen_run")
    assert score.value == pytest.approx(14 / 24)
    assert score.frames is not None
    assert (score.frames.start, score.frames.stop) == (8, 22)


def test_black_frames_are_counted_and_located(tmp_path: Path) -> None:
    analysis = faulty(tmp_path, takes.black(3, at=14))
    assert (values(analysis)["black_frames"], values(analysis)["black_run"]) == (3, 3 / 24)
    score = next(s for s in analysis.scores if s.metric == "black_run")
    assert score.frames is not None
    assert (score.frames.start, score.frames.stop) == (14, 17)


def test_ungated_metrics_move_the_right_way(tmp_path: Path, clean: Analysis) -> None:
    before = values(clean)
    soft = values(faulty(tmp_path, takes.blurred(3)))
    other = values(faulty(tmp_path, takes.swapped("Jonas", 15)))
    shaken = values(faulty(tmp_path, takes.flickering(20)))
    assert soft["sharpness"] < 0.3 * before["sharpness"]
    assert other["face_similarity_mean"] < before["face_similarity_mean"] - 0.2
    assert shaken["temporal_stability"] < before["temporal_stability"] - 0.05
    assert shaken["motion_energy"] > 5 * before["motion_energy"]


def test_each_kind_of_drift_moves_its_own_metric(tmp_path: Path, clean: Analysis) -> None:
    rng = np.random.default_rng(7)

    def ends(change: Callable[[Rgb], Rgb]) -> dict[str, float]:
        return values(faulty(tmp_path, lambda frames: [*frames[:-1], change(frames[-1])]))

    def levels(picture: npt.NDArray[Any]) -> Rgb:
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

    before = values(clean)
    assert before["lightness_drift"] == pytest.approx(0, abs=1)
    for name in ("contrast_kept", "grain_kept", "subject_scale"):
        assert before[name] == pytest.approx(1, abs=0.15), name
    assert before["subject_shift"] < 3
    assert ends(lambda rgb: levels(rgb * 0.8))["lightness_drift"] < -5
    assert ends(lambda rgb: levels(128 + (rgb - 128.0) * 0.7))["contrast_kept"] < 0.8
    assert ends(lambda rgb: levels(rgb + rng.normal(0, 8, rgb.shape)))["grain_kept"] > 1.5
    assert ends(lambda rgb: np.roll(rgb, 40, axis=1))["subject_shift"] == pytest.approx(100 * 40 / 320, abs=4)
    larger = ends(lambda rgb: levels(cv2.resize(rgb, None, fx=1.3, fy=1.3)[57:441, 48:368]))
    assert larger["subject_scale"] == pytest.approx(1.3, abs=0.2)


def test_confidence_is_the_lowest_of_the_samples(clean: Analysis) -> None:
    confidences = clean.series["face_confidence"]
    assert values(clean)["face_confidence"] == pytest.approx(float(confidences.min()))
    assert 0 < confidences.min() <= 1


def test_wrong_size_rate_and_length(tmp_path: Path) -> None:
    frames = moved("Mara", 30, size=(256, 320))
    path = write(tmp_path / "wrong.mp4", frames, rate=Fraction(25))
    judged = verdicts(analyse(path, reference(moved("Mara")[0])))
    for metric in ("size_error", "rate_error", "frame_count_error"):
        assert judged[metric].outcome is Outcome.FAIL
    assert "256×320 instead of 320×384" in judged["size_error"].reason
    assert "25.000 instead of 24.000" in judged["rate_error"].reason
    assert "30 instead of 37" in judged["frame_count_error"].reason


def test_a_truncated_file_names_the_missing_frames(tmp_path: Path, clean_path: Path) -> None:
    fast = tmp_path / "fast.mp4"
    with av.open(str(clean_path)) as source, av.open(str(fast), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(fast.read_bytes()[: fast.stat().st_size * 2 // 3])
    analysis = analyse(cut, reference(moved("Mara")[0]))
    judged = verdicts(analysis)
    assert judged["missing_frames"].outcome is Outcome.FAIL
    assert 0 < values(analysis)["missing_frames"] < 37
    assert judged["frame_count_error"].outcome is Outcome.FAIL


def test_damage_inside_is_counted_and_the_rest_measured(tmp_path: Path, clean_path: Path) -> None:
    content = bytearray(clean_path.read_bytes())
    start = content.index(b"mdat")
    for part in (3, 4, 5, 6):  # one place alone may hit what the decoder conceals without a word
        middle = start + (len(content) - start) * part // 9
        for place in range(middle, middle + 400):
            content[place] ^= 0x5A
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    analysis = analyse(damaged, reference(moved("Mara")[0]))
    assert values(analysis)["decode_errors"] >= 1
    assert verdicts(analysis)["decode_errors"].outcome is Outcome.FAIL
    assert values(analysis)["face_found"] > 0


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100, None])
def test_what_is_no_video_is_unreadable_and_never_raises(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.mp4"
    if content is not None:
        path.write_bytes(content)
    analysis = analyse(path, reference(moved("Mara")[0]))
    judged = verdicts(analysis)
    assert values(analysis) == {"readable": 0}
    assert judged["readable"].outcome is Outcome.FAIL
    assert judged["black_frames"].reason == "Black frames was not measured: the file cannot be read."


def test_a_size_change_inside(tmp_path: Path) -> None:
    path = tmp_path / "sizes.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 384, "yuvj420p"
        frames = [*moved("Mara", 6), *moved("Mara", 6, size=(160, 192))]
        encoders: dict[tuple[int, ...], Any] = {}
        for n, rgb in enumerate(frames):
            encoder = encoders.get(rgb.shape) or av.CodecContext.create("mjpeg", "w")
            if rgb.shape not in encoders:
                encoder.width, encoder.height, encoder.pix_fmt = rgb.shape[1], rgb.shape[0], "yuvj420p"
                encoder.time_base = Fraction(1, 24)
                encoders[rgb.shape] = encoder
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuvj420p")
            frame.pts = n
            for packet in encoder.encode(frame):
                packet.stream = stream
                container.mux(packet)
    analysis = analyse(path, reference(frames[0], 12, faces=False))
    assert values(analysis)["size_changes"] == 1
    assert verdicts(analysis)["size_changes"].reason.endswith("at frame 6.")


def test_irregular_intervals_and_sound(tmp_path: Path, clean_path: Path) -> None:
    path = tmp_path / "uneven.mp4"
    with av.open(str(clean_path)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("aac", rate=48000)
        for packet in source.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None:
                step = round(1 / 24 / packet.time_base)
                late = 3 * step if packet.dts >= 18 * step else 0
                packet.pts, packet.dts, packet.stream = packet.pts + late, packet.dts + late, stream
                target.mux(packet)
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 1024), dtype=np.float32), format="fltp", layout="stereo")
        silence.sample_rate = 48000
        for packet in [*sound.encode(silence), *sound.encode(None)]:
            target.mux(packet)
    found = values(analyse(path, reference(moved("Mara")[0], faces=False)))
    assert found["irregular_intervals"] >= 1
    assert found["audio_streams"] == 1


def test_a_first_segment_has_no_seam(clean_path: Path) -> None:
    first = dataclasses.replace(reference(moved("Mara")[0]), handoff_frame=None, first_frame=None)
    judged = verdicts(analyse(clean_path, first))
    assert not {"seam_ssim", "seam_phash", "seam_delta_e"} & set(judged)
    assert overall(judged.values()) is Outcome.PASS


def test_without_a_backend_the_face_gates_fail_and_say_so(clean_path: Path) -> None:
    judged = verdicts(analyse(clean_path, reference(moved("Mara")[0], faces=False)))
    assert judged["face_similarity"].outcome is Outcome.FAIL
    assert "no face backend" in judged["face_similarity"].reason


def test_an_embedding_of_another_backend_is_not_compared(clean_path: Path) -> None:
    given = reference(moved("Mara")[0])
    assert given.face is not None
    other = dataclasses.replace(given, face=dataclasses.replace(given.face, pack="older"))
    judged = verdicts(analyse(clean_path, other))
    assert "extract it again" in judged["face_similarity"].reason
    assert judged["face_found"].outcome is Outcome.PASS


def test_cancelling_stops_at_once(clean_path: Path) -> None:
    asked = iter([False, False, True])
    with pytest.raises(MediaCancelledError):
        analyse(clean_path, reference(moved("Mara")[0], faces=False), cancelled=lambda: next(asked))
