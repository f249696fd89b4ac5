"""Open folders: a file is a member, and its name is the member's name everywhere.

Nothing is registered. To add a blur kind, a metric or a generator, put one file
into its folder; it is listed by its name and imported when it is asked for.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Folder:
    """An open folder: a package whose modules are its members.

    Attributes:
        package: dotted name of the package, such as ``selfsharp.blur.kinds``.
        noun: what one member is called in messages, such as ``blur kind``.
    """

    package: str
    noun: str

    def names(self) -> list[str]:
        """The members' names in alphabetical order; imports none of them."""
        package = importlib.import_module(self.package)
        found = (module.name for module in pkgutil.iter_modules(package.__path__))
        return sorted(name for name in found if not name.startswith("_"))

    def load(self, name: str) -> ModuleType:
        """The member called `name`.

        Raises:
            ValueError: there is no such member; the message lists those there are.
        """
        self.check(name)
        return importlib.import_module(f"{self.package}.{name}")

    def check(self, name: str) -> None:
        """Refuses a name that is no member's; imports none.

        Raises:
            ValueError: there is no such member; the message lists those there are.
        """
        names = self.names()
        if name not in names:
            raise ValueError(f"unknown {self.noun} {name!r}; choose one of: {', '.join(names)}")

    def load_all(self) -> Mapping[str, ModuleType]:
        """Every member by its name."""
        return {name: self.load(name) for name in self.names()}
