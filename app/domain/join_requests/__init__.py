"""The join-request desk: whom it lets in, and when. Pure."""
