"""What of a part its PSF is estimated of: all of it, or what is certainly blurred."""

from dataclasses import replace

import numpy as np
import pytest

from selfsharp.blur.alternation import SIZE
from selfsharp.blur.estimate import Estimate
from selfsharp.blur.fullest_window import fullest_window
from selfsharp.blur.lens import RoundBlur
from selfsharp.restore import judgement
from selfsharp.restore.detect import Findings
from selfsharp.restore.fit import MISFIT, telling_windows
from selfsharp.restore.judgement import Judgement, judge
from selfsharp.restore.partition import Partition, marked, told_by, with_all_of_it

SIDE = 240
CELLS = (SIDE // 4, SIDE // 4)
PSF = np.full((5, 5), 0.04, np.float32)
ESTIMATE = Estimate(PSF, (PSF, PSF), 0.9)
SURE, LIKELY = Judgement(1.0, ESTIMATE), Judgement(0.8, ESTIMATE, 0.9, gap=MISFIT)
LIKELIER, ALONE = Judgement(0.9, ESTIMATE, 0.9), Judgement(0.7, None, 0.9)
SOFT = Judgement(0.0)


@pytest.fixture
def found() -> Partition:
    """A part that was found, a half of which is certain."""
    gate = np.zeros((SIDE, SIDE), np.float32)
    gate[20:-20, 20:-20] = 1
    core = gate > 0
    core[:, SIDE // 2 :] = False
    return Partition(gate, 3 * gate, core, certainty=0.99)


@pytest.fixture
def tried(monkeypatch):
    """Has `judge` come to given judgements, and tells of what cores."""
    cores, answers = [], {}

    def fit(image, parts, *others):
        cores.append(np.count_nonzero(parts.core))
        return len(cores)

    monkeypatch.setattr(judgement, "fit_part", fit)
    monkeypatch.setattr(judgement, "_judged", lambda fitted, *_, **__: answers[fitted])
    return cores, answers


@pytest.mark.parametrize(
    ("by_all", "by_core", "expected", "looks"),
    [
        (SURE, SOFT, SURE, 1),
        (LIKELY, SURE, SURE, 2),
        (LIKELY, LIKELIER, LIKELIER, 2),
        (LIKELIER, LIKELY, LIKELIER, 2),
        (LIKELY, ALONE, LIKELY, 2),
        (ALONE, LIKELY, LIKELY, 2),
        (LIKELY, SOFT, SOFT, 2),
        (SOFT, LIKELY, LIKELY, 2),
        (SOFT, SOFT, SOFT, 2),
    ],
)
def test_all_of_a_part_tells_its_psf_unless_the_core_alone_is_surer(
    found, tried, by_all, by_core, expected, looks
):
    cores, answers = tried
    answers.update({1: by_all, 2: by_core})
    image = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    assert judge(image, found) is expected
    assert (
        cores
        == [np.count_nonzero(with_all_of_it(found).core), np.count_nonzero(found.core)][:looks]
    )


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("by_all", [ALONE, SOFT])
def test_a_path_that_fits_the_core_alone_has_to_fit_it_well(found, tried, by_all, whole):
    _, answers = tried
    answers.update({1: by_all, 2: replace(LIKELY, gap=1.1 * MISFIT)})
    image = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    parts = replace(found, gate=np.ones_like(found.gate)) if whole else found
    judged = judge(image, parts)
    assert (judged.trust, judged.estimate) == (LIKELY.trust, None)
    # What the generator alone restores of a whole photo would tell a second look nothing.
    assert (judged.unevenness is None) == whole
    lens = replace(ESTIMATE, lens=RoundBlur("gaussian", 8.0, evidence=2000.0, margin=100.0))
    answers.update({3: by_all, 4: Judgement(0.8, lens, gap=0.1)})
    assert judge(image, parts) is answers[4]


def test_of_two_paths_trusted_alike_the_surer_is_undone(found, tried):
    _, answers = tried
    image = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    surer = replace(LIKELY, estimate=replace(ESTIMATE, confidence=0.95))
    answers.update({1: LIKELY, 2: surer, 3: surer, 4: LIKELY})
    assert judge(image, found) is judge(image, found) is surer


def test_all_of_a_part_is_its_core_but_for_the_rim(found):
    everything = with_all_of_it(found)
    assert everything.core[30:-30, 30:-30].all()
    assert not everything.core[found.gate == 0].any()
    assert not everything.core[20:24].any()
    assert replace(everything, core=found.core) == found


def test_a_core_that_is_all_of_its_part_is_looked_at_once(found, tried):
    cores, answers = tried
    answers[1] = LIKELY
    image = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    assert judge(image, with_all_of_it(found)) is LIKELY
    assert len(cores) == 1


def test_nothing_of_nothing_is_a_core(found):
    empty = replace(found, gate=np.zeros_like(found.gate))
    assert not with_all_of_it(empty).core.any()


def findings(probability: np.ndarray, structure: float) -> Findings:
    planes = (np.full(CELLS, value, np.float32) for value in (3.0, structure))
    return Findings(probability.astype(np.float32), *planes)


@pytest.mark.parametrize("textured", [slice(0, 320), slice(400, 720), slice(880, 1200)])
def test_of_a_large_part_that_is_looked_at_in_which_there_is_most_to_see(textured):
    image = np.full((400, 1200, 3), 0.5, np.float32)
    grain = np.random.default_rng(3).random((100, 80, 1), np.float32)
    image[:, textured] = grain.repeat(4, axis=0).repeat(4, axis=1)
    (rows, columns), *others = telling_windows(image, np.ones((400, 1200), np.float32), 320)
    # A few squares are compared: the best of them has at least half of the texture.
    seen = min(columns.stop, textured.stop) - max(columns.start, textured.start)
    assert seen > 160
    assert 320 <= rows.stop - rows.start <= 320 + 2 * SIZE + 4
    assert others
    assert all(
        max(abs(r.start - rows.start), abs(c.start - columns.start)) > 160 - SIZE for r, c in others
    )


def test_a_part_no_larger_than_that_is_looked_at_as_a_whole(found):
    gate = found.gate
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    assert telling_windows(image, gate, SIDE) == [fullest_window(gate > 0, SIDE)]


@pytest.mark.parametrize(
    ("sharp", "structure", "left"),
    [
        (0.1, 0.1, "the blurred half"),
        (0.7, 0.1, "all"),  # Blurred, but not plainly.
        (0.1, 0.0, "all"),  # Sky, of which nobody can tell.
    ],
)
def test_a_mask_drawn_too_wide_leaves_out_what_is_sharp(sharp, structure, left):
    probability = np.ones(CELLS)
    probability[:, CELLS[1] // 2 :] = sharp
    mask = np.ones((SIDE, SIDE), np.float32)
    core = told_by(findings(probability, structure), marked(mask)).core
    assert core[12:-12, 12 : SIDE // 2 - 24].all()
    assert core[12:-12, SIDE // 2 + 24 : -12].any() == (left == "all")


def test_a_mask_over_what_looks_sharp_is_taken_at_its_word():
    mask = np.ones((SIDE, SIDE), np.float32)
    parts = told_by(findings(np.full(CELLS, 0.05), 0.1), marked(mask))
    np.testing.assert_array_equal(parts.core, marked(mask).core)


def test_lone_cells_that_look_sharp_stay(found):
    probability = np.ones(CELLS)
    probability[30, 30] = 0
    asked = marked(found.gate)
    np.testing.assert_array_equal(told_by(findings(probability, 0.1), asked).core, asked.core)
