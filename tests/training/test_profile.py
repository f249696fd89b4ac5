"""Measuring how fast a training is."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from selfsharp.training.profile import Profile, profile


def test_a_profile_measures_and_leaves_nothing_behind(recipe, tmp_path):
    before = set(tmp_path.rglob("*"))
    found = profile(replace(recipe, crops=4000), seconds=0.3)
    assert found.loader > found.training > 0
    assert 0 < found.waiting < 1
    # Without processes of its own for the samples, drawing them is waiting for them.
    assert found.waiting == pytest.approx(found.training / found.loader, rel=0.6)
    assert set(tmp_path.rglob("*")) == before


def test_a_profile_says_all_three_in_a_line():
    told = str(Profile(loader=80.0, training=20.0, waiting=0.025))
    assert told == (
        "loader alone 80.0 samples/s, whole steps 20.0 samples/s (0.050 s a sample), "
        "2.5 % of the time waiting for samples"
    )


def test_a_training_too_short_to_measure_is_refused_in_one_line(recipe):
    with pytest.raises(ValueError, match=r"\Acrops 4 are too few to measure.+\Z"):
        profile(replace(recipe, crops=4), seconds=0.1)
