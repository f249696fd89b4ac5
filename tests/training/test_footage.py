"""Footage becomes shots, and shots become real motion blur."""

import numpy as np
import pytest
from PIL import Image as PillowImage

pytest.importorskip("rich")

from selfsharp.blur.convolve import to_linear
from selfsharp.image import quantize
from selfsharp.recipe import Footage
from selfsharp.training.footage import Clip, find_clips, load_clips, read_shots, split_by_time
from selfsharp.training.motion import (
    LONGEST,
    average_burst,
    average_clip,
    average_frames,
    choose_burst,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def moved(photo) -> list[np.ndarray]:
    """A photo that moves on by a pixel from frame to frame."""
    return [np.roll(quantize(photo), number, axis=1) for number in range(30)]


@pytest.fixture(scope="module")
def folder(moved, tmp_path_factory):
    """A folder of two clips: one of frames, one a video."""
    folder = tmp_path_factory.mktemp("footage")
    (folder / "frames").mkdir()
    for number, frame in enumerate(moved):
        PillowImage.fromarray(frame).save(folder / "frames" / f"{number:03}.png")
    (folder / "notes.txt").write_text("not a clip")
    return folder


def write_video(path, frames) -> None:
    """A lossless video."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "bgr0"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


# ---------------------------------------------------------------------------- reading


def test_a_folder_of_frames_is_a_clip(folder, moved):
    (shot,) = load_clips(folder, {"frames": Footage(speed=1.0)})
    assert shot.speed == 1
    assert all(map(np.array_equal, shot.frames, moved))


def test_a_video_is_decoded_to_its_frames(moved, tmp_path):
    write_video(tmp_path / "video.mkv", moved)
    (shot,) = load_clips(tmp_path, {})
    assert len(shot.frames) == len(moved)
    for frame, wanted in zip(shot.frames, moved, strict=True):
        assert np.array_equal(frame, wanted)


def test_shots_are_spans_shrunk_and_cut_to_their_box(folder, moved):
    settings = Footage(shrink=2, speed=0.5, spans=((2, 9), (12, 20)), box=(1, 4, 31, 36))
    one, two = read_shots(folder / "frames", settings)
    assert (len(one.frames), len(two.frames)) == (8, 9)
    assert one.frames[0].shape == (30, 32, 3)
    small = moved[12].reshape(32, 2, 40, 2, 3).mean(axis=(1, 3))[1:31, 4:36]
    assert np.abs(two.frames[0] - small).max() <= 0.5


def test_the_last_tenth_of_every_shot_is_kept_for_validation(moved):
    train, kept = split_by_time([Clip(moved, 1.0), Clip(moved[:9], 0.5)])
    assert [len(clip.frames) for clip in train] == [27, 9]
    assert [len(clip.frames) for clip in kept] == [3]
    assert np.array_equal(kept[0].frames[-1], moved[-1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Footage(spans=((20, 40),)), "span 20 to 40 is not within its 30 frames"),
        (Footage(shrink=0), "shrink 0"),
        (Footage(speed=0.0), "speed 0"),
        (Footage(box=(0, 0, 65, 80)), "is not within a frame of 64 x 80"),
    ],
)
def test_settings_that_do_not_fit_a_clip_are_told(folder, settings, message):
    with pytest.raises(ValueError, match=message):
        read_shots(folder / "frames", settings)


def test_clips_that_are_not_there_are_told(folder, tmp_path):
    with pytest.raises(ValueError, match=r"no clip 'bear' in .*; it has frames"):
        load_clips(folder, {"bear": Footage()})
    with pytest.raises(ValueError, match="no clip in"):
        find_clips(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        find_clips(tmp_path / "missing")


def test_a_video_that_is_none_is_told(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "broken.mp4").write_bytes(b"no video at all" * 50)
    with pytest.raises(ValueError, match="cannot be decoded"):
        load_clips(tmp_path, {})


# ---------------------------------------------------------------------------- averaging


@pytest.mark.parametrize("speed", [0.25, 1.0, 3.0])
def test_a_burst_is_as_long_as_it_takes_to_move_far_enough(speed):
    """Frames that tell their number."""
    frames = [np.full((1, 1, 3), number, np.uint8) for number in range(200)]
    lengths = []
    for seed in range(60):
        numbers = [int(one[0, 0, 0]) for one in choose_burst(Clip(frames, speed), rng(seed))]
        steps = set(np.diff(numbers).tolist())
        assert len(numbers) % 2 == 1
        assert len(steps) == 1
        assert steps.pop() == max(1, int(1 / speed))
        lengths.append((numbers[-1] - numbers[0]) * speed)
    assert max(2.0, 2 * speed) <= min(lengths) <= 6
    assert 15 < max(lengths) <= LONGEST + max(1, speed)


def test_a_short_clip_is_averaged_as_far_as_it_goes(moved):
    sample = average_clip([Clip(moved[:3], 0.1)], 48, rng())
    assert sample.blurred.shape == (48, 48, 3)


def test_the_middle_of_a_burst_is_sharp_and_its_mean_is_blurred_whatever_the_camera(moved):
    for share in (0.0, 1.0):
        sample = average_burst(moved[:9], 48, rng(4), share)
        assert (
            np.abs(np.diff(sample.blurred, axis=1)).mean()
            < 0.7 * np.abs(np.diff(sample.sharp, axis=1)).mean()
        )
        assert sample.blur_map.min() > 0
        assert 1.3 < np.median(sample.blur_map) < 5.5  # A line of 9 px: 2.6.


def test_frames_that_do_not_move_average_to_themselves(photo):
    grey = quantize(photo.mean(axis=2, keepdims=True).repeat(3, axis=2))
    for seed in range(8):
        sample = average_frames([grey] * 9, 48, rng(seed), 1.0)
        light = [to_linear(image).mean() for image in (sample.blurred, sample.sharp)]
        assert light[0] == pytest.approx(light[1], abs=0.01)
        assert np.abs(sample.blurred - sample.sharp).mean() < 0.03
