"""Measuring a model on text it cannot have seen, and judging the result by what its published scores promise."""
