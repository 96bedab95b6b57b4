"""Doubles of the two systems we talk to, each a real HTTP server on loopback.

They serve `make demo`, the tests, and anyone who tries a campaign before
traffic. Nothing else in the application imports this package.
"""
