"""Published studies as data, with the calls that reproduce them."""
