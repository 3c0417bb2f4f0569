"""What is injected into the processes of a watched program: the folder stands in their PYTHONPATH.

It is a package only so that it gets installed with the others: nothing of ours imports it, and it imports nothing of
ours.
"""
