"""The operator's own bot: logins, digests of notifications, and their buttons."""

from typing import Final

#: The data of a button is one of these verbs, a colon and the id that it is about.
MUTE: Final = "mute"  # a campaign
ALLOW: Final = "allow"  # a login: "Yes"
APPROVE: Final = "approve"  # the requests of a campaign that wait
KEEP: Final = "keep"  # a transfer: "Call it off"
UNDO: Final = "undo"  # a login: "It was not me"
