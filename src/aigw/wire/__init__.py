"""Wire formats, sans-IO and in both directions: bytes and JSON on the one side, calls and chunks on the other."""
