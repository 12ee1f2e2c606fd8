"""SmartBFT is asked when tests are asked for on real Fabric: it takes three minutes, mostly waiting."""

import os

from support.engines import VARIABLE

collect_ignore = [] if os.environ.get(VARIABLE) == "fabric" else ["test_smartbft.py"]
