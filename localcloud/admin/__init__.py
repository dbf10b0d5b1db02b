"""`/_local`: what no cloud offers. Look inside, move the clock, set faults, go back to the start."""
