"""Graphs and integers only: diagrams, their generation, classes and counts."""
