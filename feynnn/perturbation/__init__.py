"""From diagrams and actions to expressions and numbers."""
