"""How often `/in/<key>` may be called."""

from typing import Final

from app.services.accounts.rate_limits import Limit

#: By key: what one sender reports in its best minutes.
CALLS_OF_KEY: Final = Limit("event-key", per_minute=1200, burst=600)
#: By account, however many keys it has.
CALLS_OF_ACCOUNT: Final = Limit("event-account", per_minute=3000, burst=3000)
#: By address, before the key is looked up. One server reports for many customers.
CALLS_OF_ADDRESS: Final = Limit("event-address", per_minute=6000, burst=3000)
