"""The page of `modelwright open`: one document without anything from elsewhere, and the server that it comes from."""
