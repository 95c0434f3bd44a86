"""HTTP of every service: problem documents, identity, gated access, health, limits."""
