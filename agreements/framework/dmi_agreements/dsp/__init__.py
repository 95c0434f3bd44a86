"""The Dataspace Protocol 2025-1 (errata 1) without its transport: states, messages, policies."""
