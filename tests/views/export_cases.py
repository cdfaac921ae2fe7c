"""Theories and orders whose exports are compared: weights, several points, names that clash."""

from __future__ import annotations

from typing import Any

import feynnn as fn

PHI4 = fn.Theory.parse("lam*f**4")
RATIONAL = fn.Theory.parse("lam/24*f**4 + 2/7*kap*f**6")
NAMED = fn.Theory.parse("nl_2*f**4 + nl2*f**3 - E/6*f**4")
WEIGHTED = fn.Theory(
    [
        fn.Interaction(4, "lam0", "1/24"),
        fn.Interaction(4, "lam_0", profile="1/2 - 3*y**2"),
        fn.Interaction((2, 2), "b"),
        fn.Interaction((2, 4), "q", profile="y**2*z - 5/3*z**2 + y"),
    ]
)
CASES: list[tuple[fn.Theory, int, Any, Any]] = [
    (PHI4, 0, 0, "all"),
    (PHI4, 4, 0, "all"),
    (PHI4, 2, 1, "all"),
    (PHI4, 4, 2, "vacuum-free"),
    (PHI4, 0, 2, "all"),
    (RATIONAL, 4, {"lam": 1, "kap": 1}, "connected"),
    (NAMED, 3, {"nl2": 1, "E": 1, "nl_2": 1}, "1PI"),
    (WEIGHTED, 2, {"lam0": 1, "lam_0": 1}, "all"),
    (WEIGHTED, 2, {"lam_0": 2}, "all"),
    (WEIGHTED, 2, {"b": 1, "q": 1}, "all"),
]
IDS = [f"{theory}, n={n}, {order}" for theory, n, order, _ in CASES]
