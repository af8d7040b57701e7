"""Runs a command with moto's DynamoDB at DYNAMODB_ENDPOINT: `make test-quota`.

DynamoDB applies requests to an item one after the other (Amazon DynamoDB Developer Guide, "Atomic counters"). moto's own
server has several threads and applies them concurrently. This server has only one thread.
"""

import os
import subprocess
import sys
from threading import Thread

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_request(self, code="-", size="-"):
        pass


server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), request_handler=Quiet)
Thread(target=server.serve_forever, daemon=True).start()
environment = {**os.environ, "DYNAMODB_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
sys.exit(subprocess.run(sys.argv[1:], env=environment, check=False).returncode)
