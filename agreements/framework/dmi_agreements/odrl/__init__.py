"""ODRL 2.2 whole: the information model, what it means, and the proof of each verdict. Pure, no I/O."""
