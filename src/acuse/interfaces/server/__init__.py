"""What serves: the supervisor with its children, the web server, health and security headers."""
