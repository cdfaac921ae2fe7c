"""Diagrams as text for other programs: Graphviz (DOT), FORM and the Wolfram language, none of which is needed here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ..diagrams.diagram import Diagram
from ..errors import InputError
from ..theory.interaction import Interaction
from .svg import colour

Diagrams = Diagram | Iterable[Diagram]

#: Names that couplings must not get: points, the box, FORM's expressions.
_TAKEN = re.compile(r"[xyzw]\d*|Lambda|D1|Dsum")


def dot_text(diagrams: Diagrams) -> str:
    """Return diagrams as one undirected graph in Graphviz's DOT, for ``dot``, ``fdp`` or (one diagram) ``neato``.

    Parameters
    ----------
    diagrams : Diagram, DiagramSet or iterable of Diagram
        Several diagrams become one cluster each, labelled with its number; ``neato`` ignores clusters.

    Returns
    -------
    str
        External points are words, vertices dots in their coupling's colour, one edge for each line; the points of one
        vertex are joined by dotted edges. The label is the diagram's coefficient with its couplings.

    Examples
    --------
    >>> import feynnn as fn
    >>> ds = fn.generate(fn.Theory.parse("lam*f**4"), 2, order=1)
    >>> print(ds[0].to_dot())
    graph feynnn {
      node [shape=point, width=0.12];
      label="-12 lam";
      x1 [shape=plaintext, label="x1"];
      x2 [shape=plaintext, label="x2"];
      y [color="#0072B2", tooltip="lam*f**4"];
      x1 -- y;
      x2 -- y;
      y -- y;
    }
    <BLANKLINE>
    """
    lines = ["graph feynnn {", "  node [shape=point, width=0.12];"]
    if isinstance(diagrams, Diagram):
        lines += [f"  {line}" for line in _dot_body(diagrams)]
    else:
        for k, d in enumerate(_listed(diagrams)):
            body = _dot_body(d, f"d{k}_", f"{k}: ")
            lines += [f"  subgraph cluster_{k} {{", *(f"    {line}" for line in body), "  }"]
    return "\n".join([*lines, "}\n"])


def _dot_body(d: Diagram, prefix: str = "", number: str = "") -> list[str]:
    """Return the statements of one diagram, its nodes' names with a prefix."""
    couplings = " ".join(c + (f"^{k}" if k > 1 else "") for c, k in d.order.items() if k)
    names = [prefix + name for name in d.names]
    lines = [f'label="{number}{f"{d.coefficient} {couplings}".strip()}";']
    lines += [f'{names[k]} [shape=plaintext, label="{d.names[k]}"];' for k in range(d.n)]
    for points, v in zip(d.layout.points, d.layout.vertices, strict=True):
        paint = f'color="{colour(d.theory.couplings.index(v.coupling))}"'
        lines += [f'{names[p]} [{paint}, tooltip="{v}"];' for p in points]
        lines += [f"{names[a]} -- {names[b]} [style=dotted, penwidth=2, {paint}];" for a, b in pairwise(points)]
    return lines + [f"{names[i]} -- {names[j]};" for i, j in d.edges]


def form_text(diagrams: Diagrams, *, vertex_kernel: str = "K") -> str:
    """Return a program for FORM that holds the position-space integrand of the sum of diagrams.

    Parameters
    ----------
    diagrams : Diagram, DiagramSet or iterable of Diagram
        Their terms are added; a diagram that stands for several labelled copies counts that many times.
    vertex_kernel : str
        Name of the function on lines with an end on a vertex, as in `feynnn.expression`.

    Returns
    -------
    str
        The local expression ``D1`` is the one diagram, ``Dsum`` the sum of several, coefficients and couplings
        included. Each term is to be integrated over every y that occurs in it; ``y^2`` means ``|y|^2``. Names lose
        their underscores, which FORM does not allow, and a comment lists those that changed.

    Raises
    ------
    InputError
        If something is no diagram, or `vertex_kernel` is not an ASCII name or names a coupling or a point.

    Examples
    --------
    >>> import feynnn as fn
    >>> ds = fn.generate(fn.Theory.parse("lam*f**4"), 2, order=1)
    >>> print(ds[0].to_form())
    * integrate each term over its y in [-Lambda,Lambda]^d; y^2 is |y|^2
    Symbols lam,x1,x2,y;
    CFunctions K(symmetric);
    Local D1 =
      -12*lam*K(x1,y)*K(x2,y)*K(y,y)
      ;
    Print +s;
    .end
    <BLANKLINE>
    """
    items = _listed(diagrams)
    names = _legal_names(items, vertex_kernel, capitals=True)
    lines = [f"* {new} is {old}" for old, new in names.items() if old != new]
    if any(d.layout.vertices for d in items):
        lines.append("* integrate each term over its y in [-Lambda,Lambda]^d; y^2 is |y|^2")
    points = {name for d in items for name in d.names}
    symbols = [names[c] for c in _couplings(items)] + sorted(points, key=lambda p: (p[0], int(p[1:] or 0)))
    if symbols:
        lines += [f"Symbols {','.join(symbols)};"]
    if any(d.edges for d in items):
        kernels = dict.fromkeys(["K", names[vertex_kernel]])
        lines.append(f"CFunctions {','.join(f'{k}(symmetric)' for k in kernels)};")
    kernel = "K({},{})", f"{names[vertex_kernel]}({{}},{{}})"
    terms = []
    for d in items:
        symbol = dict(enumerate(d.names))
        terms.append("".join(_term(d, names, [*_weights(d, symbol), *_lines(d, symbol, kernel)])))
    lines.append(f"Local {'D1' if isinstance(diagrams, Diagram) else 'Dsum'} =")
    return "\n".join([*lines, *(f"  {term}" for term in terms or ["0"]), "  ;", "Print +s;", ".end\n"])


def mathematica_text(diagrams: Diagrams, *, vertex_kernel: str = "K") -> str:
    """Return the sum of diagrams as an expression of the Wolfram language, its integrals inert.

    Parameters
    ----------
    diagrams : Diagram, DiagramSet or iterable of Diagram
        Their terms are added; a diagram that stands for several labelled copies counts that many times.
    vertex_kernel : str
        Name of the function on lines with an end on a vertex, as in `feynnn.expression`.

    Returns
    -------
    str
        What `feynnn.expression` gives, with ``Inactive[Integrate]`` over the box (``Activate`` does the integrals once
        K is defined, in one dimension; in more, ``y^2`` means ``|y|^2`` and each integral is over the whole box).
        Underscores, which are patterns there, are left out, and couplings and kernels (K and K_v excepted) that begin
        with a capital, like the language's own E or I, are preceded by g; a comment lists the names that changed.

    Raises
    ------
    InputError
        If something is no diagram, or `vertex_kernel` is not an ASCII name or names a coupling or a point.

    Examples
    --------
    >>> import feynnn as fn
    >>> ds = fn.generate(fn.Theory.parse("lam*f**4"), 2, order=1)
    >>> print(ds[0].to_mathematica())
    -12*lam*Inactive[Integrate][K[x1, y]*K[x2, y]*K[y, y], {y, -Lambda, Lambda}]
    """
    items = _listed(diagrams)
    names = _legal_names(items, vertex_kernel, capitals=False)
    comments = [f"(* {new} is {old} *)" for old, new in names.items() if old != new]
    kernel = "K[{}, {}]", f"{names[vertex_kernel]}[{{}}, {{}}]"
    text = ""
    for d in items:
        sign, body = _term(d, names, _powers(_component(d, nodes, kernel) for nodes in d.components))
        # a line that could end the expression would: the sign stands before the line break
        text += f" {sign}\n{body}" if text else sign.strip("+") + body
    return "\n".join([*comments, text or "0"])


def _component(d: Diagram, nodes: Sequence[int], kernel: tuple[str, str]) -> str:
    """Return a component's kernels, or their integral over names of its own, so that equal components look equal."""
    inner = [node for node in nodes if node >= d.n]
    symbol = {node: d.names[node] for node in nodes if node < d.n}
    symbol |= {node: f"y{k + 1}" if len(inner) > 1 else "y" for k, node in enumerate(inner)}
    product = "*".join([*_weights(d, symbol), *_lines(d, symbol, kernel)])
    limits = "".join(f", {{{symbol[node]}, -Lambda, Lambda}}" for node in inner)
    return f"Inactive[Integrate][{product}{limits}]" if limits else product


def _listed(diagrams: Diagrams) -> list[Diagram]:
    items = [diagrams] if isinstance(diagrams, Diagram) else list(diagrams)
    for d in items:
        if not isinstance(d, Diagram):
            raise InputError(f"only diagrams can be exported, got {d!r}")
    return items


def _couplings(items: Iterable[Diagram]) -> list[str]:
    """Return the couplings that occur."""
    return [*dict.fromkeys(c for d in items for c, k in d.order.items() if k)]


def _legal_names(items: Sequence[Diagram], vertex_kernel: str, *, capitals: bool) -> dict[str, str]:
    """Return names of letters and digits for kernels and couplings, all different; a legal name stays as it is."""
    couplings = _couplings(items)
    if not isinstance(vertex_kernel, str) or not re.fullmatch(r"[A-Za-z]\w*", vertex_kernel, re.ASCII):
        raise InputError(f"vertex_kernel must be an ASCII name such as 'K_v', got {vertex_kernel!r}")
    if vertex_kernel in couplings or _TAKEN.fullmatch(vertex_kernel):
        raise InputError(f"vertex_kernel={vertex_kernel!r} is already the name of something else; choose another")
    wish = {"K": "K", "K_v": "Kv"} if vertex_kernel == "K_v" else {"K": "K"}
    for name in (vertex_kernel, *couplings):
        wish.setdefault(name, ("" if capitals or name[0].islower() else "g") + name.replace("_", ""))
    names = {old: new for old, new in wish.items() if old == new and not _TAKEN.fullmatch(new)}
    for old, new in wish.items():
        if old not in names:
            free = new
            while free in names.values() or _TAKEN.fullmatch(free):
                free += "a"
            names[old] = free
    return names


def _term(d: Diagram, names: Mapping[str, str], factors: Iterable[str]) -> tuple[str, str]:
    """Return the sign of a diagram's term, and the term without it."""
    c = d.coefficient
    product = [*(names[g] + (f"^{k}" if k > 1 else "") for g, k in d.order.items() if k), *factors]
    if abs(c) != 1 or not product:
        product.insert(0, str(abs(c)))
    return "-" if c < 0 else "+", "*".join(product)


def _lines(d: Diagram, symbol: Mapping[int, str], kernel: tuple[str, str]) -> list[str]:
    """Return the kernels of the lines between nodes that have a symbol: free lines first in `kernel`, then others."""
    return _powers(kernel[j >= d.n].format(symbol[i], symbol[j]) for i, j in d.edges if i in symbol)


def _powers(factors: Iterable[str]) -> list[str]:
    return [f"{factor}^{k}" if k > 1 else factor for factor, k in Counter(factors).items()]


def _weights(d: Diagram, symbol: Mapping[int, str]) -> list[str]:
    """Return the weights of the vertices whose points have a symbol."""
    return _powers(
        _polynomial(v, [symbol[p] for p in points])
        for points, v in zip(d.layout.points, d.layout.vertices, strict=True)
        if points[0] in symbol and v.has_profile
    )


def _polynomial(v: Interaction, points: Sequence[str]) -> str:
    """Return a vertex's weight at its points, in brackets."""
    text = ""
    for powers, c in v.profile:
        monomial = [p + (f"^{k}" if k > 1 else "") for p, k in zip(points, powers, strict=True) if k]
        size = [] if abs(c) == 1 and monomial else [str(abs(c))]
        text += (" - " if c < 0 else " + " if text else "") + "*".join(size + monomial)
    return f"({text.strip()})"
