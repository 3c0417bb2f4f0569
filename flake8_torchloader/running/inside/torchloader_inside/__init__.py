"""The recorder that runs inside the processes of a watched program.

It needs nothing but the standard library (Python 3.9 and later), looks at torch only where the program has imported
it, and tells what it sees by appending one JSON line an event to a file.
"""
