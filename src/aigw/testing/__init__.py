"""What the tests of an application need: a clock to turn by hand, providers that follow a script, a faulty server."""
