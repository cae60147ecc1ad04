"""Python's own ThreadingHTTPServer beside lesson 08's: a thread for each connection.

usage: http_python.py --directory DIR --port N
"""

import argparse
import functools
import http.server

parser = argparse.ArgumentParser()
parser.add_argument("--directory", required=True)
parser.add_argument("--port", type=int, required=True)
options = parser.parse_args()


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # as it comes it is HTTP/1.0, and keeps no connection

    def log_message(self, *_):  # as quiet as the kit's servers
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # as it comes it is 5: more clients than that wait for a second


server = Server(("127.0.0.1", options.port),
                functools.partial(Handler, directory=options.directory))
print("listening on 127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
