"""What the Python scenarios share: arguments, expectations, and the result lines.

A scenario file registers functions with @scenario("name"); main() runs them in
the order of the file and prints, for each, one line

    pass<TAB>name
    fail<TAB>name<TAB>what was expected and what came

The process exits 0 when every scenario passed. A scenario that raises fails;
the others still run, so one wrong answer does not hide the rest.
"""

import argparse
import base64
import contextlib
import hashlib
import os
import random
import shutil
import socket
import sys
import tempfile
import traceback

PART = 102400  # smallest size of a part that is not the last, in bytes

# Names that a careless server cleans, decodes twice or refuses.
AWKWARD_KEYS = [
    "a b+c",
    "a//b",
    "a/../../etc/passwd",
    "../../etc/passwd",
    "中文/é",
    "100%25",
    "~!*'()",
    "dir/",
    "a?b&c=d#e;f",
    "<&>\"'",
    ".",
    "..",
    "./.",
    "k" * 1023,
]

_scenarios = []


def scenario(name):
    def register(function):
        _scenarios.append((name, function))
        return function

    return register


class Mismatch(AssertionError):
    """An answer that is not what the protocol says."""


def equal(got, want, what="value"):
    if got != want:
        raise Mismatch("%s: got %.300r, want %.300r" % (what, got, want))


def true(condition, what):
    if not condition:
        raise Mismatch(what)


@contextlib.contextmanager
def refused(status_and_code, status, code):
    """The block must raise a service error with this status and code.

    status_and_code reads both out of the client's own exception, and returns
    None for an exception that did not come from the service.
    """
    try:
        yield
    except Mismatch:
        raise
    except Exception as e:  # every client has its own hierarchy
        got = status_and_code(e)
        if got is None:
            raise
        equal(got, (status, code), "error")
    else:
        raise Mismatch("no error, want %d %s" % (status, code))


def data(seed, size):
    """size bytes that do not repeat; equal seeds give equal bytes."""
    return random.Random(str(seed)).randbytes(size)


def md5_hex(content):
    return hashlib.md5(content).hexdigest().upper()


def md5_base64(content):
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def multipart_etag(part_etags):
    """MD5 over the text of the parts' ETags, a dash, and their count."""
    part_etags = list(part_etags)
    return "%s-%d" % (md5_hex("".join(part_etags).encode()), len(part_etags))


def tampered(url):
    """The signed URL with another signature, V1 or V4."""
    before, signature = url.split("ignature=", 1)
    return before + "ignature=" + ("1" if signature[0] == "0" else "0") + signature[1:]


def resolve_to_loopback(*suffixes):
    """Makes names that end so lead to 127.0.0.1 in this process.

    RFC 6761 reserves them for that, but the resolver of glibc knows only the
    bare "localhost" unless nss-myhostname is installed.
    """
    resolve = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name and name.rstrip(".").endswith(suffixes):
            host = "127.0.0.1"
        return resolve(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--style", choices=["path", "virtual", "https", "cname"], required=True)
    parser.add_argument("--signature", choices=["v1", "v4"], required=True)
    parser.add_argument("--prefix", required=True, help="bucket names begin with this")
    parser.add_argument("--only", help="run only the scenario of this name")
    options = parser.parse_args()
    options.access_key_id = os.environ["OSSA_ROOT_ACCESS_KEY_ID"]
    options.access_key_secret = os.environ["OSSA_ROOT_ACCESS_KEY_SECRET"]
    options.admin = os.environ["OSSA_ADMIN_ENDPOINT"]
    options.ossa = os.environ["OSSA_BIN"]
    options.region = os.environ.get("OSSA_REGION", "cn-hangzhou")
    return options


def main(options, world):
    """Runs every scenario with world, which carries the client, and exits."""
    failed = 0
    world.folder = tempfile.mkdtemp(prefix="ossa-compat-")
    try:
        for name, function in _scenarios:
            if options.only and name != options.only:
                continue
            try:
                function(world)
                print("pass\t%s" % name, flush=True)
            except Exception as e:
                failed += 1
                where = traceback.extract_tb(e.__traceback__)
                line = next((f for f in reversed(where) if f.filename == function.__code__.co_filename), where[-1])
                text = " ".join(("%s: %s" % (type(e).__name__, e)).split())
                print("fail\t%s\tline %d: %.900s" % (name, line.lineno, text), flush=True)
    finally:
        shutil.rmtree(world.folder, ignore_errors=True)
    sys.exit(1 if failed else 0)
