"""What runs in the server's process: a Jupyter server that ends when its stdin does.

The tests hold the other end of stdin. So the server and its kernels are gone also when the tests were killed.
"""

from __future__ import annotations

import os
import sys
import threading

from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp
from notebook.app import JupyterNotebookApp

APPS = {"lab": LabApp, "notebook": JupyterNotebookApp}


def end_with_stdin() -> None:
    """Wait until stdin is closed; then shut the kernels down, and the server."""
    sys.stdin.read()
    if not ServerApp.initialized():
        os._exit(1)
    app = ServerApp.instance()
    app.io_loop.add_callback(app.stop)


if __name__ == "__main__":
    threading.Thread(target=end_with_stdin, daemon=True).start()
    APPS[sys.argv[1]].launch_instance(sys.argv[2:])
