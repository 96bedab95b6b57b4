"""What leaves for the operator's own tools: traces by OpenTelemetry, and faults by Sentry.

Neither library is imported, and nothing is done, until its variable is set. Whoever meets
something to tell asks first, with one `if`: `traces.on`, `faults.on`.
"""
