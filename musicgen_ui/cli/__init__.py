"""The command line, one file a command."""

import os

# Has to be set before torch or numba loads OpenMP. A composer's steps are small, and threads that spin while they
# wait for one another starve each other on a busy machine: 4 bars took 47 s of wall time instead of 2.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
