"""Spark on loopback: a master and two workers, each a process of its own."""

import os
import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
_CLASS = "org.apache.spark.deploy."
_READY = "Registering worker"
_PATIENCE_SECONDS = 120


def _free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def _begun(folder, *arguments, told):
    return subprocess.Popen(
        [HOME / "bin" / "spark-class", f"{_CLASS}{arguments[0]}", *arguments[1:]],
        stdout=told,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ
        | {
            "SPARK_HOME": str(HOME),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(folder),
        },
    )


@contextmanager
def cluster(folder):
    """Yield the URL of a master with two workers of one core each; they end with it."""
    port = _free()
    here = ("--host", "127.0.0.1")
    told = ("--port", port, "--webui-port", _free())
    master = _begun(folder, "master.Master", *here, *told, told=subprocess.PIPE)
    begun = [master]
    late = threading.Timer(_PATIENCE_SECONDS, master.kill)
    late.start()
    reader = threading.Thread(target=master.stdout.read, daemon=True)
    try:
        url = f"spark://127.0.0.1:{port}"
        for _ in range(2):
            given = ("--webui-port", _free(), "--cores", "1", "--memory", "1g", url)
            begun.append(_begun(folder, "worker.Worker", *here, *given, told=subprocess.DEVNULL))
        said = []
        while sum(_READY in line for line in said) < 2:
            line = master.stdout.readline()
            assert line, "".join(said)[-2000:]
            said.append(line)
        late.cancel()
        # What it says later must not fill the pipe.
        reader.start()
        yield url
    finally:
        late.cancel()
        for process in reversed(begun):
            process.terminate()
        for process in begun:
            process.wait(30)
        if reader.ident is not None:
            reader.join()
        master.stdout.close()
