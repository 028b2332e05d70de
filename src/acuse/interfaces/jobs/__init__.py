"""What happens by itself: the worker, its jobs, and the letters that it sends."""
