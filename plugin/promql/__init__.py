"""PromQL: the text of the one query, and users' expressions put into it."""
