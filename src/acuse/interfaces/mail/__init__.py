"""Mail as a way in: reading what people and servers send to the firm's addresses."""
