"""Pages of the app, one question a file; `ui` is what they share."""
