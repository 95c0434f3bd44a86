"""The commands by subject: running the stack, data in and out, agreements, analysis."""
