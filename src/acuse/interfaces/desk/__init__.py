"""The firm's desk: lists, the case as the firm sees it, mail, terms, people and books."""
