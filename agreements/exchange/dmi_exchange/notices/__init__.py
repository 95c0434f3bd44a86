"""Recipients are told of what persons ask for their data (GDPR art. 19): on this node, and on others by a message."""
