"""Signs in what people type: characters that nobody sees, and macros in any notation. Pure."""
