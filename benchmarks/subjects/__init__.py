"""What is measured: each module is run in a process of its own, and answers one task after the other."""
