"""Are the verdicts right? Simulated releases with the real judge, beside what others decide by."""
