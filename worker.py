"""`python worker.py`: the worker dyno. See app/worker/supervisor.py."""

import sys

from app.worker.supervisor import main

if __name__ == "__main__":
    sys.exit(main())
