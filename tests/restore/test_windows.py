"""Windows lie around each other, are counted from each other, and are put back where they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.restore.windows import Window, around, counted_from, plus

HEIGHT, WIDTH = 23, 31


@st.composite
def windows(draw: st.DrawFn) -> Window:
    rows, columns = (
        slice(*sorted(draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True))))
        for side in (HEIGHT, WIDTH)
    )
    return rows, columns


@given(st.lists(windows(), min_size=1, max_size=4))
def test_a_window_around_others_holds_each_where_it_is_counted(some):
    plane = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    whole = around(some)
    for window in some:
        assert np.array_equal(plane[whole][counted_from(window, whole)], plane[window])
    size = plane[whole].size
    assert size <= plane.size
    assert any(window[0].start == whole[0].start for window in some)
    assert any(window[1].stop == whole[1].stop for window in some)


@given(windows())
def test_something_is_added_in_a_window_and_the_image_left_alone(window):
    image = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    added = image[window] + 1
    whole = plus(image, added, window)
    assert whole is not image
    assert not image.any()
    assert (whole[window] == 1).all()
    assert whole.sum() == added.sum()
