"""The data plane between nodes: what flows under a transfer, how far it has come, and under which decisions."""
