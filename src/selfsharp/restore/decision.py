"""What of an image is to be restored: all that was found, or a part that is beyond doubt."""

from collections.abc import Callable
from dataclasses import dataclass

from selfsharp.image import Image
from selfsharp.restore.detect import Findings
from selfsharp.restore.filtered_part import filtered_part
from selfsharp.restore.judgement import Judgement, is_filtered
from selfsharp.restore.partition import Partition
from selfsharp.restore.two_blurs import heavier_part


@dataclass(frozen=True)
class Decision:
    """What is to be done with an image.

    Attributes:
        blurred: all that is blurred in it.
        parts: what of that is to be restored.
        judged: how.
    """

    blurred: Partition
    parts: Partition
    judged: Judgement


def decide_found(
    image: Image,
    found: Findings,
    blurred: Partition,
    judge: Callable[[Image, Partition], Judgement],
    *,
    physics: bool = True,
) -> Decision:
    """Decides on a part that was found, some of which may be soft by nature.

    Args:
        found: what the detector sees.
        blurred: the partition that this suggests.
        judge: says what is to be done with a part.
        physics: whether PSFs are of any use.
    """
    heavier = heavier_part(found, blurred)
    if heavier is not blurred:
        judged = judge(image, heavier)
        if judged.beyond_doubt:
            return Decision(blurred, heavier, judged)
    judged = judge(image, blurred)
    if physics and not judged.beyond_doubt:
        filtered = filtered_part(image, blurred)
        if filtered is not blurred:
            again = judge(image, filtered)
            if is_filtered(again):
                return Decision(blurred, filtered, again)
    return Decision(blurred, blurred, judged)
