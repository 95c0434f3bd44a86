"""The language of agreements: reading a document, compiling it, filling in a template."""
