"""The command line: the library's verbs with the library's names and defaults."""

from __future__ import annotations

import sys

_CANCELLED = 130


def main() -> None:
    """Run the ``feynnn`` command; exit code 2 with one message for bad input, 130 when cancelled."""
    raise SystemExit(_run())


def _run() -> int:
    from ..errors import FeynnnError, missing_extra

    try:
        import typer

        from .app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "click"):
            raise
        return _say(str(missing_extra(error.name, "app")), 2)
    try:
        code = app(standalone_mode=False) or 0
    except FeynnnError as error:
        return _say(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        code = _CANCELLED
    except BrokenPipeError:
        # the reader (head, less) has gone; there is nobody to tell
        sys.stderr.close()
        return 1
    except Exception as error:
        # typer's own usage errors: it keeps their class private
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        # no arguments at all: the help has been printed already
        return _say(f"{message()} (feynnn --help shows the commands)", 2) if message() else 2
    if code == _CANCELLED:
        return _say("cancelled; nothing half-written (a run with --store goes on where it was)", _CANCELLED)
    return int(code)


def _say(message: str, code: int) -> int:
    print(f"feynnn: {message}", file=sys.stderr)
    return code
