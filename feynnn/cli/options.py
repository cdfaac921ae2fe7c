"""Options that several commands share: one name, one meaning, one help text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from . import parsing

if TYPE_CHECKING:
    from ..theory.action import Theory

Action = Annotated[str, typer.Argument(help="The action, for example 'lam*f**4 + kap*f**6'.", show_default=False)]
N = Annotated[int, typer.Option("-n", help="Number of points.")]
Kind = Annotated[str, typer.Option(help="all, vacuum-free, connected, amputated, 1PI or 2PI.")]
Propagator = Annotated[str, typer.Option(help="free, or exact: drop self-energy insertions.")]
NormalOrdered = Annotated[bool, typer.Option("--normal-ordered", help="Drop lines from a point to itself.")]
Json = Annotated[bool, typer.Option("--json", help="Print the machine-readable result.")]
Output = Annotated[str | None, typer.Option("--output", "-o", help="Write the result to this file.")]
KernelName = Annotated[str, typer.Option("--kernel", help=f"{', '.join(parsing.KERNELS)}.")]
SigmaW = Annotated[float, typer.Option(help="Standard deviation of the weights.")]
SigmaB = Annotated[float, typer.Option(help="Standard deviation of the biases.")]
Mass = Annotated[float, typer.Option(help="Mass of the free scalar.")]
DIn = Annotated[int, typer.Option(help="Input dimension.")]
WithoutBias = Annotated[bool, typer.Option("--without-bias", help="Vertex kernel K - sigma_b^2, as on the slides.")]
CutoffValue = Annotated[str, typer.Option("--cutoff", help="Half the side of each vertex's box; inf for all space.")]
Points = Annotated[str, typer.Option(help="Inputs: 0.2,0.4 or 1,1;1,-1 or a file, or - for standard input.")]
MaxOrder = Annotated[str, typer.Option(help="Cumulative order: 2, or lam=2,kap=1.")]
Rtol = Annotated[float, typer.Option(help="Relative accuracy of the integrals.")]
NetworkName = Annotated[str, typer.Argument(help="gauss, erf or relu.", show_default=False)]
Width = Annotated[str, typer.Option(help="Number of hidden units; inf for the Gaussian process.")]
DataFile = Annotated[str, typer.Argument(help="A saved n-point function or ensemble, or -.", show_default=False)]


def theory_of(action: str, propagator: str = "free", normal_ordered: bool = False) -> Theory:
    """Read an action with its scheme."""
    from ..theory.action import Theory

    return Theory.parse(action, propagator=cast(Any, propagator), normal_ordered=normal_ordered)
