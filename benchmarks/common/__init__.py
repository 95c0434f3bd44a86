"""What the benchmarks share: the facts of the machine, a node to load, and a client that costs little."""
