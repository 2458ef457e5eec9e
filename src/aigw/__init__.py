"""aigw: an AI gateway inside the application."""
