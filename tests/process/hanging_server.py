# SPDX-License-Identifier: MIT
"""The corridor's server, which can be made to stop answering: hanging_server.py REQUEST FOLDER

While FOLDER/hang is there it never answers a REQUEST (spec, reset or step), but for the first so many that FOLDER/hang
says. Whoever hangs writes its process id into FOLDER/hanging, and cannot be asked to end.
"""
import os
import runpy
import signal
import sys
import time

import icpi_environment

name, folder = sys.argv[1:3]
inner = getattr(icpi_environment._Server, name)


def hang_or_answer(self, request):
    if os.path.exists(folder + "/hang"):
        with open(folder + "/asked", "a") as asked:
            asked.write(".")
        with open(folder + "/hang") as hang:
            allowed = int(hang.read())
        if os.path.getsize(folder + "/asked") > allowed:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            with open(folder + "/hanging", "w") as hanging:
                hanging.write(f"{os.getpid()}\n")
            while True:
                time.sleep(60)
    return inner(self, request)


setattr(icpi_environment._Server, name, hang_or_answer)
runpy.run_path(os.path.join(os.path.dirname(__file__), "../../examples/corridor_server.py"))
