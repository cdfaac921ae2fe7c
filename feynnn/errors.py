"""Errors and warnings of feynnn: few, and each message names the offending value and the remedy."""

from __future__ import annotations


class FeynnnError(Exception):
    """Base of every error that feynnn raises on purpose."""


class InputError(FeynnnError, ValueError):
    """An argument is wrong; the message says which, its value, and what to change."""


class DivergenceError(InputError):
    """The integral asked for does not exist; the message says why and how to regulate it."""


class ComputationError(FeynnnError, RuntimeError):
    """The input is fine but the result cannot be had within the accuracy or memory allowed."""


class MissingExtraError(FeynnnError, ImportError):
    """An optional dependency is needed and not installed; the message names the extra."""


class FeynnnWarning(UserWarning):
    """A result is given but must be read with care."""


def missing_extra(package: str, extra: str) -> MissingExtraError:
    """Return the error for a missing optional `package`, naming the `extra` that brings it."""
    return MissingExtraError(f"this needs the package {package!r}; install it with: pip install 'feynnn[{extra}]'")
