"""The scenarios with alibabacloud-oss-v2, the OSS SDK for Python 2.0."""

import datetime
import os
import threading
import time

import alibabacloud_oss_v2 as oss
import requests
from alibabacloud_oss_v2 import exceptions
from alibabacloud_oss_v2.crc import Crc64
from alibabacloud_oss_v2.transport import RequestsHttpClient

from harness import (AWKWARD_KEYS, PART, Mismatch, arguments, data, equal, main, md5_base64, md5_hex, multipart_etag,
                     refused, resolve_to_loopback, scenario, tampered, true)

LONG_AGO = "Tue, 01 Feb 2011 00:00:00 GMT"
FAR_AHEAD = "Sat, 01 Jan 2150 00:00:00 GMT"


class Cutting(RequestsHttpClient):
    """An HTTP client whose connection breaks in the middle of a transfer."""

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.mend()

    def cut_after(self, count, matches):
        """Lets count requests that match pass and fails every later one."""
        self.left, self.matches = count, matches

    def mend(self):
        self.left, self.matches = 0, None

    def send(self, request, **kwargs):
        with self.lock:
            if self.matches and self.matches(request):
                self.left -= 1
                if self.left < 0:
                    raise exceptions.RequestError(error=ConnectionError("cut by the scenario"))
        return super().send(request, **kwargs)


def is_part(request):
    return request.method == "PUT" and "partNumber=" in request.url


def is_ranged_get(request):
    return request.method == "GET" and "Range" in request.headers


class World:
    """The client under test and one bucket that most scenarios share."""

    def __init__(self, options):
        self.options = options
        self.http = Cutting()
        self.client = self.connect(options.access_key_secret)
        self.bucket = self.create("main")

    def connect(self, secret, access_key_id=None, region=None, anonymous=False):
        o = self.options
        config = oss.config.load_default()
        config.region = region or o.region
        # The SDK turns to path style by itself for an IP address only.
        config.endpoint = "http://%s:%d" % ("127.0.0.1" if o.style == "path" else "localhost", o.port)
        config.signature_version = o.signature
        config.http_client = self.http
        config.credentials_provider = oss.credentials.AnonymousCredentialsProvider() if anonymous else \
            oss.credentials.StaticCredentialsProvider(access_key_id or o.access_key_id, secret)
        return oss.Client(config)

    def name(self, suffix):
        return "%s-%s" % (self.options.prefix, suffix)

    def create(self, suffix):
        self.client.put_bucket(oss.PutBucketRequest(bucket=self.name(suffix)))
        return self.name(suffix)

    def do(self, operation, client=None, **fields):
        """Calls the operation, in the shared bucket if no other is named."""
        request = getattr(oss, "".join(word.capitalize() for word in operation.split("_")) + "Request")
        fields.setdefault("bucket", self.bucket)
        return getattr(client or self.client, operation)(request(**fields))

    def put(self, key, content, **fields):
        return self.do("put_object", key=key, body=content, **fields)

    def get(self, key, **fields):
        return self.do("get_object", key=key, **fields).body.read()

    def exists(self, key):
        return self.client.is_object_exist(self.bucket, key)

    def presign(self, request):
        return self.client.presign(request, expires=datetime.timedelta(seconds=60))

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def initiate(self, key, **fields):
        result = self.do("initiate_multipart_upload", key=key, **fields)
        equal((result.bucket, result.key), (fields.get("bucket", self.bucket), key), "result of initiate")
        return result.upload_id

    def part(self, key, upload_id, number, content, **fields):
        result = self.do("upload_part", key=key, upload_id=upload_id, part_number=number, body=content, **fields)
        return oss.UploadPart(part_number=number, etag=result.etag)

    def upload(self, key, *sizes, **fields):
        """Starts an upload and sends parts 1, 2, ... of these sizes."""
        upload_id = self.initiate(key, **fields)
        parts, contents = [], []
        for number, size in enumerate(sizes, 1):
            contents.append(data((key, number), size))
            parts.append(self.part(key, upload_id, number, contents[-1]))
            equal(etag(parts[-1]), md5_hex(contents[-1]), "ETag of part %d" % number)
        return upload_id, parts, contents

    def complete(self, key, upload_id, parts, **fields):
        return self.do("complete_multipart_upload", key=key, upload_id=upload_id,
                       complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts), **fields)

    def abort(self, key, upload_id, **fields):
        return self.do("abort_multipart_upload", key=key, upload_id=upload_id, **fields)

    def parts(self, key, upload_id, size=1000):
        """All parts of an upload as (number, ETag, size), page by page."""
        request = oss.ListPartsRequest(bucket=self.bucket, key=key, upload_id=upload_id, max_parts=size)
        pages = [page.parts or [] for page in self.client.list_parts_paginator().iter_page(request)]
        return [(p.part_number, etag(p), p.size) for p in joined(pages, size)]

    def open_uploads(self, prefix):
        return self.do("list_multipart_uploads", prefix=prefix).uploads or []

    def tags(self, key):
        tags = self.do("get_object_tagging", key=key).tag_set.tags or []
        return {tag.key: tag.value or "" for tag in tags}


def joined(pages, size):
    """The entries of all pages, none of which may have more than size."""
    true(all(len(page) <= size for page in pages), "a page is too long: %r" % [len(page) for page in pages])
    return [entry for page in pages for entry in page]


def etag(result):
    return result.etag.strip('"')


def status_and_code(e):
    while e is not None:
        if isinstance(e, exceptions.ServiceError):
            # An answer without a body has no code.
            return e.status_code, "" if e.code == "BadErrorResponse" else e.code
        e = e.unwrap() if hasattr(e, "unwrap") else None
    return None


def fails(status, code):
    return refused(status_and_code, status, code)


def is_now(moment):
    return abs(moment.timestamp() - time.time()) < 900


# Buckets


@scenario("bucket create and delete")
def bucket_create_and_delete(w):
    name = w.name("life")
    w.do("put_bucket", bucket=name, acl="public-read",
         create_bucket_configuration=oss.CreateBucketConfiguration(storage_class="IA"))
    info = w.do("get_bucket_info", bucket=name).bucket_info
    equal((info.storage_class, info.acl), ("IA", "public-read"), "class and ACL")
    equal(w.client.is_bucket_exist(name), True, "exists")
    w.put("k", b"1", bucket=name)
    with fails(409, "BucketNotEmpty"):
        w.do("delete_bucket", bucket=name)
    w.do("delete_object", bucket=name, key="k")
    upload_id = w.initiate("k", bucket=name)
    with fails(409, "BucketNotEmpty"):
        w.do("delete_bucket", bucket=name)
    w.abort("k", upload_id, bucket=name)
    equal(w.do("delete_bucket", bucket=name).status_code, 204, "status of delete")
    for operation in ("get_bucket_info", "delete_bucket"):
        with fails(404, "NoSuchBucket"):
            w.do(operation, bucket=name)
    equal(w.client.is_bucket_exist(name), False, "exists after delete")


@scenario("bucket list")
def bucket_list(w):
    names = [w.create("list-%d" % i) for i in range(4)]
    request = oss.ListBucketsRequest(prefix=w.name("list-"), max_keys=3)
    pages = list(w.client.list_buckets_paginator().iter_page(request))
    equal([[b.name for b in page.buckets] for page in pages], [names[:3], names[3:]], "pages")
    bucket = pages[0].buckets[0]
    equal((bucket.location, bucket.region), ("oss-" + w.options.region, w.options.region), "location")
    true(is_now(bucket.creation_date) and pages[0].owner.id, "creation date or owner")
    for name in names:
        w.do("delete_bucket", bucket=name)
    equal(w.client.list_buckets(request).buckets or [], [], "after delete")


@scenario("bucket info, location, stat")
def bucket_info(w):
    name = w.create("info")
    info = w.do("get_bucket_info", bucket=name).bucket_info
    equal((info.name, info.location, info.storage_class, info.acl),
          (name, "oss-" + w.options.region, "Standard", "private"), "info")
    true(info.owner.id and info.extranet_endpoint and is_now(info.creation_date), "owner, endpoint or date")
    equal(w.do("get_bucket_location", bucket=name).location, "oss-" + w.options.region, "location")

    def stat():
        result = w.do("get_bucket_stat", bucket=name)
        return result.storage, result.object_count, result.multi_part_upload_count

    w.put("a", data("a", 1000), bucket=name)
    w.put("b", data("b", 234), bucket=name)
    upload_id = w.initiate("c", bucket=name)
    equal(stat(), (1234, 2, 1), "stat")
    w.abort("c", upload_id, bucket=name)
    w.do("delete_multiple_objects", bucket=name, objects=[oss.DeleteObject(key="a"), oss.DeleteObject(key="b")])
    equal(stat(), (0, 0, 0), "stat when empty")
    w.do("delete_bucket", bucket=name)


@scenario("bucket ACL")
def bucket_acl(w):
    name = w.create("acl")
    equal(w.do("get_bucket_acl", bucket=name).acl, "private", "default ACL")
    for acl in ("public-read", "public-read-write", "private"):
        w.do("put_bucket_acl", bucket=name, acl=acl)
        equal(w.do("get_bucket_acl", bucket=name).acl, acl, "ACL")
    with fails(400, "InvalidArgument"):
        w.do("put_bucket_acl", bucket=name, acl="public")
    equal(w.do("get_bucket_acl", bucket=name).acl, "private", "ACL after a refused one")
    w.do("delete_bucket", bucket=name)


@scenario("bucket lifecycle")
def bucket_lifecycle(w):
    m = oss.models
    name = w.create("lifecycle")
    with fails(404, "NoSuchLifecycle"):
        w.do("get_bucket_lifecycle", bucket=name)
    day = datetime.datetime(2020, 12, 12, tzinfo=datetime.timezone.utc)

    def put(*rules, **fields):
        w.do("put_bucket_lifecycle", bucket=name, lifecycle_configuration=m.LifecycleConfiguration(rules=list(rules)), **fields)

    put(m.LifecycleRule(id="days", prefix="中文/", status="Enabled", expiration=m.LifecycleRuleExpiration(days=40),
                        transitions=[m.LifecycleRuleTransition(days=3, storage_class="IA", allow_small_file=True)],
                        abort_multipart_upload=m.LifecycleRuleAbortMultipartUpload(created_before_date=day),
                        tags=[m.Tag(key="k", value="v")],
                        filter=m.LifecycleRuleFilter(object_size_greater_than=500, nots=[m.LifecycleRuleNot(prefix="中文/keep")])),
        m.LifecycleRule(prefix="b/", status="Disabled",
                        noncurrent_version_expiration=m.NoncurrentVersionExpiration(noncurrent_days=20)))
    rules = w.do("get_bucket_lifecycle", bucket=name).lifecycle_configuration.rules
    first = rules[0]
    equal((first.id, first.prefix, first.status, first.expiration.days, first.transitions[0].days, first.transitions[0].allow_small_file),
          ("days", "中文/", "Enabled", 40, 3, True), "first rule")
    equal((first.tags[0].value, first.filter.object_size_greater_than, first.filter.nots[0].prefix), ("v", 500, "中文/keep"), "conditions")
    equal(first.abort_multipart_upload.created_before_date, day, "date")
    true(len(rules) == 2 and rules[1].id, "the second rule has no ID")
    overlapping = [m.LifecycleRule(id=str(i), prefix=prefix, status="Enabled", expiration=m.LifecycleRuleExpiration(days=3))
                   for i, prefix in enumerate(("p", "p/q"))]
    with fails(400, "InvalidArgument"):
        put(*overlapping)
    put(*overlapping, allow_same_action_overlap="true")
    w.do("delete_bucket_lifecycle", bucket=name)
    with fails(404, "NoSuchLifecycle"):
        w.do("get_bucket_lifecycle", bucket=name)
    w.do("delete_bucket", bucket=name)


@scenario("bucket CORS")
def bucket_cors(w):
    m = oss.models
    name = w.create("cors")
    with fails(404, "NoSuchCORSConfiguration"):
        w.do("get_bucket_cors", bucket=name)
    rule = m.CORSRule(allowed_origins=["https://a.com", "http://*.b.com"], allowed_methods=["PUT", "GET"], allowed_headers=["x-oss-*"],
                      expose_headers=["x-oss-meta-a"], max_age_seconds=100)
    w.do("put_bucket_cors", bucket=name, cors_configuration=m.CORSConfiguration(cors_rules=[rule], response_vary=True))
    got = w.do("get_bucket_cors", bucket=name).cors_configuration
    equal((got.cors_rules[0].allowed_origins, got.cors_rules[0].allowed_methods, got.cors_rules[0].max_age_seconds, got.response_vary),
          (rule.allowed_origins, rule.allowed_methods, 100, True), "rules")

    def ask(origin):
        return w.do("option_object", bucket=name, key="a/b", origin=origin, access_control_request_method="PUT",
                    access_control_request_headers="x-oss-date")

    equal(ask("http://x.b.com").access_control_allow_origin, "http://x.b.com", "preflight")
    with fails(403, "AccessForbidden"):
        ask("http://b.com")
    w.do("delete_bucket_cors", bucket=name)
    with fails(403, "AccessForbidden"):
        ask("https://a.com")
    w.do("delete_bucket", bucket=name)


@scenario("bucket referer")
def bucket_referer(w):
    m = oss.models
    name = w.create("referer")
    equal(w.do("get_bucket_referer", bucket=name).referer_configuration.allow_empty_referer, True, "default")
    w.do("put_bucket_referer", bucket=name, referer_configuration=m.RefererConfiguration(
        allow_empty_referer=False, allow_truncate_query_string=True, truncate_path=True,
        referer_list=m.RefererList(referers=["http://a.com", "中文"]), referer_blacklist=m.RefererBlacklist(referers=["http://bad.com"])))
    got = w.do("get_bucket_referer", bucket=name).referer_configuration
    equal((got.allow_empty_referer, got.allow_truncate_query_string, got.truncate_path, got.referer_list.referers,
           got.referer_blacklist.referers), (False, True, True, ["http://a.com", "中文"], ["http://bad.com"]), "configuration")
    w.do("delete_bucket", bucket=name)


@scenario("bucket encryption")
def bucket_encryption(w):
    m = oss.models
    name = w.create("encryption")

    def put(algorithm, key=None):
        w.do("put_bucket_encryption", bucket=name, server_side_encryption_rule=m.ServerSideEncryptionRule(
            apply_server_side_encryption_by_default=m.ApplyServerSideEncryptionByDefault(sse_algorithm=algorithm, kms_master_key_id=key)))

    with fails(404, "NoSuchServerSideEncryptionRule"):
        w.do("get_bucket_encryption", bucket=name)
    put("KMS", "123")
    rule = w.do("get_bucket_encryption", bucket=name).server_side_encryption_rule.apply_server_side_encryption_by_default
    equal((rule.sse_algorithm, rule.kms_master_key_id), ("KMS", "123"), "rule")
    with fails(400, "InvalidArgument"):
        put("AES256", "123")
    with fails(400, "InvalidEncryptionAlgorithmError"):
        put("random")
    w.do("delete_bucket_encryption", bucket=name)
    with fails(404, "NoSuchServerSideEncryptionRule"):
        w.do("get_bucket_encryption", bucket=name)
    w.do("delete_bucket", bucket=name)


@scenario("bucket tagging")
def bucket_tagging(w):
    m = oss.models
    name = w.create("tagging")

    def tags():
        tag_set = w.do("get_bucket_tags", bucket=name).tagging.tag_set
        return [(t.key, t.value) for t in (tag_set and tag_set.tags) or []]

    equal(tags(), [], "tags of a new bucket")
    w.do("put_bucket_tags", bucket=name, tagging=m.Tagging(tag_set=m.TagSet(tags=[m.Tag(key="k1", value="v1"), m.Tag(key="中", value="v2")])))
    equal(tags(), [("k1", "v1"), ("中", "v2")], "tags")
    w.do("delete_bucket_tags", bucket=name)
    equal(tags(), [], "tags after all were deleted")
    w.do("delete_bucket", bucket=name)


@scenario("bucket policy")
def bucket_policy(w):
    name = w.create("policy")
    with fails(404, "NoSuchBucketPolicy"):
        w.do("get_bucket_policy", bucket=name)
    policy = '{"Version": "1", "Statement": [{"Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"],' \
             ' "Resource": ["acs:oss:*:*:%s/*"]}]}' % name
    w.do("put_bucket_policy", bucket=name, body=policy)
    got = w.do("get_bucket_policy", bucket=name).body
    equal(got.decode() if isinstance(got, bytes) else got, policy, "policy")
    equal(w.do("get_bucket_policy_status", bucket=name).policy_status.is_public, True, "public")
    with fails(400, "InvalidPolicyDocument"):
        w.do("put_bucket_policy", bucket=name, body=policy.replace('"1"', '"2"'))
    w.do("delete_bucket_policy", bucket=name)
    with fails(404, "NoSuchBucketPolicy"):
        w.do("get_bucket_policy", bucket=name)
    w.do("delete_bucket", bucket=name)


LISTED = ["ls/a", "ls/dir/", "ls/dir/1", "ls/dir/2", "ls/dir/sub/3", "ls/e", "ls/f +%&", "ls/中/文"]
FOLDED = ["ls/a", "ls/dir/", "ls/e", "ls/f +%&", "ls/中/"]


def fill_listing(w):
    for key in LISTED:
        w.put(key, data(key, 10))


def keys_of(page):
    return [o.key for o in page.contents or []]


def prefixes_of(page):
    return [p.prefix for p in page.common_prefixes or []]


@scenario("list objects")
def list_objects(w):
    fill_listing(w)
    page = w.do("list_objects", prefix="ls/", max_keys=3)
    equal((keys_of(page), page.is_truncated, page.next_marker), (LISTED[:3], True, LISTED[2]), "first page")
    equal((page.name, page.prefix, page.max_keys), (w.bucket, "ls/", 3), "echo")
    first = page.contents[0]
    equal((first.size, first.object_type, first.storage_class, etag(first)),
          (10, "Normal", "Standard", md5_hex(data("ls/a", 10))), "entry")
    true(is_now(first.last_modified) and first.owner.id, "last modified or owner")
    equal(keys_of(w.do("list_objects", prefix="ls/", marker="ls/dir/1x")), LISTED[3:], "a marker that does not exist")
    page = w.do("list_objects", prefix="ls/", delimiter="/")
    equal((keys_of(page), prefixes_of(page)), (["ls/a", "ls/e", "ls/f +%&"], ["ls/dir/", "ls/中/"]), "with delimiter")
    for size in (1, 2, 3):
        request = oss.ListObjectsRequest(bucket=w.bucket, prefix="ls/", delimiter="/", max_keys=size)
        pages = [keys_of(page) + prefixes_of(page) for page in w.client.list_objects_paginator().iter_page(request)]
        equal(sorted(joined(pages, size)), FOLDED, "pages of %d" % size)
    equal(keys_of(w.do("list_objects", prefix="nothing/")), [], "empty listing")
    with fails(400, "InvalidArgument"):
        w.do("list_objects", max_keys=1001)


@scenario("list objects V2")
def list_objects_v2(w):
    fill_listing(w)
    page = w.do("list_objects_v2", prefix="ls/", max_keys=3, fetch_owner=True)
    equal((keys_of(page), page.is_truncated, page.key_count), (LISTED[:3], True, 3), "first page")
    true(page.contents[0].owner.id, "owner has no ID")
    page = w.do("list_objects_v2", prefix="ls/", continuation_token=page.next_continuation_token)
    equal((keys_of(page), page.contents[0].owner), (LISTED[3:], None), "second page")
    equal(keys_of(w.do("list_objects_v2", prefix="ls/", start_after="ls/e")), LISTED[6:], "start-after")
    for size in (1, 2, 3):
        request = oss.ListObjectsV2Request(bucket=w.bucket, prefix="ls/", delimiter="/", max_keys=size)
        pages = [keys_of(page) + prefixes_of(page) for page in w.client.list_objects_v2_paginator().iter_page(request)]
        equal(sorted(joined(pages, size)), FOLDED, "pages of %d" % size)
    with fails(400, "InvalidArgument"):
        w.do("list_objects_v2", continuation_token="!garbage!")


@scenario("list object versions")
def list_object_versions(w):
    fill_listing(w)
    request = oss.ListObjectVersionsRequest(bucket=w.bucket, prefix="ls/", max_keys=3)
    pages = list(w.client.list_object_versions_paginator().iter_page(request))
    versions = joined([page.version for page in pages], 3)
    equal(([v.key for v in versions], len(pages)), (LISTED, 3), "versions")
    first = versions[0]
    equal((first.version_id, first.is_latest, first.size, first.object_type), ("null", True, 10, "Normal"), "version")
    equal(pages[0].delete_marker or [], [], "delete markers")
    page = w.do("list_object_versions", prefix="ls/", delimiter="/")
    equal(prefixes_of(page), ["ls/dir/", "ls/中/"], "common prefixes")


# Objects


@scenario("put, get, head, delete")
def put_get_head_delete(w):
    content = data("life", 70000)
    expires = "Fri, 28 Feb 2042 05:38:42 GMT"
    result = w.put("life.txt", content, metadata={"Author": "foo@bar.com"}, cache_control="no-cache",
                   content_disposition="attachment", content_encoding="identity", expires=expires, storage_class="IA")
    equal((etag(result), result.content_md5), (md5_hex(content), md5_base64(content)), "answer")
    head = w.do("head_object", key="life.txt")
    equal((head.content_length, etag(head), head.object_type, head.content_type, dict(head.metadata), head.cache_control,
           head.content_disposition, head.content_encoding, head.expires, head.storage_class, head.hash_crc64),
          (70000, md5_hex(content), "Normal", "text/plain", {"author": "foo@bar.com"}, "no-cache", "attachment",
           "identity", expires, "IA", result.hash_crc64), "head")
    true(is_now(head.last_modified), "last modified is not now")
    equal(w.get("life.txt"), content, "content")
    meta = w.do("get_object_meta", key="life.txt")
    equal((meta.content_length, etag(meta)), (70000, md5_hex(content)), "object meta")
    equal(w.exists("life.txt"), True, "exists")

    w.put("life.txt", b"")  # an overwrite forgets the old metadata
    head = w.do("head_object", key="life.txt")
    equal((head.content_length, dict(head.metadata or {})), (0, {}), "overwritten")
    equal(w.get("life.txt"), b"", "empty content")
    w.put("stream.bin", iter([content[:1000], content[1000:]]))  # chunked
    equal(w.get("stream.bin"), content, "chunked content")

    for _ in range(2):
        equal(w.do("delete_object", key="life.txt").status_code, 204, "delete")
    equal(w.exists("life.txt"), False, "exists after delete")
    for operation in ("get_object", "head_object", "get_object_meta"):
        with fails(404, "NoSuchKey"):
            w.do(operation, key="life.txt")
        with fails(404, "NoSuchBucket"):
            w.do(operation, bucket=w.name("missing"), key="k")
    with fails(409, "FileAlreadyExists"):
        w.put("stream.bin", b"1", forbid_overwrite="true")
    with fails(400, "InvalidDigest"):
        w.put("bad.bin", b"1", content_md5=md5_base64(b"2"))
    equal(w.exists("bad.bin"), False, "object with a wrong digest")


@scenario("ranges")
def ranges(w):
    content = data("range", 1000)
    w.put("range", content)
    result = w.do("get_object", key="range", range_header="bytes=100-199")
    equal((result.status_code, result.content_range, result.body.read()),
          (206, "bytes 100-199/1000", content[100:200]), "range")
    for spec, want in (("500-", content[500:]), ("-200", content[800:]), ("0-0", content[:1]),
                       ("500-2000", content), ("1000-1500", content), ("-2000", content)):
        equal(w.get("range", range_header="bytes=" + spec), want, "range " + spec)
    equal(w.get("range", range_header="bytes=500-2000", range_behavior="standard"), content[500:], "clipped range")
    with fails(416, "InvalidRange"):
        w.get("range", range_header="bytes=1000-1500", range_behavior="standard")


@scenario("conditions")
def conditions(w):
    md5 = etag(w.put("cond", b"content"))
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
    for operation in ("get_object", "head_object"):
        for fields in ({"if_match": md5}, {"if_match": '"%s"' % md5}, {"if_none_match": "0"},
                       {"if_modified_since": LONG_AGO}, {"if_unmodified_since": FAR_AHEAD}):
            equal(w.do(operation, key="cond", **fields).status_code, 200, "%r" % fields)
        for fields, status, code in (
                ({"if_none_match": md5}, 304, ""),
                ({"if_modified_since": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}, 304, ""),
                ({"if_match": "0"}, 412, "PreconditionFailed"),
                ({"if_unmodified_since": LONG_AGO}, 412, "PreconditionFailed")):
            with fails(status, code):
                w.do(operation, key="cond", **fields)


@scenario("copy object")
def copy_object(w):
    source, content = "copy/from +中", data("copy", 5000)
    put = w.put(source, content, metadata={"a": "1"}, content_type="text/css", tagging="t=1")
    result = w.do("copy_object", key="copy/to", source_key=source)
    equal((result.etag, result.hash_crc64), (put.etag, put.hash_crc64), "ETag and CRC")
    head = w.do("head_object", key="copy/to")
    equal((head.content_type, dict(head.metadata), head.content_length), ("text/css", {"a": "1"}, 5000), "copied")
    equal((w.get("copy/to"), w.tags("copy/to")), (content, {"t": "1"}), "copied content and tags")

    w.do("copy_object", key="copy/to", source_key=source, metadata_directive="REPLACE", metadata={"b": "2"},
         content_type="text/html", tagging_directive="Replace", tagging="u=2")
    head = w.do("head_object", key="copy/to")
    equal((head.content_type, dict(head.metadata), w.tags("copy/to")), ("text/html", {"b": "2"}, {"u": "2"}), "replaced")
    w.do("copy_object", key="copy/to", source_key="copy/to", metadata_directive="REPLACE", metadata={"c": "3"})
    equal(dict(w.do("head_object", key="copy/to").metadata), {"c": "3"}, "updated in place")

    other = w.create("copy")
    w.do("copy_object", bucket=other, key="k", source_bucket=w.bucket, source_key=source)
    equal(w.get("k", bucket=other), content, "content in the other bucket")
    w.do("delete_object", bucket=other, key="k")
    w.do("delete_bucket", bucket=other)

    for fields in ({"if_match": etag(put)}, {"if_none_match": "0"}, {"if_modified_since": LONG_AGO},
                   {"if_unmodified_since": FAR_AHEAD}):
        w.do("copy_object", key="copy/if", source_key=source, **fields)
    w.do("delete_object", key="copy/if")
    for fields, status, code in (({"if_match": "0"}, 412, "PreconditionFailed"),
                                 ({"if_unmodified_since": LONG_AGO}, 412, "PreconditionFailed"),
                                 ({"if_none_match": etag(put)}, 304, ""),
                                 ({"forbid_overwrite": "true", "key": "copy/to"}, 409, "FileAlreadyExists"),
                                 ({"source_key": "copy/none"}, 404, "NoSuchKey")):
        with fails(status, code):
            w.do("copy_object", **dict({"key": "copy/if", "source_key": source}, **fields))
    equal(w.exists("copy/if"), False, "target of refused copies")


@scenario("delete multiple objects")
def delete_multiple(w):
    keys = sorted(["many/0", "many/1", "many/2", "many/<&>\"'", "many/tab\there", "many/line\nfeed", "many/return\r",
                   "many/\x01\x02\x1f", "many/\x7f", "many/中 +%41"])

    def delete(*keys, **fields):
        result = w.do("delete_multiple_objects", objects=[oss.DeleteObject(key=key) for key in keys], **fields)
        return sorted(d.key for d in result.deleted_objects or [])

    for key in keys:
        w.put(key, b"1")
    equal(keys_of(w.do("list_objects", prefix="many/")), keys, "listed")
    equal(delete("many/0", "many/missing"), ["many/0", "many/missing"], "deleted")
    equal(delete(*keys), keys, "deleted")
    equal(keys_of(w.do("list_objects", prefix="many/")), [], "left")
    w.put("many/quiet", b"1")
    equal(delete("many/quiet", quiet=True), [], "quiet answer")
    equal(w.exists("many/quiet"), False, "exists after a quiet delete")


@scenario("object ACL")
def object_acl(w):
    w.put("acl", b"1")
    equal(w.do("get_object_acl", key="acl").acl, "default", "ACL unset")
    for acl in ("private", "public-read", "public-read-write", "default"):
        w.do("put_object_acl", key="acl", acl=acl)
        equal(w.do("get_object_acl", key="acl").acl, acl, "ACL")
    w.put("acl", b"1", acl="public-read")
    equal(w.do("get_object_acl", key="acl").acl, "public-read", "ACL at put")
    w.put("acl", b"1")
    equal(w.do("get_object_acl", key="acl").acl, "default", "ACL after an overwrite")
    with fails(400, "InvalidArgument"):
        w.do("put_object_acl", key="acl", acl="public")
    with fails(404, "NoSuchKey"):
        w.do("get_object_acl", key="acl/none")


@scenario("object tagging")
def object_tagging(w):
    def tag(**tags):
        tags = [oss.Tag(key=key.replace("_", " "), value=value) for key, value in tags.items()]
        w.do("put_object_tagging", key="tags", tagging=oss.Tagging(tag_set=oss.TagSet(tags=tags)))

    w.put("tags", b"1")
    equal(w.tags("tags"), {}, "tags unset")
    tag(k1="v1", k_2="a+b-c=d._:/", k3="")
    equal(w.tags("tags"), {"k1": "v1", "k 2": "a+b-c=d._:/", "k3": ""}, "tags")
    equal(w.do("head_object", key="tags").tagging_count, 3, "count in head")
    tag(only="one")
    equal(w.tags("tags"), {"only": "one"}, "replaced tags")
    equal(w.do("delete_object_tagging", key="tags").status_code, 204, "delete")
    equal(w.tags("tags"), {}, "deleted tags")
    w.put("tags", b"1", tagging="a=1&b%20c=%2B")
    equal(w.tags("tags"), {"a": "1", "b c": "+"}, "tags at put")
    with fails(404, "NoSuchKey"):
        w.do("get_object_tagging", key="tags/none")


@scenario("storage classes and restore")
def storage_classes_and_restore(w):
    for storage_class, days in (("Archive", 3), ("ColdArchive", 300), ("DeepColdArchive", 1)):
        key = "restore/" + storage_class
        w.put(key, b"frozen", storage_class=storage_class)
        head = w.do("head_object", key=key)
        equal((head.storage_class, head.restore), (storage_class, None), "head")
        with fails(403, "InvalidObjectState"):
            w.get(key)
        with fails(403, "InvalidObjectState"):
            w.do("copy_object", key=key, source_key=key, storage_class="Standard")

        tier = None if storage_class == "Archive" else oss.JobParameters(tier="Bulk")
        restore = oss.RestoreRequest(days=days, job_parameters=tier)
        result = w.do("restore_object", key=key, restore_request=restore)
        equal(result.status_code, 202, "status of the first restore")
        if tier:
            equal(result.restore_priority, "Bulk", "priority")
        restored = w.do("head_object", key=key).restore
        true(restored.startswith('ongoing-request="false", expiry-date="'), restored)
        listed = w.do("list_objects_v2", prefix=key).contents[0]
        equal((listed.storage_class, listed.restore_info), (storage_class, restored), "in listing")
        equal(w.get(key), b"frozen", "content")
        equal(w.do("restore_object", key=key).status_code, 200, "status of the second restore")
        w.do("copy_object", key=key, source_key=key, storage_class="IA")
        head = w.do("head_object", key=key)
        equal((head.storage_class, head.restore), ("IA", None), "head of a copy")
        with fails(400, "OperationNotSupported"):
            w.do("restore_object", key=key)
    with fails(404, "NoSuchKey"):
        w.do("restore_object", key="restore/none")


@scenario("awkward keys")
def awkward_keys(w):
    bucket = w.create("keys")
    # The SDK leaves the slash as it is, and requests resolves "." and ".."
    # between slashes before sending.
    keys = [key for key in AWKWARD_KEYS if not {".", ".."} & set(key.split("/"))]
    for key in keys:
        w.put(key, data(key, 100), bucket=bucket)
    for key in keys:
        equal(w.get(key, bucket=bucket), data(key, 100), "content of %r" % key[:30])
        equal(w.do("head_object", bucket=bucket, key=key).content_length, 100, "length of %r" % key[:30])
    want = sorted(keys, key=lambda key: key.encode())
    pages = w.client.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=bucket, max_keys=4))
    equal([key for page in pages for key in keys_of(page)], want, "listing")
    for key in keys:
        w.do("copy_object", bucket=bucket, key="copy", source_key=key)
        equal(w.get("copy", bucket=bucket), data(key, 100), "copy of %r" % key[:30])
        upload_id = w.initiate(key, bucket=bucket)
        equal([u.key for u in w.do("list_multipart_uploads", bucket=bucket, prefix=key).uploads], [key], "upload")
        part = w.part(key, upload_id, 1, b"part", bucket=bucket)
        equal(w.complete(key, upload_id, [part], bucket=bucket).key, key, "key of the result")
        equal(w.get(key, bucket=bucket), b"part", "multipart content of %r" % key[:30])
    objects = [oss.DeleteObject(key=key) for key in keys + ["copy"]]
    deleted = w.do("delete_multiple_objects", bucket=bucket, objects=objects).deleted_objects
    equal(sorted(d.key for d in deleted), sorted(keys + ["copy"]), "deleted")
    w.do("delete_bucket", bucket=bucket)
    for key in ("/k", "k" * 1024):
        with fails(400, "InvalidObjectName"):
            w.put(key, b"1")


# Access


@scenario("presigned GET")
def presigned_get(w):
    content = data("presign", 3000)

    def url(key="presign/中文", **fields):
        return w.presign(oss.GetObjectRequest(bucket=w.bucket, key=key, **fields)).url

    for key in ("presign/a b+c.txt", "presign/中文"):
        w.put(key, content)
        answer = requests.get(url(key))
        equal((answer.status_code, answer.content), (200, content), "answer for %s" % key)
    answer = requests.get(url(
        response_content_type="text/x-new", response_cache_control="max-age=7", response_expires=FAR_AHEAD,
        response_content_disposition='attachment; filename="a b.txt"', response_content_language="de",
        response_content_encoding="identity"))
    for name, value in (("Content-Type", "text/x-new"), ("Cache-Control", "max-age=7"), ("Content-Language", "de"),
                        ("Content-Disposition", 'attachment; filename="a b.txt"'), ("Expires", FAR_AHEAD),
                        ("Content-Encoding", "identity")):
        equal(answer.headers.get(name), value, name)
    answer = requests.get(url(), headers={"Range": "bytes=10-19"})
    equal((answer.status_code, answer.content), (206, content[10:20]), "range by URL")
    equal(requests.get(tampered(url())).status_code, 403, "status of a changed URL")
    answer = requests.get(url("presign/none"))
    equal((answer.status_code, "<Code>NoSuchKey</Code>" in answer.text), (404, True), "missing key")


@scenario("presigned PUT")
def presigned_put(w):
    key = "presign/put +1"
    signed = w.presign(oss.PutObjectRequest(bucket=w.bucket, key=key, content_type="text/plain", metadata={"by": "url"}))
    answer = requests.put(signed.url, data=b"hello", headers=dict(signed.signed_headers))
    equal((answer.status_code, answer.headers.get("ETag")), (200, '"%s"' % md5_hex(b"hello")), "answer")
    head = w.do("head_object", key=key)
    equal((head.content_type, dict(head.metadata)), ("text/plain", {"by": "url"}), "headers")
    answer = requests.put(signed.url, data=b"hello", headers={"Content-Type": "text/plain", "x-oss-meta-by": "other"})
    equal((answer.status_code, "<Code>SignatureDoesNotMatch</Code>" in answer.text), (403, True), "changed header")
    answer = requests.put(w.presign(oss.GetObjectRequest(bucket=w.bucket, key=key)).url, data=b"1")
    equal(answer.status_code, 403, "PUT with a URL for GET")

    key = "presign/multipart"  # a whole multipart upload by URLs
    answer = requests.post(w.presign(oss.InitiateMultipartUploadRequest(bucket=w.bucket, key=key)).url)
    upload_id = answer.text.split("<UploadId>")[1].split("</UploadId>")[0]
    url = w.presign(oss.UploadPartRequest(bucket=w.bucket, key=key, upload_id=upload_id, part_number=1)).url
    part_etag = requests.put(url, data=b"part").headers["ETag"]
    url = w.presign(oss.CompleteMultipartUploadRequest(bucket=w.bucket, key=key, upload_id=upload_id)).url
    body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>"
    equal(requests.post(url, data=body % part_etag).status_code, 200, "status of complete")
    equal(w.get(key), b"part", "content")


@scenario("anonymous access")
def anonymous_access(w):
    bucket = w.create("public")
    nobody = w.connect(None, anonymous=True)
    w.put("k", b"content", bucket=bucket)

    def read():
        return w.get("k", bucket=bucket, client=nobody)

    def write():
        return w.put("new", b"from nobody", bucket=bucket, client=nobody)

    for call in (read, write, lambda: w.do("list_objects", bucket=bucket, client=nobody),
                 lambda: w.do("initiate_multipart_upload", bucket=bucket, key="k", client=nobody),
                 lambda: w.do("delete_object", bucket=bucket, key="k", client=nobody),
                 lambda: nobody.list_buckets(oss.ListBucketsRequest())):
        with fails(403, "AccessDenied"):
            call()
    w.do("put_object_acl", bucket=bucket, key="k", acl="public-read")
    equal(read(), b"content", "public object in a private bucket")
    w.do("put_object_acl", bucket=bucket, key="k", acl="default")
    w.do("put_bucket_acl", bucket=bucket, acl="public-read")
    equal(read(), b"content", "object in a public-read bucket")
    with fails(403, "AccessDenied"):
        write()
    w.do("put_object_acl", bucket=bucket, key="k", acl="private")
    with fails(403, "AccessDenied"):
        read()
    w.do("put_bucket_acl", bucket=bucket, acl="public-read-write")
    write()
    equal(w.get("new", bucket=bucket), b"from nobody", "object put anonymously")
    with fails(403, "AccessDenied"):
        w.do("put_bucket_acl", bucket=bucket, acl="private", client=nobody)
    for key in ("k", "new"):
        w.do("delete_object", bucket=bucket, key=key)
    w.do("delete_bucket", bucket=bucket)


@scenario("credentials")
def credentials(w):
    o = w.options
    wrong = w.connect("wrong-secret")
    with fails(403, "SignatureDoesNotMatch"):
        w.put("k", b"1", client=wrong)
    with fails(403, "SignatureDoesNotMatch"):
        w.do("head_object", key="k", client=wrong)
    with fails(403, "InvalidAccessKeyId"):
        w.put("k", b"1", client=w.connect(o.access_key_secret, access_key_id="unknown"))
    url = wrong.presign(oss.GetObjectRequest(bucket=w.bucket, key="k")).url
    true("<Code>SignatureDoesNotMatch</Code>" in requests.get(url).text, "URL with a wrong secret")
    if o.signature == "v4":
        with fails(400, "InvalidArgument"):
            w.put("k", b"1", client=w.connect(o.access_key_secret, region="cn-beijing"))


# Multipart uploads


@scenario("initiate with every header")
def initiate_headers(w):
    key, expires = "mp/headers", "Fri, 28 Feb 2042 05:38:42 GMT"
    metadata = {"a": "1", "long": "v" * 2000}
    upload_id, parts, contents = w.upload(
        key, PART, 10, cache_control="no-store", content_disposition="attachment; filename=x",
        content_encoding="identity", expires=expires, content_type="text/markdown", metadata=metadata,
        storage_class="IA", tagging="k1=v1&k2=v%202", forbid_overwrite="true")
    result = w.complete(key, upload_id, parts)
    equal((etag(result), result.bucket, result.key), (multipart_etag(map(etag, parts)), w.bucket, key), "result")
    head = w.do("head_object", key=key)
    equal((head.object_type, head.cache_control, head.content_disposition, head.content_encoding, head.expires,
           head.content_type, dict(head.metadata), head.storage_class, head.tagging_count),
          ("Multipart", "no-store", "attachment; filename=x", "identity", expires, "text/markdown", metadata, "IA", 2),
          "head")
    equal(w.tags(key), {"k1": "v1", "k2": "v 2"}, "tags")
    equal(w.get(key), b"".join(contents), "content")
    with fails(409, "FileAlreadyExists"):
        w.initiate(key, forbid_overwrite="true")
    first, second = w.initiate("mp/two"), w.initiate("mp/two")
    true(first != second, "two uploads share an ID")
    w.abort("mp/two", first)
    w.part("mp/two", second, 1, b"1")  # the other one goes on
    w.abort("mp/two", second)


@scenario("upload part")
def upload_part(w):
    key = "mp/part"
    upload_id = w.initiate(key)
    old, new = data("old", PART), data("new", PART + 5)
    w.part(key, upload_id, 1, old)
    first = w.part(key, upload_id, 1, new, content_md5=md5_base64(new))
    equal(etag(first), md5_hex(new), "ETag of the replacement")
    for digest in (md5_base64(new), "not base64"):
        with fails(400, "InvalidDigest"):
            w.part(key, upload_id, 1, old, content_md5=digest)
    for number in (-1, 10001):
        with fails(400, "InvalidArgument"):
            w.part(key, upload_id, number, b"1")
    for other_key, other_id in ((key, "0" * 32), (key + "x", upload_id)):
        with fails(404, "NoSuchUpload"):
            w.part(other_key, other_id, 1, b"1")
    last = w.part(key, upload_id, 10000, b"end")
    equal(w.parts(key, upload_id), [(1, md5_hex(new), PART + 5), (10000, md5_hex(b"end"), 3)], "parts")
    w.complete(key, upload_id, [first, last])
    equal(w.get(key), new + b"end", "content")


@scenario("upload part copy")
def upload_part_copy(w):
    content = data("source", 3 * PART)
    source, key = "mp/source +中", "mp/copied"
    whole = etag(w.put(source, content, metadata={"a": "1"}))
    upload_id = w.initiate(key)

    def copy(number, **fields):
        fields = dict({"key": key, "upload_id": upload_id, "source_key": source}, **fields)
        return oss.UploadPart(part_number=number, etag=w.do("upload_part_copy", part_number=number, **fields).etag)

    parts = []
    for number in (1, 2, 3):
        start, end = (number - 1) * PART, number * PART
        parts.append(copy(number, source_range="bytes=%d-%d" % (start, end - 1)))
        equal(etag(parts[-1]), md5_hex(content[start:end]), "ETag of part %d" % number)
    equal(etag(copy(4)), whole, "ETag of the whole source as a part")
    equal(etag(copy(5, source_range="bytes=5-%d" % (4 * PART))), whole, "ETag with a range that leaves the source")
    copy(6, if_match=whole)
    for fields, status, code in (({"if_match": "0"}, 412, "PreconditionFailed"),
                                 ({"source_key": "mp/none"}, 404, "NoSuchKey"),
                                 ({"upload_id": "0" * 32}, 404, "NoSuchUpload")):
        with fails(status, code):
            copy(6, **fields)
    w.complete(key, upload_id, parts)
    equal(w.get(key), content, "content")
    equal(dict(w.do("head_object", key=key).metadata or {}), {}, "metadata of the source")


@scenario("list parts")
def list_parts(w):
    key = "mp/parts"
    upload_id = w.initiate(key)
    equal(w.parts(key, upload_id), [], "no parts")
    numbers = [1, 2, 7, 100, 10000]
    for number in reversed(numbers):
        w.part(key, upload_id, number, data(number, number))
    for size in (1, 2, 1000):
        equal(w.parts(key, upload_id, size), [(n, md5_hex(data(n, n)), n) for n in numbers], "pages of %d" % size)
    page = w.do("list_parts", key=key, upload_id=upload_id, part_number_marker=7)
    equal(([p.part_number for p in page.parts], page.next_part_number_marker, page.is_truncated, page.key),
          ([100, 10000], 10000, False, key), "from a marker")
    true(is_now(page.parts[0].last_modified) and page.parts[0].hash_crc64, "last modified or CRC")
    with fails(400, "InvalidArgument"):
        w.do("list_parts", key=key, upload_id=upload_id, max_parts=1001)
    w.abort(key, upload_id)
    with fails(404, "NoSuchUpload"):
        w.do("list_parts", key=key, upload_id=upload_id)


@scenario("list multipart uploads")
def list_multipart_uploads(w):
    bucket = w.create("uploads")
    keys = ["a", "b", "b", "b", "dir/1", "dir/2", "e +中"]
    want = sorted((key, w.initiate(key, bucket=bucket)) for key in keys)

    def walk(**fields):
        request = oss.ListMultipartUploadsRequest(bucket=bucket, **fields)
        pages = [page.uploads or [] for page in w.client.list_multipart_uploads_paginator().iter_page(request)]
        return [(u.key, u.upload_id) for u in joined(pages, fields.get("max_uploads", 1000))]

    for size in (1, 2, 3, 1000):
        equal(walk(max_uploads=size), want, "pages of %d" % size)
        equal(walk(max_uploads=size, prefix="dir/"), want[4:6], "with prefix")
        # The SDK does not show the common prefixes of this listing.
        equal(walk(max_uploads=size, delimiter="/"), want[:4] + want[6:], "with delimiter")
    equal(walk(key_marker="b"), want[4:], "from a key marker")
    page = w.do("list_multipart_uploads", bucket=bucket, key_marker="b", upload_id_marker=want[2][1])
    equal([(u.key, u.upload_id) for u in page.uploads], want[3:], "from both markers")
    equal((page.next_key_marker, page.next_upload_id_marker), want[-1], "markers of the last page")
    true(is_now(page.uploads[0].initiated), "initiation date is not now")
    for key, upload_id in want:
        w.abort(key, upload_id, bucket=bucket)
    equal(walk(), [], "after abort")
    w.do("delete_bucket", bucket=bucket)


@scenario("complete")
def complete(w):
    key = "mp/complete"
    w.put(key, b"before")
    upload_id, parts, contents = w.upload(key, PART, PART + 1, PART, 7)
    equal(w.get(key), b"before", "content until the upload is complete")
    chosen = [parts[1], parts[3]]  # gaps are fine; what is not listed is dropped
    result = w.complete(key, upload_id, chosen)
    equal(etag(result), multipart_etag(map(etag, chosen)), "ETag")
    true(result.location.endswith("/" + key), "location: %s" % result.location)
    content = contents[1] + contents[3]
    equal(w.get(key), content, "content")
    head = w.do("head_object", key=key)
    equal((head.object_type, head.etag, head.hash_crc64, head.content_md5, head.content_length),
          ("Multipart", result.etag, result.hash_crc64, None, len(content)), "head")
    again = w.complete(key, upload_id, chosen)  # as after a lost answer
    equal((again.status_code, again.etag, again.hash_crc64), (200, result.etag, result.hash_crc64), "the same list again")
    for call in (lambda: w.complete(key, upload_id, parts), lambda: w.part(key, upload_id, 1, b"1"),
                 lambda: w.parts(key, upload_id), lambda: w.abort(key, upload_id)):
        with fails(404, "NoSuchUpload"):
            call()


@scenario("complete all")
def complete_all(w):
    key = "mp/all"
    upload_id, parts, contents = w.upload(key, PART, PART, 3)
    with fails(400, "InvalidArgument"):
        w.complete(key, upload_id, parts, complete_all="yes")
    with fails(400, "InvalidArgument"):
        w.do("complete_multipart_upload", key=key, upload_id=upload_id, complete_all="no")
    result = w.do("complete_multipart_upload", key=key, upload_id=upload_id, complete_all="yes")
    equal(etag(result), multipart_etag(map(etag, parts)), "ETag")
    equal(w.get(key), b"".join(contents), "content")


@scenario("complete refused")
def complete_refused(w):
    key = "mp/refused"
    upload_id, parts, contents = w.upload(key, PART, PART - 1, PART)
    one, two, three = parts
    for chosen, code in (([three, one], "InvalidPartOrder"), ([one, one], "InvalidPartOrder"),
                         ([one, oss.UploadPart(part_number=4, etag=one.etag)], "InvalidPart"),
                         ([oss.UploadPart(part_number=1, etag=two.etag)], "InvalidPart"), (parts, "EntityTooSmall")):
        with fails(400, code):
            w.complete(key, upload_id, chosen)
    for body in (b"<Complete", b""):
        with fails(400, "MalformedXML"):
            w.client.invoke_operation(oss.OperationInput(
                op_name="CompleteMultipartUpload", method="POST", bucket=w.bucket, key=key, headers={},
                parameters={"uploadId": upload_id}, body=body, op_metadata={"sub-resource": ["uploadId"]}))
    with fails(404, "NoSuchUpload"):
        w.complete(key, "0" * 32, parts)
    w.put(key, b"exists")
    with fails(409, "FileAlreadyExists"):
        w.complete(key, upload_id, parts[:2], forbid_overwrite="true")
    equal(w.get(key), b"exists", "the object that must not be overwritten")
    equal(len(w.parts(key, upload_id)), 3, "parts are all still there")
    w.complete(key, upload_id, parts[:2])  # the small one is last now
    equal(w.get(key), contents[0] + contents[1], "content")


@scenario("object ACL at complete")
def complete_acl(w):
    key = "mp/acl"
    upload_id, parts, contents = w.upload(key, 10)
    with fails(400, "InvalidArgument"):
        w.complete(key, upload_id, parts, acl="public")
    w.complete(key, upload_id, parts, acl="public-read")
    equal(w.do("get_object_acl", key=key).acl, "public-read", "ACL")
    equal(w.get(key, client=w.connect(None, anonymous=True)), contents[0], "anonymous read")


@scenario("sequential upload")
def sequential(w):
    key, content = "mp/sequential", data("first", PART)
    upload_id = w.initiate(key, parameters={"sequential": ""})
    first = w.part(key, upload_id, 1, content)
    with fails(400, "PartNotSequential"):
        w.part(key, upload_id, 3, b"third")
    second = w.part(key, upload_id, 2, b"second")
    w.complete(key, upload_id, [first, second])
    content += b"second"
    equal(w.do("head_object", key=key).content_md5, md5_base64(content), "Content-MD5")
    equal(w.get(key), content, "content")


@scenario("abort")
def abort(w):
    key = "mp/abort"
    upload_id, parts, _ = w.upload(key, PART, 5)
    equal(w.abort(key, upload_id).status_code, 204, "status")
    for call in (lambda: w.part(key, upload_id, 1, b"1"), lambda: w.parts(key, upload_id),
                 lambda: w.complete(key, upload_id, parts), lambda: w.abort(key, upload_id)):
        with fails(404, "NoSuchUpload"):
            call()
    equal((w.exists(key), w.open_uploads(key)), (False, []), "object and uploads")


# Helpers


def interrupted(w, count, matches, transfer):
    """Runs the transfer with a connection that breaks after count requests."""
    w.http.cut_after(count, matches)
    try:
        transfer()
    except exceptions.BaseError as e:
        true("cut by the scenario" in str(e), str(e))
    else:
        raise Mismatch("the transfer was not interrupted")
    finally:
        w.http.mend()


@scenario("Uploader")
def uploader(w):
    key, content = "mp/uploader.txt", data("uploader", 10 * PART + 17)
    path = w.file("uploader", content)
    fields = dict(bucket=w.bucket, key=key, metadata={"a": "1"}, acl="public-read")
    resuming = w.client.uploader(part_size=PART, parallel_num=1, enable_checkpoint=True, checkpoint_dir=w.folder)
    interrupted(w, 4, is_part, lambda: resuming.upload_file(oss.PutObjectRequest(**fields), path))
    uploads = w.open_uploads(key)
    equal(len(uploads), 1, "open uploads after the interruption")
    equal(len(w.parts(key, uploads[0].upload_id)), 4, "parts after the interruption")
    sent = []
    fields["progress_fn"] = lambda increment, done, total: sent.append(done)
    result = resuming.upload_file(oss.PutObjectRequest(**fields), path)
    equal((min(sent) >= 4 * PART, sent[-1]), (True, len(content)), "progress of the second run")
    equal(etag(result)[32:], "-11", "parts in the ETag")
    equal(w.get(key), content, "content")
    equal(dict(w.do("head_object", key=key).metadata), {"a": "1"}, "metadata")
    equal(w.do("get_object_acl", key=key).acl, "public-read", "ACL")
    interrupted(w, 2, is_part, lambda: w.client.uploader(part_size=PART).upload_file(
        oss.PutObjectRequest(bucket=w.bucket, key=key), path))
    equal(w.open_uploads(key), [], "open uploads after a failure without a checkpoint")


@scenario("Downloader")
def downloader(w):
    key, content = "mp/downloader", data("downloader", 10 * PART + 17)
    w.client.uploader(part_size=2 * PART).upload_file(oss.PutObjectRequest(bucket=w.bucket, key=key),
                                                      w.file("downloader-source", content))
    path = os.path.join(w.folder, "downloader")
    resuming = w.client.downloader(part_size=PART, parallel_num=1, enable_checkpoint=True, checkpoint_dir=w.folder,
                                   verify_data=True)
    interrupted(w, 5, is_ranged_get, lambda: resuming.download_file(oss.GetObjectRequest(bucket=w.bucket, key=key), path))
    sent = []
    request = oss.GetObjectRequest(bucket=w.bucket, key=key,
                                   progress_fn=lambda increment, done, total: sent.append(done))
    resuming.download_file(request, path)
    equal((min(sent) >= 5 * PART, sent[-1]), (True, len(content)), "progress of the second run")
    with open(path, "rb") as f:
        equal(f.read(), content, "content")


@scenario("Copier")
def copier(w):
    source, target, content = "mp/copier +中", "mp/copied by the copier", data("copier", 6 * PART + 17)
    w.put(source, content, metadata={"a": "1"}, tagging="t=1", content_type="text/css")
    copying = w.client.copier(part_size=PART, parallel_num=2, multipart_copy_threshold=PART, disable_shallow_copy=True)
    request = oss.CopyObjectRequest(bucket=w.bucket, key=target, source_bucket=w.bucket, source_key=source)
    equal(copying.copy(request).etag.strip('"')[32:], "-7", "parts in the ETag")
    equal(w.get(target), content, "content")
    head = w.do("head_object", key=target)
    equal((dict(head.metadata), head.content_type, w.tags(target)), ({"a": "1"}, "text/css", {"t": "1"}), "metadata")
    interrupted(w, 3, is_part, lambda: copying.copy(request))
    equal(w.open_uploads(target), [], "open uploads after a failure")


@scenario("CRC-64 checked by the client")
def crc(w):
    def crc_of(content):
        sum64 = Crc64(0)
        sum64.update(content)
        return str(sum64.sum64())

    content = data("crc", 300000)
    equal(w.put("crc", content).hash_crc64, crc_of(content), "CRC at put")  # the SDK compares, too
    path = os.path.join(w.folder, "crc")
    got = w.client.get_object_to_file(oss.GetObjectRequest(bucket=w.bucket, key="crc"), path)
    equal(got.hash_crc64, crc_of(content), "CRC at get")
    upload_id, parts, contents = w.upload("mp/crc", PART, 99)
    equal(w.complete("mp/crc", upload_id, parts).hash_crc64, crc_of(b"".join(contents)), "CRC at complete")
    with fails(400, "InvalidCRC64"):
        w.put("crc/bad", content, headers={"x-oss-hash-crc64ecma": "1"})
    equal(w.exists("crc/bad"), False, "object with a wrong CRC")


if __name__ == "__main__":
    options = arguments()
    resolve_to_loopback(".localhost", "localhost")
    main(options, World(options))
