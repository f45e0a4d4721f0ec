"""The processes that serve: started, forked, watched, drained, counted."""
