"""Visits of many people that become one transaction."""
