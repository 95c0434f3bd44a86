"""The ``dmi`` command, the composition of the stack, its servers, and the demonstration city."""
