"""What is printed for people: one look, set as PDF that can be read aloud."""
