"""``python -m selfsharp`` is the command ``selfsharp``."""

from selfsharp.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
