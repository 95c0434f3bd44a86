"""HTTP routes of the support centre. A route parses, calls a handler, presents."""
