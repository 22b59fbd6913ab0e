"""Calls without a pause until standard input ends, then prints how often each code was the answer, as JSON."""

import collections
import json
import sys
import threading

from target import open_channel, request_of, service

codes = collections.Counter()
ended = threading.Event()


def call(stub):
    while not ended.is_set():
        future = stub.Unary.future(request_of(wait_ms=10), wait_for_ready=True, timeout=20)
        codes[future.code().name] += 1


with open_channel(options=[("grpc.initial_reconnect_backoff_ms", 100)]) as channel:
    threads = [threading.Thread(target=call, args=(service(channel),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
print(json.dumps(codes))
