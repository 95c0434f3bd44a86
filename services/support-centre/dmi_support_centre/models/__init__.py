"""Analysis models: pure functions on arrays and values, without store, bus or HTTP."""
