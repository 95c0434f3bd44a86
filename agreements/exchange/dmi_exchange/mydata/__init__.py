"""What people do about their own data: see who used it, stop, erase, correct, object, take along."""
