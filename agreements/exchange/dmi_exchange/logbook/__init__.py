"""The log: entries that are only ever added, a Merkle tree over them, signed heads, and its forms for others."""
