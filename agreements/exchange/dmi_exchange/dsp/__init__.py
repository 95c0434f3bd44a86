"""The Dataspace Protocol 2025-1 at this node: catalogue, negotiation and transfer, as provider and as consumer."""
