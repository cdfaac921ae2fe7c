"""The grammar of actions: what it reads, what it refuses, and that nothing is ever evaluated."""

from fractions import Fraction
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.errors import InputError
from feynnn.theory import Interaction, Theory
from feynnn.theory.parsing import parse_polynomial, parse_terms

names = st.sampled_from(["lam", "kap", "g", "lam_0", "mu4", "lambda", "E", "pi", "S", "N1", "eps"])
fractions = st.fractions(min_value=-50, max_value=50, max_denominator=30).filter(bool)


@st.composite
def interactions(draw: st.DrawFn, name: str) -> Interaction:
    degree = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
    powers = st.tuples(*[st.integers(0, 3)] * len(degree))
    profile = draw(st.none() | st.dictionaries(powers, fractions, min_size=1, max_size=3))
    return Interaction(degree, name, draw(fractions), profile)


@st.composite
def theories(draw: st.DrawFn) -> Theory:
    chosen = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    return Theory([draw(interactions(name)) for name in chosen], normal_ordered=draw(st.booleans()))


@given(theories())
@settings(deadline=None, max_examples=50)
def test_text_round_trip(theory: Theory) -> None:
    again = Theory.parse(str(theory), normal_ordered=theory.normal_ordered)
    assert again == theory
    assert hash(again) == hash(theory)
    assert str(again) == str(theory)
    assert again.couplings == theory.couplings
    assert Theory.from_dict(theory.to_dict()) == theory


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lam*f**4", "lam*f**4"),
        ("lam * f^4", "lam*f**4"),
        ("f**4*lam", "lam*f**4"),
        ("f*f*lam*f*f", "lam*f**4"),
        ("lam/24*f**4", "1/24*lam*f**4"),
        ("0.125*lam*f**4", "1/8*lam*f**4"),
        ("1e-2*lam*f**4", "1/100*lam*f**4"),
        ("-lam*f**4 - kap*f**6", "-lam*f**4 - kap*f**6"),
        ("+lam*f**4", "lam*f**4"),
        ("--lam*f**4", "lam*f**4"),
        ("lam*-f**4", "-lam*f**4"),
        ("2*(lam*f**4 + kap*f**6)/3", "2/3*lam*f**4 + 2/3*kap*f**6"),
        ("lam2*y**2*f**4", "lam2*y**2*f**4"),
        ("lam*(1/2 - y**2/3)*f**4", "1/6*lam*(3 - 2*y**2)*f**4"),
        ("lam*(y**2 - 1)*f**4", "-lam*(1 - y**2)*f**4"),
        ("lam*f(y)**4", "lam*f**4"),
        ("lamNL*f(y)**2*f(z)**2", "lamNL*f(y)**2*f(z)**2"),
        ("g*y*z**2*f(y)*f(z)*f(w)**3", "g*y*z**2*f(y)*f(z)*f(w)**3"),
        ("g*f**3 + h*f**5", "g*f**3 + h*f**5"),
        ("g*f", "g*f"),
        ("m2/2*f**2", "1/2*m2*f**2"),
        ("\tlam*f**4\n", "lam*f**4"),
    ],
)
def test_what_is_read(text: str, shown: str) -> None:
    assert str(Theory.parse(text)) == shown


def test_a_profile_is_a_polynomial_in_the_points() -> None:
    (term,) = Theory.parse("lam*(1 + 2*y**2 - y**4)*f**4").interactions
    assert dict(term.profile) == {(0,): 1, (2,): 2, (4,): -1}
    assert term == Interaction(4, "lam", profile="1 + 2*y**2 - y**4")
    (bilocal,) = Theory.parse("lamNL*(y - z)**2*f(y)**2*f(z)**2").interactions
    assert bilocal == Interaction((2, 2), "lamNL", profile="y**2 - 2*y*z + z**2")


REFUSED = [
    ("", "empty"),
    (" \n\t", "empty"),
    ("4*f**4", "4\\*f\\(y\\)\\*\\*4 has no coupling"),
    ("f**4", "has no coupling"),
    ("3", "has no coupling"),
    ("lam", "has no field"),
    ("lam*y**2", "has no field"),
    ("lam*kap*f**4", r"the couplings kap\*lam"),
    ("lam**2*f**4", r"the couplings lam\*\*2"),
    ("lam*f**0", "power of zero"),
    ("lam**0*f**4", "power of zero"),
    ("lam*f**-4", "exponent must be a whole number"),
    ("lam*f**2.5", "exponent must be a whole number"),
    ("lam*f**n", "exponent must be a whole number"),
    ("lam*f**(2)", "exponent must be a whole number"),
    ("lam*f**2**2", r"unexpected '\*\*' at column 9"),
    ("lam*f**", "got nothing"),
    ("lam*f**65", "up to 64"),
    ("lam*f**999999999999999999999999", "up to 64"),
    ("lam*(f**64)**2", "a power is larger than 64"),
    ("lam*f**40*f**40", "a power is larger than 64"),
    ("lam/0*f**4", "only division by a non-zero number"),
    ("lam/(1-1)*f**4", "only division by a non-zero number"),
    ("1/lam*f**4", "only division by a non-zero number"),
    ("lam*f**4/f", "only division by a non-zero number"),
    ("lam*f**4/", "ends too early"),
    ("lam*f**4 +", "ends too early"),
    ("lam*(f**4", r"missing '\)'"),
    ("lam*f**4)", r"unexpected '\)'"),
    ("lam f**4", "unexpected 'f' at column 5"),
    ("2lam*f**4", "unexpected 'lam'"),
    ("lam*f(x)**4", "must be one of y, z, w, got 'x'"),
    ("lam*f(y", r"missing '\)'"),
    ("lam*f()", "must be one of y, z, w"),
    ("lam*f(z)**2", "must use the points y in order"),
    ("lam*f(y)**2*f(w)**2", "must use the points y, z in order"),
    ("lam*z**2*f**4", "weight at a point without a field"),
    ("lam*f**4 + lam*f**6", "'lam' names two terms"),
    ("lam*f**4 + lam*f**4", "'lam' names two terms"),
    ("lam*f**4 + lam*y**2*f**4", "'lam' names two terms; .* or write one weight"),
    ("lam*f**4 - lam*f**4", "'lam' names two terms"),
    ("lam*(f**4 + f**6)", "'lam' names two terms"),
    ("lam*f**4 + 0*kap*f**6", "is zero; leave it out"),
    ("x*f**4", "'x' is taken"),
    ("K*f**4", "'K' is taken"),
    ("w3*f**4", "'w3' is taken"),
    ("_a*f**4", "ASCII name"),
    ("λ*f**4", "unexpected character at column 1"),
    ("lam*f⁴", "unexpected character at column 6"),
    ("lam*f**4;", "unexpected character"),
    ("lam*f**4 # comment", "unexpected character at column 10"),
    ("lam*f**4\x00", "unexpected character"),
    ("lam\u00a0*f**4", "unexpected character"),
    ("lam=1", "unexpected character"),
    ('__import__("os")', "unexpected"),
    ('__import__("os").system("true")*f**4', "unexpected"),
    ("f.__class__", "unexpected character"),
    ("lambda: 0", "unexpected character"),
    ("exp(lam)*f**4", r"unexpected '\('"),
    ("lam*f**4 if 1 else 0", "unexpected 'if'"),
    ("{}", "unexpected character"),
    ("'lam'*f**4", "unexpected character"),
]


@pytest.mark.parametrize(("text", "match"), REFUSED)
def test_what_is_refused(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        Theory.parse(text)


@pytest.mark.parametrize("text", [None, 4, b"lam*f**4", ["lam*f**4"], Interaction(4, "lam")])
def test_only_text_is_read(text: Any) -> None:
    with pytest.raises(InputError, match="expected text such as"):
        Theory.parse(text)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("(" * 60 + "lam*f**4" + ")" * 60, "nested too deeply"),
        ("(" * 4000, "nested too deeply"),
        ("-" * 4000 + "lam*f**4", "nested too deeply"),
        ("lam*f**4*" + "2*" * 4000 + "2", "more than 300 digits"),
        ("(" * 9 + "2" + "**64)" * 9 + "*lam*f**4", "more than 300 digits"),
        ("lam*f**4/" + "/".join(["7"] * 1000), "more than 300 digits"),
        ("1e999999999*lam*f**4", "more than 300 digits"),
        ("1e-999999999*lam*f**4", "more than 300 digits"),
        ("9" * 5000 + "*lam*f**4", "more than 300 digits"),
        ("lam*f**4*(" + " + ".join(f"1/{k}" for k in range(1, 950)) + ")", "more than 300 digits"),
        ("lam*(1 + y)**60*(1 + y)**10*f**4", "a power is larger than 64"),
        ("(a + b + c + d + e)**40*f**4", "more than 1000 terms when multiplied out"),
        ("(" + " + ".join(f"a{k}" for k in range(1200)) + ")*f", "more than 1000 terms"),
        (" + ".join(f"a{k}*f" for k in range(2000)), "characters, more than 10000"),
    ],
)
def test_text_that_would_take_long_or_much_memory_is_refused_at_once(text: str, match: str) -> None:
    start = perf_counter()
    with pytest.raises(InputError, match=match) as caught:
        Theory.parse(text)
    assert perf_counter() - start < 5.0
    assert len(str(caught.value)) < 300


@given(st.text(alphabet="lam kapfyzw()*^/+-0123456789.e", max_size=30))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_with_our_own_error(text: str) -> None:
    try:
        theory = Theory.parse(text)
    except InputError:
        return
    assert Theory.parse(str(theory)) == theory


def test_the_message_points_at_the_place() -> None:
    with pytest.raises(InputError) as caught:
        Theory.parse("lam*f**4 + kap?f**6")
    assert str(caught.value) == (
        "cannot read the expression: unexpected character at column 15: 'lam*f**4 + kap >>>?f**6'"
    )


def test_polynomials_add_up_and_terms_do_not() -> None:
    assert parse_polynomial("a + a - 3*a") == {(("a", 1),): Fraction(-1)}
    assert parse_polynomial("a - a") == {}
    assert parse_polynomial("(a + b)*(a - b)") == {(("a", 2),): Fraction(1), (("b", 2),): Fraction(-1)}
    assert len(parse_terms("a + a - 3*a")) == 3
    assert parse_terms("a - 2*b")[1] == {(("b", 1),): Fraction(-2)}
