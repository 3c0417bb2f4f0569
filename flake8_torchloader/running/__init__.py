"""Runs the user's programs: a program and a trial go in, what the run showed comes out."""
