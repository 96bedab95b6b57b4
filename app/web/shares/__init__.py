"""What strangers and accounts may take of a web process: its threads, its interpreter, its time."""
