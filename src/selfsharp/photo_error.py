"""What goes wrong with a photo's file, told in one line."""


class PhotoError(ValueError):
    """A photo cannot be read or written: one line says why, and what to do instead."""

    def __init__(self, message: str) -> None:
        """Joins lines: file names and Pillow's messages may hold line breaks."""
        super().__init__(" ".join(message.split()))


class UnsupportedError(Exception):
    """A file is of a kind that cannot be kept.

    Attributes:
        what: goes behind the file's name, such as ``has several pages``.
        instead: what to do; None where another format is the answer.
    """

    def __init__(self, what: str, instead: str | None = None) -> None:
        super().__init__(what)
        self.what, self.instead = what, instead
