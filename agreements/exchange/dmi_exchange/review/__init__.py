"""Review: each proposal checked before it becomes an agreement, and again while it runs."""
