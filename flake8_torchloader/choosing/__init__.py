"""What a user chooses: codes, files and options, in a config file or on a command line."""
