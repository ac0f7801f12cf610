"""The rules' engine: load, compile, evaluate."""
