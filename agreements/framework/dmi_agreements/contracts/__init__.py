"""Message contracts: what travels on the topics, one module per contract, all frozen and versioned."""
