"""``python -m feynnn.cli``."""

from . import main

main()
