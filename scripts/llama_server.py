# SPDX-License-Identifier: MIT
"""A llama-server of one's own, for scripts that measure."""
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import time
import urllib.request


class LlamaServer:
    """llama-server with a model, while the block lasts. `llama` is what scripts/llama-from-debian made, `more` further words
    for its command line."""

    def __init__(self, llama, model, threads, context, more):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.place = f"http://127.0.0.1:{port}"
        self.url = f"{self.place}/v1"
        self.command = [llama / "run", "llama-server", "-m", model, "--host", "127.0.0.1", "--port", str(port), "-t",
                        str(threads), "-c", str(context), *more]

    def __enter__(self):
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, stdin=quiet, stdout=quiet, stderr=quiet)
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.place}/health", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.2)
        self.process.kill()
        sys.exit(f"llama-server does not come up: {shlex.join(map(str, self.command))}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def processor_seconds(self):
        """What it has taken so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
