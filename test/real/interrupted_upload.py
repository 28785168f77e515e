"""Uploads a file through oss2, kills the server in the middle, and resumes.

The program starts and stops the server itself, since it must kill it at a
moment that it chooses: when half of the parts are acknowledged and others are
on their way. A failed expectation ends it with status 1.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time

import oss2
from oss2.credentials import EnvironmentVariableCredentialsProvider
from oss2.models import PartInfo

BUCKET = "real-life"
KEY = "archives/go distribution.tar"
THREADS = 4
PREFERRED_PART_SIZE = 8 * 1024 * 1024
PIECE = 1024 * 1024  # bytes hashed at a time


def fail(what):
    sys.exit("real: " + what)


def expect(condition, what):
    if not condition:
        fail(what)


class Progress:
    """One line on a terminal that is written over; silent elsewhere."""

    def __init__(self, title, total):
        self.title, self.total, self.last = title, total, 0.0
        self.shown = sys.stderr.isatty()

    def show(self, done):
        now = time.monotonic()
        if self.shown and now - self.last > 0.1:
            self.last = now
            print("\r%s %3d %%" % (self.title, 100 * done // self.total), end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.shown:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


class Server:
    """The server on one data directory; a free port each time it starts."""

    def __init__(self, binary, data):
        self.binary, self.data = binary, data
        self.log = data + ".log"

    def start(self):
        """Returns the endpoint, once the server is ready."""
        environment = dict(os.environ, OSSA_ROOT_ACCESS_KEY_ID=os.environ["OSS_ACCESS_KEY_ID"],
                           OSSA_ROOT_ACCESS_KEY_SECRET=os.environ["OSS_ACCESS_KEY_SECRET"])
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--admin-listen", "off",
                 "--region", os.environ["OSS_REGION"], "--access-log=false", "--log-level", "warn"],
                stderr=log, stdin=subprocess.DEVNULL, env=environment)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            with open(self.log) as log:
                for line in log:
                    if "ready on " in line:
                        return line.split("ready on ")[1].split()[0]
            time.sleep(0.02)
        with open(self.log) as log:
            fail("the server did not become ready: " + log.read())

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


def open_bucket(endpoint):
    auth = oss2.ProviderAuthV4(EnvironmentVariableCredentialsProvider())
    return oss2.Bucket(auth, endpoint, BUCKET, region=os.environ["OSS_REGION"])


def slices(size, part_size):
    """The parts of a file: number -> (offset, length)."""
    starts = range(0, size, part_size)
    return {number: (start, min(part_size, size - start)) for number, start in enumerate(starts, 1)}


class Upload:
    """Sends parts with several threads and remembers what was acknowledged."""

    def __init__(self, path, upload_id, parts):
        self.path, self.upload_id, self.parts = path, upload_id, parts
        self.acknowledged = {}  # number -> ETag
        self.changed = threading.Condition()
        self.errors = []

    def send(self, bucket, numbers):
        """Starts the threads; they end when all is sent or a request failed."""
        todo = list(reversed(sorted(numbers)))
        threads = [threading.Thread(target=self._work, args=(bucket, todo), daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        return threads

    def _work(self, bucket, todo):
        with open(self.path, "rb") as f:
            while True:
                with self.changed:
                    if not todo or self.errors:
                        return
                    number = todo.pop()
                offset, length = self.parts[number]
                f.seek(offset)
                try:
                    part = oss2.SizedFileAdapter(f, length)
                    etag = bucket.upload_part(KEY, self.upload_id, number, part).etag
                except Exception as e:
                    with self.changed:
                        self.errors.append(e)
                        self.changed.notify_all()
                    return
                with self.changed:
                    self.acknowledged[number] = etag
                    self.changed.notify_all()

    def wait_for(self, count, progress):
        """Returns once count parts are acknowledged or a thread has failed."""
        with self.changed:
            while len(self.acknowledged) < count and not self.errors:
                progress.show(len(self.acknowledged))
                self.changed.wait(1)


def digests(path, parts):
    """SHA-256 and CRC-64 of the file and the MD5 of each part, in one pass."""
    sha256, crc64, md5s = hashlib.sha256(), oss2.utils.Crc64(), {}
    with open(path, "rb") as f:
        for number, (_, length) in parts.items():
            md5 = hashlib.md5()
            while length:
                piece = f.read(min(PIECE, length))
                length -= len(piece)
                for digest in (sha256, crc64, md5):
                    digest.update(piece)
            md5s[number] = md5.hexdigest().upper()
    return sha256.hexdigest(), crc64.crc, md5s


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ossa", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--file", required=True)
    options = parser.parse_args()

    size = os.path.getsize(options.file)
    part_size = oss2.determine_part_size(size, preferred_size=PREFERRED_PART_SIZE)
    parts = slices(size, part_size)
    sha256, crc64, md5s = digests(options.file, parts)
    server = Server(options.ossa, options.data)
    try:
        run(server, options.file, size, parts, sha256, crc64, md5s)
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def run(server, path, size, parts, sha256, crc64, md5s):
    mib = size / 2**20
    bucket = open_bucket(server.start())
    bucket.create_bucket()
    progress = Progress("upload  ", len(parts))

    # First half, until the server dies with requests on their way.
    upload = Upload(path, bucket.init_multipart_upload(KEY).upload_id, parts)
    started = time.monotonic()
    threads = upload.send(bucket, parts)
    upload.wait_for(len(parts) // 2, progress)
    expect(not upload.errors, "a part was refused: %s" % upload.errors)
    server.end(signal.SIGKILL)
    for thread in threads:
        thread.join()
    first = time.monotonic() - started
    acknowledged = dict(upload.acknowledged)
    expect(len(acknowledged) < len(parts), "the upload was over before the server was killed")
    progress.clear()
    print("upload     %.1f s, killed with %d of %d parts acknowledged" % (first, len(acknowledged), len(parts)))

    # What was acknowledged is there.
    started = time.monotonic()
    bucket = open_bucket(server.start())
    print("restart    %.2f s" % (time.monotonic() - started))
    listed = {part.part_number: part for part in oss2.PartIterator(bucket, KEY, upload.upload_id, max_parts=50)}
    for number, etag in acknowledged.items():
        expect(number in listed, "part %d was acknowledged and is gone" % number)
        expect(listed[number].etag == etag, "part %d has another ETag than was acknowledged" % number)
    for number, part in listed.items():
        expect((part.etag, part.size) == (md5s[number], parts[number][1]), "part %d is not what was sent" % number)
    expect(not bucket.object_exists(KEY), "an object exists before the upload is complete")

    # The rest, then one object.
    started = time.monotonic()
    upload.errors.clear()
    upload.acknowledged = {number: part.etag for number, part in listed.items()}
    threads = upload.send(bucket, set(parts) - set(listed))
    upload.wait_for(len(parts), progress)
    for thread in threads:
        thread.join()
    expect(not upload.errors, "a part was refused after the restart: %s" % upload.errors)
    second = time.monotonic() - started
    progress.clear()
    rate = mib * (1 - len(listed) / len(parts)) / second
    print("resume     %.1f s for the other %d parts, %.0f MiB/s" % (second, len(parts) - len(listed), rate))
    complete = [PartInfo(number, etag) for number, etag in sorted(upload.acknowledged.items())]
    started = time.monotonic()
    result = bucket.complete_multipart_upload(KEY, upload.upload_id, complete)
    print("complete   %.3f s for %d parts" % (time.monotonic() - started, len(parts)))
    texts = "".join(md5s[number] for number in sorted(md5s))
    expect(result.etag == "%s-%d" % (hashlib.md5(texts.encode()).hexdigest().upper(), len(parts)), "ETag: " + result.etag)
    expect(result.crc == crc64, "CRC-64 at complete: %d, the file has %d" % (result.crc, crc64))

    # Down again.
    started = time.monotonic()
    progress = Progress("download", size)
    got, count = hashlib.sha256(), 0
    answer = bucket.get_object(KEY)
    for piece in iter(lambda: answer.read(PIECE), b""):
        got.update(piece)
        count += len(piece)
        progress.show(count)
    progress.clear()
    took = time.monotonic() - started
    expect(count == size, "%d bytes came back, the file has %d" % (count, size))
    expect(got.hexdigest() == sha256, "SHA-256 differs: the object is not the file")
    expect((answer.client_crc, answer.server_crc) == (crc64, crc64), "CRC-64 differs at the download")
    print("download   %.1f s, %.0f MiB/s, SHA-256 and CRC-64 are the file's" % (took, mib / took))
    expect(not list(oss2.MultipartUploadIterator(bucket)), "an upload is still open")
    status = server.end(signal.SIGTERM)
    expect(status == 0, "the server ended with status %d after SIGTERM" % status)


if __name__ == "__main__":
    main()
