"""What was found before and still is: looked up by all that it rests on, and never needed."""
