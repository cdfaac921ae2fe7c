"""The command line: the library's verbs with the library's names and defaults."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the ``feynnn`` command; exit code 2 with one message for bad input, 130 when cancelled."""
    from ..errors import FeynnnError, missing_extra

    try:
        from .app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "click"):
            raise
        print(f"feynnn: {missing_extra(error.name, 'app')}", file=sys.stderr)
        raise SystemExit(2) from None
    try:
        app(standalone_mode=True)
    except FeynnnError as error:
        print(f"feynnn: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("feynnn: cancelled; nothing half-written (a run with --store goes on where it was)", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        # the reader (head, less) has gone; there is nobody to tell
        sys.stderr.close()
        raise SystemExit(1) from None
