"""The transaction module: what uses cost, what was used, what is billed, and the commons."""
