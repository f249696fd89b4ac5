"""Sharpens the blurred parts of a photo by referring to its own sharp parts."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfsharp.image import Photo, read_photo, write_photo
    from selfsharp.restore.restoration import Restoration
    from selfsharp.restore.restorer import Restorer

__all__ = ["Photo", "Restoration", "Restorer", "read_photo", "write_photo"]
__version__ = "0.1.0"

_PLACES = {
    "Photo": "selfsharp.image",
    "read_photo": "selfsharp.image",
    "write_photo": "selfsharp.image",
    "Restoration": "selfsharp.restore.restoration",
    "Restorer": "selfsharp.restore.restorer",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for: ONNX Runtime takes its time."""
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'selfsharp' has no attribute {name!r}")
