"""The exchange: participants, agreements, consents, catalogue, tokens, review and log."""
