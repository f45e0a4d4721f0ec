"""Where the local cloud keeps what runs made: documents and streams in SQLite, objects as content-addressed files."""
