"""Forks whenever the host permits it, until a file is removed. Makes that file at the first fork that fails. Its children end with it."""
import os
import select
import sys

end, held = os.pipe()
is_full = False
while not is_full or os.path.exists(sys.argv[1]):
    try:
        if os.fork() == 0:
            # The end of the parent closes the pipe.
            os.close(held)
            os.read(end, 1)
            os._exit(0)
    except OSError:
        if not is_full:
            open(sys.argv[1], "w").close()
            is_full = True
        select.select([], [], [], 0.001)
