"""The scenarios with oss2, the OSS SDK for Python 1.0."""

import contextlib
import datetime
import json
import os
import subprocess
import time

import oss2
import requests
from oss2.credentials import EnvironmentVariableCredentialsProvider
from oss2.models import BucketCreateConfig, PartInfo, PutBucketCnameRequest, Tagging, TaggingRule

from harness import (AWKWARD_KEYS, PART, Mismatch, arguments, data, equal, main, md5_base64, md5_hex, multipart_etag,
                     refused, resolve_to_loopback, scenario, tampered, true)
import harness

# oss2 takes the bare "localhost" for an IP address and falls back to path
# style, so virtual-host requests go to a domain that the server is given.
VIRTUAL_DOMAIN = "oss.test"

# Domains below it lead to buckets as a whole.
CNAME_DOMAIN = "cname.test"

LONG_AGO = "Tue, 01 Feb 2011 00:00:00 GMT"
FAR_AHEAD = "Sat, 01 Jan 2150 00:00:00 GMT"


class World:
    """The client under test and one bucket that most scenarios share."""

    def __init__(self, options):
        self.options = options
        host = VIRTUAL_DOMAIN if options.style == "virtual" else "127.0.0.1"
        scheme = "https" if options.style == "https" else "http"
        self.endpoint = "%s://%s:%d" % (scheme, host, options.port)
        self.auth = self.signer(options.access_key_id, options.access_key_secret)
        self.service = oss2.Service(self.auth, self.endpoint, region=self.region())
        self.bucket = self.by_endpoint("main")
        self.bucket.create_bucket()
        if options.style == "cname":
            self.bucket.put_bucket_cname(PutBucketCnameRequest(self.cname()))
            self.bucket = self.open("main")

    def signer(self, access_key_id, secret):
        return (oss2.AuthV4 if self.options.signature == "v4" else oss2.Auth)(access_key_id, secret)

    def region(self):
        return self.options.region if self.options.signature == "v4" else None

    def cname(self):
        """The domain of the main bucket in the style of that name."""
        return "%s.%s" % (self.options.prefix, CNAME_DOMAIN)

    def open(self, name, auth=None, region=None):
        if self.options.style == "cname" and name == "main":
            return oss2.Bucket(auth or self.auth, "http://%s:%d" % (self.cname(), self.options.port),
                               "%s-%s" % (self.options.prefix, name), is_cname=True, region=region or self.region())
        return self.by_endpoint(name, auth, region)

    def by_endpoint(self, name, auth=None, region=None):
        return oss2.Bucket(auth or self.auth, self.endpoint, "%s-%s" % (self.options.prefix, name),
                           region=region or self.region())

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def kms_key(self):
        """A key of the server's ring that is not the default one."""
        name = self.options.prefix
        keys = [json.loads(line)["id"] for line in ossa_admin(self, "keyring", "ls", "--json").splitlines()]
        if name not in keys:
            ossa_admin(self, "keyring", "create", name)
        return name

    def upload(self, key, *sizes, **kwargs):
        """Starts an upload and sends parts 1, 2, ... of these sizes."""
        upload_id = self.bucket.init_multipart_upload(key, **kwargs).upload_id
        parts, contents = [], []
        for number, size in enumerate(sizes, 1):
            content = data((key, number), size)
            result = self.bucket.upload_part(key, upload_id, number, content)
            equal(result.etag, md5_hex(content), "ETag of part %d" % number)
            parts.append(PartInfo(number, result.etag, size=size, part_crc=result.crc))
            contents.append(content)
        return upload_id, parts, contents


def status_and_code(e):
    return (e.status, e.code) if isinstance(e, oss2.exceptions.OssError) and e.status > 0 else None


def fails(status, code):
    return refused(status_and_code, status, code)


# Buckets


@scenario("bucket create and delete")
def bucket_create_and_delete(w):
    bucket = w.open("life")
    result = bucket.create_bucket(oss2.BUCKET_ACL_PUBLIC_READ, BucketCreateConfig(oss2.BUCKET_STORAGE_CLASS_IA))
    equal(result.status, 200, "status")
    info = bucket.get_bucket_info()
    equal((info.storage_class, info.acl.grant), ("IA", "public-read"), "class and ACL")
    bucket.create_bucket()  # one's own bucket again is fine
    equal(bucket.get_bucket_acl().acl, "public-read", "ACL after a second create")

    bucket.put_object("k", b"1")
    with fails(409, "BucketNotEmpty"):
        bucket.delete_bucket()
    bucket.delete_object("k")
    upload_id = bucket.init_multipart_upload("k").upload_id
    with fails(409, "BucketNotEmpty"):
        bucket.delete_bucket()
    bucket.abort_multipart_upload("k", upload_id)
    equal(bucket.delete_bucket().status, 204, "status of delete")
    with fails(404, "NoSuchBucket"):
        bucket.get_bucket_info()
    with fails(404, "NoSuchBucket"):
        bucket.delete_bucket()
    with fails(404, "NoSuchBucket"):
        bucket.put_object("k", b"1")


@scenario("bucket list")
def bucket_list(w):
    names = ["%s-list-%d" % (w.options.prefix, i) for i in range(4)]
    for i in range(4):
        w.open("list-%d" % i).create_bucket()
    prefix = "%s-list-" % w.options.prefix
    page = w.service.list_buckets(prefix=prefix, max_keys=3)
    equal([b.name for b in page.buckets], names[:3], "first page")
    equal((page.is_truncated, page.next_marker), (True, names[2]), "truncation")
    page = w.service.list_buckets(prefix=prefix, marker=page.next_marker, max_keys=3)
    equal(([b.name for b in page.buckets], page.is_truncated), (names[3:], False), "second page")
    equal(page.buckets[0].location, "oss-" + w.options.region, "location")
    true(abs(page.buckets[0].creation_date - time.time()) < 900, "creation date is not now")
    true(page.owner.id, "owner has no ID")
    equal([b.name for b in oss2.BucketIterator(w.service, prefix=prefix, max_keys=1)], names, "iterator")
    for i in range(4):
        w.open("list-%d" % i).delete_bucket()
    equal(w.service.list_buckets(prefix=prefix).buckets, [], "after delete")


@scenario("bucket domains")
def bucket_domains(w):
    one, two = w.open("domains"), w.open("domains-2")
    one.create_bucket()
    two.create_bucket()
    domain = "img-%s.%s" % (w.options.prefix, CNAME_DOMAIN)
    equal(one.put_bucket_cname(PutBucketCnameRequest(domain.upper())).status, 200, "status")
    with fails(409, "CnameAlreadyExists"):
        two.put_bucket_cname(PutBucketCnameRequest(domain))
    with fails(403, "CnameIsForbidden"):
        one.put_bucket_cname(PutBucketCnameRequest("%s.%s" % (two.bucket_name, VIRTUAL_DOMAIN)))
    with fails(400, "InvalidArgument"):
        one.put_bucket_cname(PutBucketCnameRequest("127.0.0.1"))
    listed = one.list_bucket_cname()
    equal((listed.bucket, [(c.domain, c.status) for c in listed.cname]), (one.bucket_name, [(domain, "Enabled")]), "domains")
    one.delete_bucket_cname(domain)
    with fails(404, "NoSuchCname"):
        one.delete_bucket_cname(domain)
    two.put_bucket_cname(PutBucketCnameRequest(domain))
    two.delete_bucket()
    one.put_bucket_cname(PutBucketCnameRequest(domain))
    one.delete_bucket()


@scenario("bucket info, location, stat")
def bucket_info(w):
    bucket = w.open("info")
    bucket.create_bucket()
    info = bucket.get_bucket_info()
    equal((info.name, info.location, info.storage_class, info.acl.grant),
          (bucket.bucket_name, "oss-" + w.options.region, "Standard", "private"), "info")
    true(info.owner.id and info.extranet_endpoint and info.intranet_endpoint, "owner or endpoints are empty")
    equal(bucket.get_bucket_location().location, "oss-" + w.options.region, "location")
    bucket.put_object("a", data("a", 1000))
    bucket.put_object("b", data("b", 234))
    upload_id = bucket.init_multipart_upload("c").upload_id
    stat = bucket.get_bucket_stat()
    equal((stat.storage_size_in_bytes, stat.object_count, stat.multi_part_upload_count), (1234, 2, 1), "stat")
    bucket.abort_multipart_upload("c", upload_id)
    bucket.batch_delete_objects(["a", "b"])
    stat = bucket.get_bucket_stat()
    equal((stat.storage_size_in_bytes, stat.object_count, stat.multi_part_upload_count), (0, 0, 0), "stat when empty")
    bucket.delete_bucket()


@scenario("bucket ACL")
def bucket_acl(w):
    bucket = w.open("acl")
    bucket.create_bucket()
    equal(bucket.get_bucket_acl().acl, "private", "default ACL")
    for acl in ("public-read", "public-read-write", "private"):
        bucket.put_bucket_acl(acl)
        equal(bucket.get_bucket_acl().acl, acl, "ACL")
    with fails(400, "InvalidArgument"):
        bucket.put_bucket_acl("public")
    equal(bucket.get_bucket_acl().acl, "private", "ACL after a refused one")
    bucket.delete_bucket()


@scenario("bucket lifecycle")
def bucket_lifecycle(w):
    m = oss2.models
    bucket = w.open("lifecycle")
    bucket.create_bucket()
    with fails(404, "NoSuchLifecycle"):
        bucket.get_bucket_lifecycle()
    rules = [
        m.LifecycleRule("days", "中文/", expiration=m.LifecycleExpiration(days=357),
                        abort_multipart_upload=m.AbortMultipartUpload(days=7),
                        storage_transitions=[m.StorageTransition(days=355, storage_class="IA"),
                                             m.StorageTransition(days=356, storage_class="Archive")]),
        m.LifecycleRule("dates", "b/", status=m.LifecycleRule.DISABLED,
                        expiration=m.LifecycleExpiration(created_before_date=datetime.date(2016, 12, 25)),
                        abort_multipart_upload=m.AbortMultipartUpload(created_before_date=datetime.date(2016, 12, 20)),
                        tagging=Tagging(TaggingRule())),
        m.LifecycleRule("old", "c/", expiration=m.LifecycleExpiration(date=datetime.date(2016, 12, 25)),
                        filter=m.LifecycleFilter([m.FilterNot("c/keep", m.FilterNotTag("k", "v"))], 203, 311)),
        m.LifecycleRule("versions", "d/", expiration=m.LifecycleExpiration(expired_detete_marker=True),
                        noncurrent_version_expiration=m.NoncurrentVersionExpiration(30)),
    ]
    rules[1].tagging.tag_set.add("key", "a value")
    bucket.put_bucket_lifecycle(m.BucketLifecycle(rules))
    got = bucket.get_bucket_lifecycle().rules
    equal([(r.id, r.prefix, r.status) for r in got], [(r.id, r.prefix, r.status) for r in rules], "rules")
    equal((got[0].expiration.days, got[0].abort_multipart_upload.days), (357, 7), "days")
    equal([(t.days, t.storage_class) for t in got[0].storage_transitions], [(355, "IA"), (356, "Archive")], "transitions")
    equal((got[1].expiration.created_before_date, got[1].abort_multipart_upload.created_before_date),
          (datetime.date(2016, 12, 25), datetime.date(2016, 12, 20)), "dates")
    equal(got[1].tagging.tag_set.tagging_rule, {"key": "a value"}, "tags")
    equal(got[2].expiration.date, datetime.date(2016, 12, 25), "date")
    equal((got[2].filter.filter_not[0].prefix, got[2].filter.filter_not[0].tag.key, got[2].filter.object_size_greater_than,
           got[2].filter.object_size_less_than), ("c/keep", "k", 203, 311), "filter")
    equal((got[3].expiration.expired_detete_marker, got[3].noncurrent_version_expiration.noncurrent_days), (True, 30), "versions")

    overlapping = [m.LifecycleRule("1", "a/", expiration=m.LifecycleExpiration(days=3)),
                   m.LifecycleRule("2", "a/b", expiration=m.LifecycleExpiration(days=4))]
    with fails(400, "InvalidArgument"):
        bucket.put_bucket_lifecycle(m.BucketLifecycle(overlapping))
    equal(len(bucket.get_bucket_lifecycle().rules), 4, "rules after a refused put")
    bucket.put_bucket_lifecycle(m.BucketLifecycle(overlapping), {"x-oss-allow-same-action-overlap": "true"})
    equal(len(bucket.get_bucket_lifecycle().rules), 2, "rules that overlap")
    mixed = m.LifecycleRule("m", "a/", expiration=m.LifecycleExpiration(created_before_date=datetime.date(2016, 12, 25)),
                            storage_transitions=[m.StorageTransition(days=3, storage_class="IA")])
    with fails(400, "InvalidRequest"):
        bucket.put_bucket_lifecycle(m.BucketLifecycle([mixed]))
    equal(bucket.delete_bucket_lifecycle().status, 204, "status of delete")
    bucket.delete_bucket_lifecycle()
    with fails(404, "NoSuchLifecycle"):
        bucket.get_bucket_lifecycle()
    bucket.delete_bucket()


@scenario("bucket CORS")
def bucket_cors(w):
    bucket = w.open("cors")
    bucket.create_bucket()
    with fails(404, "NoSuchCORSConfiguration"):
        bucket.get_bucket_cors()
    rule = oss2.models.CorsRule(["https://app.example.com"], ["PUT", "POST"], ["x-oss-*", "authorization"], ["x-oss-meta-a"], 1000)
    bucket.put_bucket_cors(oss2.models.BucketCors([rule, oss2.models.CorsRule(["*"], ["GET"])]))
    got = bucket.get_bucket_cors()
    equal((got.rules[0].allowed_origins, got.rules[0].allowed_methods, got.rules[0].allowed_headers, got.rules[0].expose_headers,
           got.rules[0].max_age_seconds, len(got.rules), got.response_vary),
          (rule.allowed_origins, rule.allowed_methods, rule.allowed_headers, rule.expose_headers, 1000, 2, False), "rules")

    url = "%s/%s/k" % (w.endpoint.replace(VIRTUAL_DOMAIN, "127.0.0.1"), bucket.bucket_name)  # requests resolves for itself
    ask = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}
    answer = requests.options(url, headers={**ask, "Access-Control-Request-Headers": "x-oss-date"})
    equal((answer.status_code, answer.headers["Access-Control-Allow-Origin"], answer.headers["Access-Control-Max-Age"]),
          (200, "https://app.example.com", "1000"), "preflight")
    for name, value in (("Origin", "https://other.example.com"), ("Access-Control-Request-Method", "DELETE"),
                        ("Access-Control-Request-Headers", "range")):
        answer = requests.options(url, headers={**ask, name: value})
        equal((answer.status_code, "AccessForbidden" in answer.text), (403, True), "preflight with another " + name)
    result = bucket.put_object("k", b"1", headers={"Origin": "https://app.example.com"})
    equal(result.headers["Access-Control-Allow-Origin"], "https://app.example.com", "origin")
    true("etag" in result.headers["Access-Control-Expose-Headers"].lower(), "the ETag is not exposed")

    bucket.delete_bucket_cors()
    bucket.delete_bucket_cors()
    with fails(404, "NoSuchCORSConfiguration"):
        bucket.get_bucket_cors()
    true("Access-Control-Allow-Origin" not in bucket.get_object("k", headers={"Origin": "https://a.com"}).headers, "origin without rules")
    bucket.delete_object("k")
    bucket.delete_bucket()


@scenario("bucket referer")
def bucket_referer(w):
    bucket = w.open("referer")
    bucket.create_bucket()
    equal(bucket.get_bucket_referer().allow_empty_referer, True, "default")
    referers = ["http://hello.com", "mibrowser:home", "中文+referer"]
    bucket.put_bucket_referer(oss2.models.BucketReferer(False, referers, False, ["http://bad.com/*"]))
    got = bucket.get_bucket_referer()
    equal((got.allow_empty_referer, got.allow_truncate_query_string, got.referers, got.black_referers),
          (False, False, referers, ["http://bad.com/*"]), "configuration")
    bucket.put_bucket_referer(oss2.models.BucketReferer(True, []))
    got = bucket.get_bucket_referer()
    equal((got.allow_empty_referer, got.allow_truncate_query_string, got.referers), (True, True, []), "empty configuration")
    bucket.delete_bucket()


@scenario("bucket encryption")
def bucket_encryption(w):
    bucket = w.open("encryption")
    bucket.create_bucket()
    with fails(404, "NoSuchServerSideEncryptionRule"):
        bucket.get_bucket_encryption()
    rule = oss2.models.ServerSideEncryptionRule("AES256", "")
    bucket.put_bucket_encryption(rule)
    got = bucket.get_bucket_encryption()
    equal((got.sse_algorithm, got.kms_master_keyid), ("AES256", None), "rule")
    equal(bucket.get_bucket_info().bucket_encryption_rule.sse_algorithm, "AES256", "rule in the info")
    bucket.put_bucket_encryption(oss2.models.ServerSideEncryptionRule("KMS", "123"))
    info = bucket.get_bucket_info().bucket_encryption_rule
    equal((info.sse_algorithm, info.kms_master_keyid), ("KMS", "123"), "rule in the info")
    with fails(400, "InvalidArgument"):
        bucket.put_bucket_encryption(oss2.models.ServerSideEncryptionRule("AES256", "123"))
    with fails(400, "InvalidEncryptionAlgorithmError"):
        bucket.put_bucket_encryption(oss2.models.ServerSideEncryptionRule("random", ""))
    equal(bucket.delete_bucket_encryption().status, 204, "status of delete")
    with fails(404, "NoSuchServerSideEncryptionRule"):
        bucket.get_bucket_encryption()
    bucket.delete_bucket()


@scenario("bucket tagging")
def bucket_tagging(w):
    bucket = w.open("tagging")
    bucket.create_bucket()
    equal(bucket.get_bucket_tagging().tag_set.len(), 0, "tags of a new bucket")
    tagging = Tagging()
    tagging.tag_set.tagging_rule = {"%@abc": "abc", "123++": "++123%", "test": "中文"}
    bucket.put_bucket_tagging(tagging)
    equal(bucket.get_bucket_tagging().tag_set.tagging_rule, {"%@abc": "abc", "123++": "++123%", "test": "中文"}, "tags")
    bucket.delete_bucket_tagging(params={"tagging": "%@abc,other"})
    equal(bucket.get_bucket_tagging().tag_set.tagging_rule, {"123++": "++123%", "test": "中文"}, "tags after some were deleted")
    tagging.tag_set.tagging_rule = {"Aliyun-x": ""}
    with fails(400, "InvalidTag"):
        bucket.put_bucket_tagging(tagging)
    equal(bucket.delete_bucket_tagging().status, 204, "status of delete")
    equal(bucket.get_bucket_tagging().tag_set.len(), 0, "tags after all were deleted")
    bucket.delete_bucket()


@scenario("bucket policy")
def bucket_policy(w):
    bucket = w.open("policy")
    bucket.create_bucket()
    with fails(404, "NoSuchBucketPolicy"):
        bucket.get_bucket_policy()
    policy = json.dumps({"Version": "1", "Statement": [{
        "Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"],
        "Resource": ["acs:oss:*:*:%s/open/*" % bucket.bucket_name]}]}, indent=1)
    bucket.put_bucket_policy(policy)
    equal(bucket.get_bucket_policy().policy, policy, "policy")
    bucket.put_object("open/k", b"for all")
    bucket.put_object("k", b"for me")
    anonymous = w.open("policy", auth=oss2.AnonymousAuth())
    equal(anonymous.get_object("open/k").read(), b"for all", "object that the policy opens")
    with fails(403, "AccessDenied"):
        anonymous.get_object("k")
    with fails(400, "InvalidPolicyDocument"):
        bucket.put_bucket_policy(policy.replace('"1"', '"2"'))
    equal(bucket.delete_bucket_policy().status, 204, "status of delete")
    with fails(404, "NoSuchBucketPolicy"):
        bucket.get_bucket_policy()
    with fails(403, "AccessDenied"):
        anonymous.get_object("open/k")
    bucket.batch_delete_objects(["open/k", "k"])
    bucket.delete_bucket()


LISTED = ["a", "dir/", "dir/1", "dir/2", "dir/sub/3", "e", "f +%&", "中/文"]


def fill_listing(w):
    for key in LISTED:
        w.bucket.put_object("ls/" + key, data(key, 10))
    return ["ls/" + key for key in LISTED]


@scenario("list objects")
def list_objects(w):
    keys = fill_listing(w)
    page = w.bucket.list_objects(prefix="ls/", max_keys=3)
    equal([o.key for o in page.object_list], keys[:3], "first page")
    equal((page.is_truncated, page.next_marker), (True, keys[2]), "truncation")
    first = page.object_list[0]
    equal((first.size, first.type, first.storage_class, first.etag),
          (10, "Normal", "Standard", md5_hex(data("a", 10))), "entry")
    true(abs(first.last_modified - time.time()) < 900, "last modified is not now")
    page = w.bucket.list_objects(prefix="ls/", marker=page.next_marker, max_keys=1000)
    equal([o.key for o in page.object_list], keys[3:], "from a marker")
    page = w.bucket.list_objects(prefix="ls/", marker="ls/dir/1x")  # a marker need not exist
    equal([o.key for o in page.object_list], keys[3:], "from a marker that does not exist")
    page = w.bucket.list_objects(prefix="ls/", delimiter="/")
    equal(([o.key for o in page.object_list], page.prefix_list),
          (["ls/a", "ls/e", "ls/f +%&"], ["ls/dir/", "ls/中/"]), "with delimiter")
    for size in (1, 2, 3):
        walked = [o.key for o in oss2.ObjectIterator(w.bucket, prefix="ls/", delimiter="/", max_keys=size)]
        equal(walked, ["ls/a", "ls/dir/", "ls/e", "ls/f +%&", "ls/中/"], "pages of %d" % size)
    equal([o.key for o in oss2.ObjectIterator(w.bucket, prefix="ls/", max_keys=2)], keys, "iterator")
    equal(w.bucket.list_objects(prefix="nothing/").object_list, [], "empty listing")
    with fails(400, "InvalidArgument"):
        w.bucket.list_objects(max_keys=1001)


@scenario("list objects V2")
def list_objects_v2(w):
    keys = fill_listing(w)
    page = w.bucket.list_objects_v2(prefix="ls/", max_keys=3, fetch_owner=True)
    equal(([o.key for o in page.object_list], page.is_truncated), (keys[:3], True), "first page")
    true(page.object_list[0].owner.id, "owner has no ID")
    page = w.bucket.list_objects_v2(prefix="ls/", continuation_token=page.next_continuation_token)
    equal(([o.key for o in page.object_list], page.is_truncated), (keys[3:], False), "second page")
    equal(page.object_list[0].owner, None, "owner unasked")
    page = w.bucket.list_objects_v2(prefix="ls/", start_after="ls/e")
    equal([o.key for o in page.object_list], keys[6:], "start-after")
    page = w.bucket.list_objects_v2(prefix="ls/dir/", delimiter="/")
    equal(([o.key for o in page.object_list], page.prefix_list),
          (["ls/dir/", "ls/dir/1", "ls/dir/2"], ["ls/dir/sub/"]), "with delimiter")
    for size in (1, 2):
        walked = [o.key for o in oss2.ObjectIteratorV2(w.bucket, prefix="ls/", delimiter="/", max_keys=size)]
        equal(walked, ["ls/a", "ls/dir/", "ls/e", "ls/f +%&", "ls/中/"], "pages of %d" % size)
    with fails(400, "InvalidArgument"):
        w.bucket.list_objects_v2(continuation_token="!garbage!")


@scenario("list object versions")
def list_object_versions(w):
    keys = fill_listing(w)
    page = w.bucket.list_object_versions(prefix="ls/", max_keys=3)
    equal([v.key for v in page.versions], keys[:3], "first page")
    equal((page.is_truncated, page.next_key_marker), (True, keys[2]), "truncation")
    version = page.versions[0]
    equal((version.versionid, version.is_latest, version.size, version.type), ("null", True, 10, "Normal"), "version")
    true(version.owner.id, "owner has no ID")
    page = w.bucket.list_object_versions(prefix="ls/", key_marker=page.next_key_marker,
                                         versionid_marker=page.next_versionid_marker)
    equal([v.key for v in page.versions], keys[3:], "second page")
    equal(page.delete_marker, [], "delete markers")
    page = w.bucket.list_object_versions(prefix="ls/", delimiter="/")
    equal(page.common_prefix, ["ls/dir/", "ls/中/"], "common prefixes")


# Objects


@scenario("put, get, head, delete")
def put_get_head_delete(w):
    content = data("life", 70000)
    result = w.bucket.put_object("life.txt", content, headers={
        "x-oss-meta-Author": "foo@bar.com", "Cache-Control": "no-cache", "Content-Disposition": "attachment",
        "Content-Encoding": "identity", "Expires": "Fri, 28 Feb 2042 05:38:42 GMT", "x-oss-storage-class": "IA"})
    equal((result.status, result.etag), (200, md5_hex(content)), "answer")
    true(result.crc, "no CRC in the answer")
    head = w.bucket.head_object("life.txt")
    equal((head.content_length, head.etag, head.object_type, head.content_type),
          (70000, md5_hex(content), "Normal", "text/plain"), "head")
    for name, value in (("x-oss-meta-author", "foo@bar.com"), ("cache-control", "no-cache"),
                        ("content-disposition", "attachment"), ("content-encoding", "identity"),
                        ("expires", "Fri, 28 Feb 2042 05:38:42 GMT"), ("x-oss-storage-class", "IA")):
        equal(head.headers.get(name), value, name)
    equal(head.server_crc, result.crc, "CRC of head")
    got = w.bucket.get_object("life.txt")
    equal(got.read(), content, "content")
    equal((got.client_crc, got.headers["x-oss-meta-author"]), (got.server_crc, "foo@bar.com"), "CRC and metadata")

    meta = w.bucket.get_object_meta("life.txt")
    equal((meta.content_length, meta.etag), (70000, md5_hex(content)), "object meta")
    equal(w.bucket.object_exists("life.txt"), True, "exists")
    true(abs(meta.last_modified - time.time()) < 900, "last modified is not now")

    w.bucket.put_object("life.txt", b"")  # an overwrite forgets the old metadata
    head = w.bucket.head_object("life.txt")
    equal((head.content_length, "x-oss-meta-author" in head.headers), (0, False), "overwritten")
    equal(w.bucket.get_object("life.txt").read(), b"", "empty content")
    w.bucket.put_object("stream.bin", iter([content[:1000], content[1000:]]))  # chunked
    equal(w.bucket.get_object("stream.bin").read(), content, "chunked content")

    equal(w.bucket.delete_object("life.txt").status, 204, "delete")
    equal(w.bucket.delete_object("life.txt").status, 204, "delete of nothing")
    equal(w.bucket.object_exists("life.txt"), False, "exists after delete")
    with fails(404, "NoSuchKey"):
        w.bucket.get_object("life.txt")
    with fails(404, "NoSuchKey"):
        w.bucket.head_object("life.txt")
    with fails(404, "NoSuchBucket"):
        w.open("missing").object_exists("k")
    with fails(409, "FileAlreadyExists"):
        w.bucket.put_object("stream.bin", b"1", headers={"x-oss-forbid-overwrite": "true"})
    with fails(400, "InvalidDigest"):
        w.bucket.put_object("bad.bin", b"1", headers={"Content-MD5": oss2.utils.content_md5(b"2")})
    equal(w.bucket.object_exists("bad.bin"), False, "object with a wrong digest")


@scenario("ranges")
def ranges(w):
    content = data("range", 1000)
    w.bucket.put_object("range", content)
    for byte_range, want in (((0, 499), content[:500]), ((500, None), content[500:]), ((None, 200), content[800:]),
                             ((999, 999), content[999:])):
        result = w.bucket.get_object("range", byte_range=byte_range)
        equal((result.status, result.read()), (206, want), "range %r" % (byte_range,))
    result = w.bucket.get_object("range", byte_range=(100, 199))
    equal((result.headers["content-range"], result.content_length), ("bytes 100-199/1000", 100), "Content-Range")
    for byte_range in ((500, 2000), (1000, 1500), (None, 2000)):  # out of bounds: the whole object
        result = w.bucket.get_object("range", byte_range=byte_range)
        equal((result.status, result.read()), (200, content), "range %r" % (byte_range,))
    standard = {"x-oss-range-behavior": "standard"}
    result = w.bucket.get_object("range", byte_range=(500, 2000), headers=standard)
    equal((result.status, result.read()), (206, content[500:]), "clipped range")
    with fails(416, "InvalidRange"):
        w.bucket.get_object("range", byte_range=(1000, 1500), headers=standard)


@scenario("conditions")
def conditions(w):
    etag = w.bucket.put_object("cond", b"content").etag
    for method in (w.bucket.get_object, w.bucket.head_object):
        for headers in ({"If-Match": etag}, {"If-Match": '"%s"' % etag}, {"If-None-Match": "0" * 32},
                        {"If-Modified-Since": LONG_AGO}, {"If-Unmodified-Since": FAR_AHEAD}):
            equal(method("cond", headers=headers).status, 200, "%r" % headers)
        for headers in ({"If-None-Match": etag}, {"If-None-Match": '"%s"' % etag}):
            with fails(304, ""):
                method("cond", headers=headers)
        with fails(304, ""):
            method("cond", headers={"If-Modified-Since": oss2.http_date(time.time())})
        for headers in ({"If-Match": "0" * 32}, {"If-Unmodified-Since": LONG_AGO}):
            with fails(412, "PreconditionFailed"):
                method("cond", headers=headers)


@scenario("copy object")
def copy_object(w):
    content = data("copy", 5000)
    source = w.bucket.bucket_name
    etag = w.bucket.put_object("copy/from +中", content, headers={
        "x-oss-meta-a": "1", "Content-Type": "text/css", "x-oss-tagging": "t=1"}).etag
    result = w.bucket.copy_object(source, "copy/from +中", "copy/to")
    equal(result.etag, etag, "ETag")
    head = w.bucket.head_object("copy/to")
    equal((head.content_type, head.headers["x-oss-meta-a"], head.content_length), ("text/css", "1", 5000), "copied")
    equal(w.bucket.get_object("copy/to").read(), content, "content")
    equal(w.bucket.get_object_tagging("copy/to").tag_set.tagging_rule, {"t": "1"}, "copied tags")

    w.bucket.copy_object(source, "copy/from +中", "copy/to", headers={
        "x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2", "Content-Type": "text/html",
        "x-oss-tagging-directive": "Replace", "x-oss-tagging": "u=2"})
    head = w.bucket.head_object("copy/to")
    equal((head.content_type, head.headers.get("x-oss-meta-a"), head.headers.get("x-oss-meta-b")),
          ("text/html", None, "2"), "replaced")
    equal(w.bucket.get_object_tagging("copy/to").tag_set.tagging_rule, {"u": "2"}, "replaced tags")

    w.bucket.update_object_meta("copy/to", {"x-oss-meta-c": "3"})  # a copy onto itself
    equal(w.bucket.head_object("copy/to").headers.get("x-oss-meta-c"), "3", "updated in place")
    equal(w.bucket.get_object("copy/to").read(), content, "content after update")

    other = w.open("copy")
    other.create_bucket()
    other.copy_object(source, "copy/from +中", "k")
    equal(other.get_object("k").read(), content, "content in the other bucket")
    other.delete_object("k")
    other.delete_bucket()

    for headers in ({"x-oss-copy-source-if-match": etag}, {"x-oss-copy-source-if-none-match": "0" * 32},
                    {"x-oss-copy-source-if-modified-since": LONG_AGO},
                    {"x-oss-copy-source-if-unmodified-since": FAR_AHEAD}):
        equal(w.bucket.copy_object(source, "copy/from +中", "copy/if", headers=headers).etag, etag, "%r" % headers)
    w.bucket.delete_object("copy/if")
    for headers, status, code in (({"x-oss-copy-source-if-match": "0" * 32}, 412, "PreconditionFailed"),
                                  ({"x-oss-copy-source-if-unmodified-since": LONG_AGO}, 412, "PreconditionFailed"),
                                  ({"x-oss-copy-source-if-none-match": etag}, 304, ""),
                                  ({"x-oss-forbid-overwrite": "true"}, 409, "FileAlreadyExists")):
        target = "copy/to" if code == "FileAlreadyExists" else "copy/if"
        with fails(status, code):
            w.bucket.copy_object(source, "copy/from +中", target, headers=headers)
    equal(w.bucket.object_exists("copy/if"), False, "target of refused copies")
    with fails(404, "NoSuchKey"):
        w.bucket.copy_object(source, "copy/none", "copy/if")
    with fails(404, "NoSuchBucket"):
        w.bucket.copy_object(source + "-none", "k", "copy/if")


@scenario("delete multiple objects")
def delete_multiple(w):
    # oss2 writes keys into the XML unescaped but for markup, so only the
    # control characters that XML allows as they are can be named.
    keys = ["many/%d" % i for i in range(5)] + ["many/<&>\"'", "many/tab\there", "many/line\nfeed", "many/中 +%41"]
    for key in keys:
        w.bucket.put_object(key, b"1")
    result = w.bucket.batch_delete_objects(keys[:3] + ["many/missing"])
    equal(sorted(result.deleted_keys), sorted(keys[:3] + ["many/missing"]), "deleted")
    equal([o.key for o in oss2.ObjectIterator(w.bucket, prefix="many/")], sorted(keys[3:]), "left")
    result = w.bucket.batch_delete_objects(keys)
    equal(sorted(result.deleted_keys), sorted(keys), "deleted")
    equal(w.bucket.list_objects(prefix="many/").object_list, [], "left")


@scenario("object ACL")
def object_acl(w):
    w.bucket.put_object("acl", b"1")
    equal(w.bucket.get_object_acl("acl").acl, "default", "ACL unset")
    for acl in ("private", "public-read", "public-read-write", "default"):
        w.bucket.put_object_acl("acl", acl)
        equal(w.bucket.get_object_acl("acl").acl, acl, "ACL")
    w.bucket.put_object("acl", b"1", headers={"x-oss-object-acl": "public-read"})
    equal(w.bucket.get_object_acl("acl").acl, "public-read", "ACL at put")
    w.bucket.put_object("acl", b"1")
    equal(w.bucket.get_object_acl("acl").acl, "default", "ACL after an overwrite")
    with fails(400, "InvalidArgument"):
        w.bucket.put_object_acl("acl", "public")
    with fails(404, "NoSuchKey"):
        w.bucket.get_object_acl("acl/none")


@scenario("object tagging")
def object_tagging(w):
    def rules(tags):
        rule = TaggingRule()
        for key, value in tags.items():
            rule.add(key, value)
        return Tagging(rule)

    def tags_of(key):
        return w.bucket.get_object_tagging(key).tag_set.tagging_rule

    w.bucket.put_object("tags", b"1")
    equal(tags_of("tags"), {}, "tags unset")
    w.bucket.put_object_tagging("tags", rules({"k1": "v1", "k 2": "a+b-c=d._:/", "k3": ""}))
    equal(tags_of("tags"), {"k1": "v1", "k 2": "a+b-c=d._:/", "k3": ""}, "tags")
    equal(w.bucket.head_object("tags").headers.get("x-oss-tagging-count"), "3", "count in head")
    w.bucket.put_object_tagging("tags", rules({"only": "one"}))
    equal(tags_of("tags"), {"only": "one"}, "replaced tags")
    equal(w.bucket.delete_object_tagging("tags").status, 204, "delete")
    equal(tags_of("tags"), {}, "deleted tags")
    w.bucket.put_object("tags", b"1", headers={"x-oss-tagging": "a=1&b%20c=%2B"})
    equal(tags_of("tags"), {"a": "1", "b c": "+"}, "tags at put")
    with fails(404, "NoSuchKey"):
        w.bucket.get_object_tagging("tags/none")


@scenario("storage classes and restore")
def storage_classes_and_restore(w):
    for storage_class, days in (("Archive", 3), ("ColdArchive", 300), ("DeepColdArchive", 1)):
        key = "restore/" + storage_class
        w.bucket.put_object(key, b"frozen", headers={"x-oss-storage-class": storage_class})
        head = w.bucket.head_object(key)
        equal((head.headers["x-oss-storage-class"], head.headers.get("x-oss-restore")), (storage_class, None), "head")
        listed = w.bucket.list_objects(prefix=key).object_list[0]
        equal(listed.storage_class, storage_class, "class in listing")
        with fails(403, "InvalidObjectState"):
            w.bucket.get_object(key)
        with fails(403, "InvalidObjectState"):
            w.bucket.copy_object(w.bucket.bucket_name, key, key + "/copy")
        with fails(403, "InvalidObjectState"):
            w.bucket.copy_object(w.bucket.bucket_name, key, key, headers={"x-oss-storage-class": "Standard"})
        upload_id = w.bucket.init_multipart_upload("restore/parts").upload_id
        with fails(403, "InvalidObjectState"):
            w.bucket.upload_part_copy(w.bucket.bucket_name, key, (0, 2), "restore/parts", upload_id, 1)
        w.bucket.abort_multipart_upload("restore/parts", upload_id)

        parameters = None if storage_class == "Archive" else oss2.models.RestoreJobParameters(oss2.models.RESTORE_TIER_BULK)
        result = w.bucket.restore_object(key, input=oss2.models.RestoreConfiguration(days, parameters))
        equal(result.status, 202, "status of the first restore")
        restored = w.bucket.head_object(key).headers["x-oss-restore"]
        true(restored.startswith('ongoing-request="false", expiry-date="'), restored)
        left = oss2.http_to_unixtime(restored.split('"')[3]) - time.time()
        true(days * 86400 - 900 < left < days * 86400 + 900, "restored for %d s" % left)
        equal(w.bucket.list_objects_v2(prefix=key).object_list[0].restore_info, restored, "in listing")
        equal(w.bucket.get_object(key).read(), b"frozen", "content")
        equal(w.bucket.restore_object(key).status, 200, "status of the second restore")
        w.bucket.copy_object(w.bucket.bucket_name, key, key, headers={"x-oss-storage-class": "IA"})
        head = w.bucket.head_object(key)
        equal((head.headers["x-oss-storage-class"], head.headers.get("x-oss-restore")), ("IA", None), "head of a copy")
        with fails(400, "OperationNotSupported"):
            w.bucket.restore_object(key)
        w.bucket.put_object(key, b"again", headers={"x-oss-storage-class": storage_class})
        with fails(400, "InvalidArgument"):
            w.bucket.restore_object(key, input=oss2.models.RestoreConfiguration(366))
        wrong = oss2.models.RestoreConfiguration(1, oss2.models.RestoreJobParameters("Slow"))
        with fails(400, "MalformedXML" if storage_class == "Archive" else "InvalidArgument"):
            w.bucket.restore_object(key, input=wrong)
    with fails(404, "NoSuchKey"):
        w.bucket.restore_object("restore/none")
    with fails(400, "InvalidArgument"):
        w.bucket.put_object("restore/wrong", b"1", headers={"x-oss-storage-class": "Frozen"})


@scenario("awkward keys")
def awkward_keys(w):
    bucket = w.open("keys")
    bucket.create_bucket()
    # requests cuts "." and ".." out of a URL before sending it.
    keys = [key for key in AWKWARD_KEYS if key not in (".", "..")]
    for key in keys:
        bucket.put_object(key, data(key, 100))
    for key in keys:
        equal(bucket.get_object(key).read(), data(key, 100), "content of %r" % key[:30])
        equal(bucket.head_object(key).content_length, 100, "length of %r" % key[:30])
    want = sorted(keys, key=lambda key: key.encode())
    equal([o.key for o in oss2.ObjectIterator(bucket, max_keys=4)], want, "listing")
    equal([o.key for o in oss2.ObjectIteratorV2(bucket, max_keys=4)], want, "listing V2")
    for key in keys:
        bucket.copy_object(bucket.bucket_name, key, "copy")
        equal(bucket.get_object("copy").read(), data(key, 100), "copy of %r" % key[:30])
        upload_id = bucket.init_multipart_upload(key).upload_id
        equal([u.key for u in bucket.list_multipart_uploads(prefix=key).upload_list], [key], "upload")
        part = bucket.upload_part(key, upload_id, 1, b"part")
        bucket.complete_multipart_upload(key, upload_id, [PartInfo(1, part.etag, size=4, part_crc=part.crc)])
        equal(bucket.get_object(key).read(), b"part", "multipart content of %r" % key[:30])
    equal(sorted(bucket.batch_delete_objects(keys + ["copy"]).deleted_keys), sorted(keys + ["copy"]), "deleted")
    bucket.delete_bucket()
    with fails(400, "InvalidObjectName"):
        w.bucket.put_object("k" * 1024, b"1")
    with fails(400, "InvalidObjectName"):
        w.bucket.put_object("/k", b"1")


# Access


@scenario("presigned GET")
def presigned_get(w):
    content = data("presign", 3000)
    for key in ("presign/a b+c.txt", "presign/中文"):
        w.bucket.put_object(key, content)
        for slash_safe in (True, False):
            url = w.bucket.sign_url("GET", key, 60, slash_safe=slash_safe)
            answer = requests.get(url)
            equal((answer.status_code, answer.content), (200, content), "answer for %s" % url)
    override = {"response-content-type": "text/x-new", "response-cache-control": "max-age=7",
                "response-content-disposition": 'attachment; filename="a b.txt"', "response-content-language": "de",
                "response-expires": FAR_AHEAD, "response-content-encoding": "identity"}
    answer = requests.get(w.bucket.sign_url("GET", key, 60, params=dict(override)))
    equal(answer.status_code, 200, "status")
    for name, value in override.items():
        equal(answer.headers.get(name[len("response-"):]), value, name)
    answer = requests.get(w.bucket.sign_url("GET", key, 60), headers={"Range": "bytes=10-19"})
    equal((answer.status_code, answer.content), (206, content[10:20]), "range by URL")
    answer = requests.get(tampered(w.bucket.sign_url("GET", key, 60)))
    equal(answer.status_code, 403, "status of a changed URL")
    answer = requests.get(w.bucket.sign_url("GET", "presign/none", 60))
    equal((answer.status_code, "<Code>NoSuchKey</Code>" in answer.text), (404, True), "missing key")
    if w.options.signature == "v1":  # V1 dates the end, so a URL can be made that has ended
        answer = requests.get(w.bucket.sign_url("GET", key, -10))
        equal((answer.status_code, "<Message>Request has expired" in answer.text), (403, True), "ended URL")


@scenario("presigned PUT")
def presigned_put(w):
    headers = {"Content-Type": "text/plain", "x-oss-meta-by": "url"}
    url = w.bucket.sign_url("PUT", "presign/put +1", 60, headers=headers)
    answer = requests.put(url, data=b"hello", headers=headers)
    equal((answer.status_code, answer.headers.get("ETag")), (200, '"%s"' % md5_hex(b"hello")), "answer")
    head = w.bucket.head_object("presign/put +1")
    equal((head.content_type, head.headers.get("x-oss-meta-by")), ("text/plain", "url"), "headers")
    answer = requests.put(url, data=b"hello", headers=dict(headers, **{"x-oss-meta-by": "other"}))
    equal((answer.status_code, "<Code>SignatureDoesNotMatch</Code>" in answer.text), (403, True), "changed header")
    answer = requests.put(w.bucket.sign_url("GET", "presign/put +1", 60), data=b"1")
    equal(answer.status_code, 403, "PUT with a URL for GET")
    result = w.bucket.put_object_with_url(w.bucket.sign_url("PUT", "presign/put2", 60), b"world")
    equal(result.etag, md5_hex(b"world"), "ETag")
    equal(w.bucket.get_object_with_url(w.bucket.sign_url("GET", "presign/put2", 60)).read(), b"world", "content")
    upload_id = w.bucket.init_multipart_upload("presign/part").upload_id
    url = w.bucket.sign_url("PUT", "presign/part", 60, params={"uploadId": upload_id, "partNumber": "1"})
    equal(requests.put(url, data=b"part").headers.get("ETag"), '"%s"' % md5_hex(b"part"), "ETag of a part by URL")
    w.bucket.abort_multipart_upload("presign/part", upload_id)


@scenario("anonymous access")
def anonymous_access(w):
    signed = w.open("public")
    anonymous = w.open("public", oss2.AnonymousAuth())
    signed.create_bucket()
    signed.put_object("k", b"content")
    for call in (lambda: anonymous.get_object("k"), lambda: anonymous.head_object("k"),
                 lambda: anonymous.put_object("k", b"1"), lambda: anonymous.delete_object("k"),
                 lambda: anonymous.list_objects(), lambda: anonymous.init_multipart_upload("k")):
        with fails(403, "AccessDenied"):
            call()
    signed.put_object_acl("k", "public-read")
    equal(anonymous.get_object("k").read(), b"content", "public object in a private bucket")
    with fails(403, "AccessDenied"):
        anonymous.put_object("k", b"1")
    signed.put_object_acl("k", "default")
    signed.put_bucket_acl("public-read")
    equal(anonymous.get_object("k").read(), b"content", "object in a public-read bucket")
    signed.put_object_acl("k", "private")
    with fails(403, "AccessDenied"):
        anonymous.get_object("k")
    with fails(403, "AccessDenied"):
        anonymous.put_object("new", b"1")
    signed.put_bucket_acl("public-read-write")
    anonymous.put_object("new", b"from nobody")
    equal(signed.get_object("new").read(), b"from nobody", "object put anonymously")
    anonymous.delete_object("new")
    with fails(403, "AccessDenied"):
        anonymous.put_bucket_acl("private")
    with fails(403, "AccessDenied"):
        oss2.Service(oss2.AnonymousAuth(), w.endpoint).list_buckets()
    signed.delete_object("k")
    signed.delete_bucket()


@scenario("credentials")
def credentials(w):
    o = w.options
    with fails(403, "SignatureDoesNotMatch"):
        w.open("main", w.signer(o.access_key_id, "wrong-secret")).put_object("k", b"1")
    with fails(403, "SignatureDoesNotMatch"):
        w.open("main", w.signer(o.access_key_id, "wrong-secret")).head_object("k")
    with fails(403, "InvalidAccessKeyId"):
        w.open("main", w.signer("unknown", o.access_key_secret)).put_object("k", b"1")
    url = w.open("main", w.signer(o.access_key_id, "wrong-secret")).sign_url("GET", "k", 60)
    equal("<Code>SignatureDoesNotMatch</Code>" in requests.get(url).text, True, "URL with a wrong secret")
    if o.signature == "v4":
        with fails(400, "InvalidArgument"):
            w.open("main", region="cn-beijing").put_object("k", b"1")


# Users and sessions


def ossa_admin(w, *arguments, stdin=None):
    """Runs `ossa admin` with root's key and returns what it prints."""
    environment = dict(os.environ, OSSA_ADMIN_ENDPOINT=w.options.admin, OSS_ACCESS_KEY_ID=w.options.access_key_id,
                       OSS_ACCESS_KEY_SECRET=w.options.access_key_secret, OSS_REGION=w.options.region)
    environment.pop("OSS_SESSION_TOKEN", None)
    done = subprocess.run([w.options.ossa, "admin", *arguments], env=environment, input=stdin, text=True,
                          capture_output=True)
    true(done.returncode == 0, "ossa admin %s: %s" % (" ".join(arguments), done.stderr))
    return done.stdout


def allow(actions, resources):
    return json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]})


def make_user(w, name, policy):
    """Makes a user with a policy, and returns its access key."""
    user = "%s-%s" % (w.options.prefix, name)
    ossa_admin(w, "user", "add", user)
    ossa_admin(w, "policy", "put", user, "-", stdin=policy)
    ossa_admin(w, "policy", "attach", user, user)
    return user, json.loads(ossa_admin(w, "key", "add", user, "--json"))


@contextlib.contextmanager
def environment_auth(w, access_key_id, secret, token=None):
    """The signer that takes its key from the environment, while it is there."""
    values = {"OSS_ACCESS_KEY_ID": access_key_id, "OSS_ACCESS_KEY_SECRET": secret, "OSS_SESSION_TOKEN": token or ""}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        provider = EnvironmentVariableCredentialsProvider()
        yield (oss2.ProviderAuthV4 if w.options.signature == "v4" else oss2.ProviderAuth)(provider)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def denied(action):
    """The block must be denied, by a message that names the action."""
    try:
        yield
    except oss2.exceptions.ServerError as e:
        equal((e.status, e.code), (403, "AccessDenied"), "error")
        true(action in e.message, "the message does not name %s: %s" % (action, e.message))
        equal(e.details.get("AuthAction"), action, "AuthAction")
    else:
        raise Mismatch("%s is not denied" % action)


@scenario("a user uploads")
def user_uploads(w):
    bucket_name = w.bucket.bucket_name
    key = "ram/every header"
    user, ak = make_user(w, "uploads", allow(["oss:PutObject"], ["acs:oss:*:*:%s/ram/*" % bucket_name]))
    with environment_auth(w, ak["access_key_id"], ak["access_key_secret"]) as auth:
        mine = w.open("main", auth)
        # Tags need their own right, as the table of actions has it.
        with denied("oss:PutObjectTagging"):
            mine.init_multipart_upload(key, headers={"x-oss-tagging": "k1=v1"})
        ossa_admin(w, "policy", "put", user, "-", stdin=allow(
            ["oss:PutObject", "oss:PutObjectTagging"], ["acs:oss:*:*:%s/ram/*" % bucket_name]))
        for encryption in ({"x-oss-server-side-encryption": "AES256"},
                           {"x-oss-server-side-encryption": "KMS", "x-oss-server-side-encryption-key-id": w.kms_key()}):
            whole_upload(w, mine, key, encryption)
        # The data algorithm has one value besides its default, and that is not implemented: it is never ignored.
        with fails(501, "NotImplemented"):
            mine.init_multipart_upload(key, headers={
                "x-oss-server-side-encryption": "KMS", "x-oss-server-side-data-encryption": "SM4"})

        upload_id = mine.init_multipart_upload(key).upload_id
        mine.upload_part(key, upload_id, 1, b"1")
        with denied("oss:ListObjects"):
            mine.list_objects()
        with denied("oss:ListMultipartUploads"):
            mine.list_multipart_uploads()
        with denied("oss:ListParts"):
            mine.list_parts(key, upload_id)
        with denied("oss:AbortMultipartUpload"):
            mine.abort_multipart_upload(key, upload_id)
        with denied("oss:GetObject"):
            mine.get_object(key)
        with denied("oss:DeleteObject"):
            mine.delete_object(key)
        with denied("oss:PutObject"):
            mine.put_object("elsewhere", b"1")
        ossa_admin(w, "user", "disable", user)
        with fails(403, "InvalidAccessKeyId"):
            mine.put_object(key, b"1")
    w.bucket.abort_multipart_upload(key, upload_id)
    ossa_admin(w, "user", "rm", user, "--force")


def whole_upload(w, mine, key, encryption):
    """Initiate, parts and Complete as a user, with every optional header; root then sees the effect of each."""
    w.bucket.delete_object(key)
    headers = {
        "Cache-Control": "no-store", "Content-Disposition": "attachment; filename=x", "Expires": "Fri, 28 Feb 2042 05:38:42 GMT",
        "Content-Type": "text/markdown", "x-oss-meta-author": "ram", "x-oss-storage-class": "IA",
        "x-oss-tagging": "k1=v1&k2=v%202", "x-oss-forbid-overwrite": "true"}
    headers.update(encryption)
    contents = [data((key, 1), PART), data((key, 2), 100)]
    upload_id = mine.init_multipart_upload(key, headers=headers).upload_id
    parts = []
    for number, content in enumerate(contents, 1):
        result = mine.upload_part(key, upload_id, number, content, headers={"Content-MD5": md5_base64(content)})
        parts.append(PartInfo(number, result.etag, size=len(content), part_crc=result.crc))
    mine.complete_multipart_upload(key, upload_id, parts, headers={"x-oss-object-acl": "private"})

    head = w.bucket.head_object(key)
    for name in ("Cache-Control", "Content-Disposition", "Expires", "Content-Type", "x-oss-meta-author", "x-oss-storage-class"):
        equal(head.headers.get(name), headers[name], name)
    for name in encryption:
        equal(head.headers.get(name), encryption[name], name)
    equal(w.bucket.get_object_tagging(key).tag_set.tagging_rule, {"k1": "v1", "k2": "v 2"}, "tags")
    equal(w.bucket.get_object_acl(key).acl, "private", "ACL")
    equal(w.bucket.get_object(key).read(), b"".join(contents), "content")
    with fails(409, "FileAlreadyExists"):
        mine.init_multipart_upload(key, headers={"x-oss-forbid-overwrite": "true"})


@scenario("a session")
def session(w):
    user, ak = make_user(w, "session", allow(["oss:PutObject", "oss:GetObject", "sts:AssumeRole"], ["*"]))
    policy = w.file("session.json", allow(["oss:PutObject"], ["acs:oss:*:*:%s/sts/*" % w.bucket.bucket_name]).encode())
    environment = dict(os.environ, OSSA_ADMIN_ENDPOINT=w.options.admin, OSS_ACCESS_KEY_ID=ak["access_key_id"],
                       OSS_ACCESS_KEY_SECRET=ak["access_key_secret"], OSS_REGION=w.options.region)
    done = subprocess.run([w.options.ossa, "admin", "sts", "assume", "--policy", policy, "--duration", "15m", "--json"],
                          env=environment, text=True, capture_output=True)
    true(done.returncode == 0, done.stderr)
    got = json.loads(done.stdout)
    ak_id, secret, token = got["access_key_id"], got["access_key_secret"], got["security_token"]
    true(ak_id.startswith("STS."), "access key ID %s" % ak_id)

    version = oss2.AUTH_VERSION_4 if w.options.signature == "v4" else oss2.AUTH_VERSION_1
    with environment_auth(w, ak_id, secret, token) as provider_auth:
        for auth in (oss2.StsAuth(ak_id, secret, token, auth_version=version), provider_auth):
            mine = w.open("main", auth)
            contents = [data("sts", PART), b"end"]
            upload_id = mine.init_multipart_upload("sts/k").upload_id
            parts = [PartInfo(n, mine.upload_part("sts/k", upload_id, n, c).etag) for n, c in enumerate(contents, 1)]
            mine.complete_multipart_upload("sts/k", upload_id, parts)
            equal(w.bucket.get_object("sts/k").read(), b"".join(contents), "content")
            with denied("oss:GetObject"):  # the user may, the session may not
                mine.get_object("sts/k")
            with denied("oss:PutObject"):
                mine.put_object("k", b"1")
            url = mine.sign_url("PUT", "sts/url", 60, slash_safe=True)
            equal(requests.put(url, data=b"by URL").status_code, 200, "PUT by URL")

    def with_token(other, key_id=ak_id):
        return w.open("main", oss2.StsAuth(key_id, secret, other, auth_version=version))

    with fails(403, "InvalidSecurityToken"):
        with_token("garbage").put_object("sts/k", b"1")
    with fails(403, "AccessKeyIdAndSecurityTokenNotMatch"):
        with_token(token, "STS.ANOTHER").put_object("sts/k", b"1")
    with fails(403, "InvalidAccessKeyId"):
        w.open("main", w.signer(ak_id, secret)).put_object("sts/k", b"1")
    ossa_admin(w, "user", "revoke-sessions", user)
    with fails(403, "InvalidSecurityToken"):
        with_token(token).put_object("sts/k", b"1")
    ossa_admin(w, "user", "rm", user, "--force")


# Multipart uploads


@scenario("initiate with every header")
def initiate_headers(w):
    headers = {
        "Cache-Control": "no-store", "Content-Disposition": "attachment; filename=x", "Content-Encoding": "identity",
        "Expires": "Fri, 28 Feb 2042 05:38:42 GMT", "Content-Type": "text/markdown", "x-oss-meta-a": "1",
        "x-oss-meta-long": "v" * 2000, "x-oss-storage-class": "IA", "x-oss-tagging": "k1=v1&k2=v%202",
        "x-oss-forbid-overwrite": "true"}
    key = "mp/headers"
    upload_id, parts, contents = w.upload(key, PART, 10, headers=headers)
    result = w.bucket.complete_multipart_upload(key, upload_id, parts, headers={"Content-Type": "text/ignored"})
    equal(result.etag, multipart_etag([p.etag for p in parts]), "ETag")
    head = w.bucket.head_object(key)
    equal(head.object_type, "Multipart", "object type")
    for name, value in headers.items():
        if name not in ("x-oss-tagging", "x-oss-forbid-overwrite"):
            equal(head.headers.get(name), value, name)
    equal(head.headers.get("x-oss-tagging-count"), "2", "tag count")
    equal(w.bucket.get_object_tagging(key).tag_set.tagging_rule, {"k1": "v1", "k2": "v 2"}, "tags")
    equal(w.bucket.get_object(key).read(), b"".join(contents), "content")
    with fails(409, "FileAlreadyExists"):
        w.bucket.init_multipart_upload(key, headers={"x-oss-forbid-overwrite": "true"})
    first, second = (w.bucket.init_multipart_upload("mp/two").upload_id for _ in range(2))
    true(first != second, "two uploads share an ID")
    w.bucket.abort_multipart_upload("mp/two", first)
    w.bucket.upload_part("mp/two", second, 1, b"1")  # the other one goes on
    w.bucket.abort_multipart_upload("mp/two", second)


@scenario("upload part")
def upload_part(w):
    key = "mp/part"
    upload_id = w.bucket.init_multipart_upload(key).upload_id
    old, new = data("old", PART), data("new", PART + 5)
    w.bucket.upload_part(key, upload_id, 1, old)
    result = w.bucket.upload_part(key, upload_id, 1, new, headers={"Content-MD5": oss2.utils.content_md5(new)})
    equal(result.etag, md5_hex(new), "ETag of the replacement")
    with fails(400, "InvalidDigest"):
        w.bucket.upload_part(key, upload_id, 1, old, headers={"Content-MD5": oss2.utils.content_md5(new)})
    with fails(400, "InvalidDigest"):
        w.bucket.upload_part(key, upload_id, 2, old, headers={"Content-MD5": "not base64"})
    for number in (0, 10001):
        with fails(400, "InvalidArgument"):
            w.bucket.upload_part(key, upload_id, number, b"1")
    with fails(404, "NoSuchUpload"):
        w.bucket.upload_part(key, "0" * 32, 1, b"1")
    with fails(404, "NoSuchUpload"):
        w.bucket.upload_part(key + "x", upload_id, 1, b"1")
    last = w.bucket.upload_part(key, upload_id, 10000, iter([b"chunked ", b"end"]))
    equal([(p.part_number, p.etag, p.size) for p in oss2.PartIterator(w.bucket, key, upload_id)],
          [(1, md5_hex(new), PART + 5), (10000, md5_hex(b"chunked end"), 11)], "parts")
    w.bucket.complete_multipart_upload(key, upload_id, [PartInfo(1, result.etag), PartInfo(10000, last.etag)])
    equal(w.bucket.get_object(key).read(), new + b"chunked end", "content")

    path = w.file("slices", new)
    upload_id = w.bucket.init_multipart_upload(key).upload_id
    with open(path, "rb") as f:  # slices of one open file, as the SDK's guide shows it
        parts = [PartInfo(n, w.bucket.upload_part(key, upload_id, n, oss2.SizedFileAdapter(f, size)).etag)
                 for n, size in ((1, PART), (2, 5))]
    w.bucket.complete_multipart_upload(key, upload_id, parts)
    equal(w.bucket.get_object(key).read(), new, "content from a file")


@scenario("upload part copy")
def upload_part_copy(w):
    content = data("source", 3 * PART)
    source, key = "mp/source +中", "mp/copied"
    etag = w.bucket.put_object(source, content, headers={"x-oss-meta-a": "1"}).etag
    upload_id = w.bucket.init_multipart_upload(key).upload_id
    name = w.bucket.bucket_name
    parts = []
    for number, byte_range in ((1, (0, PART - 1)), (2, (PART, 2 * PART - 1)), (3, (2 * PART, 3 * PART - 1))):
        result = w.bucket.upload_part_copy(name, source, byte_range, key, upload_id, number)
        equal(result.etag, md5_hex(content[byte_range[0]:byte_range[1] + 1]), "ETag of part %d" % number)
        parts.append(PartInfo(number, result.etag))
    whole = w.bucket.upload_part_copy(name, source, None, key, upload_id, 4)
    equal(whole.etag, etag, "ETag of the whole source as a part")
    beyond = w.bucket.upload_part_copy(name, source, (5, 4 * PART), key, upload_id, 5)
    equal(beyond.etag, etag, "ETag with a range that leaves the source")
    w.bucket.upload_part_copy(name, source, None, key, upload_id, 6, headers={"x-oss-copy-source-if-match": etag})
    with fails(412, "PreconditionFailed"):
        w.bucket.upload_part_copy(name, source, None, key, upload_id, 6,
                                  headers={"x-oss-copy-source-if-match": "0" * 32})
    with fails(404, "NoSuchKey"):
        w.bucket.upload_part_copy(name, "mp/none", None, key, upload_id, 6)
    with fails(404, "NoSuchUpload"):
        w.bucket.upload_part_copy(name, source, None, key, "0" * 32, 1)
    w.bucket.complete_multipart_upload(key, upload_id, parts)
    equal(w.bucket.get_object(key).read(), content, "content")
    equal(w.bucket.head_object(key).headers.get("x-oss-meta-a"), None, "metadata of the source")


@scenario("list parts")
def list_parts(w):
    key = "mp/parts"
    upload_id = w.bucket.init_multipart_upload(key).upload_id
    page = w.bucket.list_parts(key, upload_id)
    equal((page.parts, page.is_truncated), ([], False), "no parts")
    numbers = [1, 2, 7, 100, 10000]
    for number in reversed(numbers):
        w.bucket.upload_part(key, upload_id, number, data(number, number))
    want = [(n, md5_hex(data(n, n)), n) for n in numbers]
    page = w.bucket.list_parts(key, upload_id, max_parts=2)
    equal([(p.part_number, p.etag, p.size) for p in page.parts], want[:2], "first page")
    equal((page.is_truncated, page.next_marker), (True, "2"), "truncation")
    true(abs(page.parts[0].last_modified - time.time()) < 900, "last modified is not now")
    page = w.bucket.list_parts(key, upload_id, marker="7")
    equal([p.part_number for p in page.parts], [100, 10000], "from a marker")
    equal((page.is_truncated, page.next_marker), (False, "10000"), "marker of the last page")
    for size in (1, 2, 1000):
        walked = [(p.part_number, p.etag, p.size) for p in oss2.PartIterator(w.bucket, key, upload_id, max_parts=size)]
        equal(walked, want, "pages of %d" % size)
    with fails(404, "NoSuchUpload"):
        w.bucket.list_parts(key, "0" * 32)
    w.bucket.abort_multipart_upload(key, upload_id)


@scenario("list multipart uploads")
def list_multipart_uploads(w):
    bucket = w.open("uploads")
    bucket.create_bucket()
    keys = ["a", "b", "b", "b", "dir/1", "dir/2", "e +中"]
    ids = {}
    for key in keys:
        ids.setdefault(key, []).append(bucket.init_multipart_upload(key).upload_id)
    want = [(key, upload_id) for key in sorted(ids) for upload_id in sorted(ids[key])]
    page = bucket.list_multipart_uploads()
    equal([(u.key, u.upload_id) for u in page.upload_list], want, "all")
    equal((page.is_truncated, page.next_key_marker, page.next_upload_id_marker), (False,) + want[-1], "markers")
    true(abs(page.upload_list[0].initiation_date - time.time()) < 900, "initiation date is not now")
    page = bucket.list_multipart_uploads(max_uploads=2)
    equal((page.is_truncated, page.next_key_marker, page.next_upload_id_marker), (True,) + want[1], "truncation")
    page = bucket.list_multipart_uploads(key_marker=page.next_key_marker, upload_id_marker=page.next_upload_id_marker)
    equal([(u.key, u.upload_id) for u in page.upload_list], want[2:], "from both markers")
    page = bucket.list_multipart_uploads(key_marker="b")
    equal([u.key for u in page.upload_list], ["dir/1", "dir/2", "e +中"], "from a key marker")
    page = bucket.list_multipart_uploads(upload_id_marker=want[3][1])
    equal(len(page.upload_list), 7, "an upload ID marker alone")
    page = bucket.list_multipart_uploads(delimiter="/")
    equal(([u.key for u in page.upload_list], page.prefix_list), (["a", "b", "b", "b", "e +中"], ["dir/"]), "delimiter")
    equal([u.key for u in bucket.list_multipart_uploads(prefix="dir/").upload_list], ["dir/1", "dir/2"], "prefix")
    for size in (1, 2, 3):
        walked = [(u.key, u.upload_id) for u in oss2.MultipartUploadIterator(bucket, max_uploads=size)]
        equal(walked, want, "pages of %d" % size)
        walked = [u.key for u in oss2.MultipartUploadIterator(bucket, delimiter="/", max_uploads=size)]
        equal(walked, ["a", "b", "b", "b", "dir/", "e +中"], "pages of %d with delimiter" % size)
    walked = [u.upload_id for u in oss2.ObjectUploadIterator(bucket, "b", max_uploads=2)]
    equal(walked, sorted(ids["b"]), "uploads of one object")
    for key, upload_id in want:
        bucket.abort_multipart_upload(key, upload_id)
    equal(bucket.list_multipart_uploads().upload_list, [], "after abort")
    bucket.delete_bucket()


@scenario("complete")
def complete(w):
    key = "mp/complete"
    w.bucket.put_object(key, b"before")
    upload_id, parts, contents = w.upload(key, PART, PART + 1, PART, 7)
    equal(w.bucket.get_object(key).read(), b"before", "content until the upload is complete")
    chosen = [parts[1], parts[3]]  # gaps are fine; what is not listed is dropped
    result = w.bucket.complete_multipart_upload(key, upload_id, chosen)
    equal(result.etag, multipart_etag([p.etag for p in chosen]), "ETag")
    content = contents[1] + contents[3]
    got = w.bucket.get_object(key)
    equal(got.read(), content, "content")
    equal((result.crc, got.client_crc), (got.server_crc, got.server_crc), "CRC")
    head = w.bucket.head_object(key)
    equal((head.object_type, head.content_length, head.etag, head.headers.get("content-md5")),
          ("Multipart", len(content), result.etag, None), "head")
    entry = w.bucket.list_objects(prefix=key).object_list[0]
    equal((entry.type, entry.etag, entry.size), ("Multipart", result.etag, len(content)), "listed")
    again = w.bucket.complete_multipart_upload(key, upload_id, chosen)  # as after a lost answer
    equal((again.status, again.etag, again.crc), (200, result.etag, result.crc), "the same list again")
    with fails(404, "NoSuchUpload"):
        w.bucket.complete_multipart_upload(key, upload_id, parts)
    with fails(404, "NoSuchUpload"):
        w.bucket.upload_part(key, upload_id, 1, b"1")
    with fails(404, "NoSuchUpload"):
        w.bucket.list_parts(key, upload_id)
    with fails(404, "NoSuchUpload"):
        w.bucket.abort_multipart_upload(key, upload_id)


@scenario("complete all")
def complete_all(w):
    key = "mp/all"
    upload_id, parts, contents = w.upload(key, PART, PART, 3)
    everything = {"x-oss-complete-all": "yes"}
    with fails(400, "InvalidArgument"):
        w.bucket.complete_multipart_upload(key, upload_id, parts, headers=everything)
    with fails(400, "InvalidArgument"):
        w.bucket.complete_multipart_upload(key, upload_id, None, headers={"x-oss-complete-all": "no"})
    result = w.bucket.complete_multipart_upload(key, upload_id, None, headers=everything)
    equal(result.etag, multipart_etag([p.etag for p in parts]), "ETag")
    equal(w.bucket.get_object(key).read(), b"".join(contents), "content")


@scenario("complete refused")
def complete_refused(w):
    key = "mp/refused"
    upload_id, parts, contents = w.upload(key, PART, PART - 1, PART)

    def completing(*chosen):
        # The SDK sorts what it is given, so the list is written here.
        body = "".join("<Part><PartNumber>%d</PartNumber><ETag>\"%s\"</ETag></Part>" % (n, etag) for n, etag in chosen)
        body = ("<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % body).encode()
        return w.bucket._do("POST", w.bucket.bucket_name, key, params={"uploadId": upload_id}, data=body)

    etags = [p.etag for p in parts]
    with fails(400, "InvalidPartOrder"):
        completing((3, etags[2]), (1, etags[0]))
    with fails(400, "InvalidPartOrder"):
        completing((1, etags[0]), (1, etags[0]))
    with fails(400, "InvalidPart"):
        completing((1, etags[0]), (4, etags[0]))
    with fails(400, "InvalidPart"):
        completing((1, "0" * 32))
    with fails(400, "EntityTooSmall"):
        completing((1, etags[0]), (2, etags[1]), (3, etags[2]))
    with fails(400, "MalformedXML"):
        w.bucket._do("POST", w.bucket.bucket_name, key, params={"uploadId": upload_id}, data=b"<Complete")
    with fails(400, "MalformedXML"):
        w.bucket._do("POST", w.bucket.bucket_name, key, params={"uploadId": upload_id}, data=b"")
    with fails(404, "NoSuchUpload"):
        w.bucket.complete_multipart_upload(key, "0" * 32, parts)
    w.bucket.put_object(key, b"exists")
    with fails(409, "FileAlreadyExists"):
        w.bucket.complete_multipart_upload(key, upload_id, parts[:2], headers={"x-oss-forbid-overwrite": "true"})
    equal(w.bucket.get_object(key).read(), b"exists", "the object that must not be overwritten")
    equal([p.part_number for p in oss2.PartIterator(w.bucket, key, upload_id)], [1, 2, 3], "parts are all still there")
    result = w.bucket.complete_multipart_upload(key, upload_id, [parts[0], parts[1]])  # the small one is last now
    equal(result.etag, multipart_etag(etags[:2]), "ETag")
    equal(w.bucket.get_object(key).read(), contents[0] + contents[1], "content")


@scenario("object ACL at complete")
def complete_acl(w):
    key = "mp/acl"
    upload_id, parts, _ = w.upload(key, 10)
    with fails(400, "InvalidArgument"):
        w.bucket.complete_multipart_upload(key, upload_id, parts, headers={"x-oss-object-acl": "public"})
    w.bucket.complete_multipart_upload(key, upload_id, parts, headers={"x-oss-object-acl": "public-read"})
    equal(w.bucket.get_object_acl(key).acl, "public-read", "ACL")
    equal(w.open("main", oss2.AnonymousAuth()).get_object(key).status, 200, "anonymous read")


@scenario("sequential upload")
def sequential(w):
    key = "mp/sequential"
    upload_id = w.bucket.init_multipart_upload(key, params={"sequential": ""}).upload_id
    first = w.bucket.upload_part(key, upload_id, 1, data("first", PART))
    with fails(400, "PartNotSequential"):
        w.bucket.upload_part(key, upload_id, 3, b"third")
    second = w.bucket.upload_part(key, upload_id, 2, b"second")
    w.bucket.complete_multipart_upload(key, upload_id, [PartInfo(1, first.etag), PartInfo(2, second.etag)])
    content = data("first", PART) + b"second"
    equal(w.bucket.head_object(key).headers.get("content-md5"), oss2.utils.content_md5(content), "Content-MD5")
    equal(w.bucket.get_object(key).read(), content, "content")


@scenario("abort")
def abort(w):
    key = "mp/abort"
    upload_id, parts, _ = w.upload(key, PART, 5)
    equal(w.bucket.abort_multipart_upload(key, upload_id).status, 204, "status")
    for call in (lambda: w.bucket.upload_part(key, upload_id, 1, b"1"), lambda: w.bucket.list_parts(key, upload_id),
                 lambda: w.bucket.complete_multipart_upload(key, upload_id, parts),
                 lambda: w.bucket.abort_multipart_upload(key, upload_id)):
        with fails(404, "NoSuchUpload"):
            call()
    equal(w.bucket.object_exists(key), False, "object")
    equal(w.bucket.list_multipart_uploads(prefix=key).upload_list, [], "uploads")


# Helpers


class Interrupted(Exception):
    pass


def stop_at(count):
    """A progress callback that breaks the transfer off at its count-th call."""
    calls = [0]

    def progress(consumed, total):
        calls[0] += 1
        if calls[0] == count:
            raise Interrupted()

    return progress


@scenario("resumable upload")
def resumable_upload(w):
    content = data("resumable", 10 * PART + 17)
    path = w.file("resumable", content)
    store = oss2.ResumableStore(root=w.folder, dir="upload-store")
    key = "mp/resumable.txt"
    settings = dict(store=store, multipart_threshold=PART, part_size=PART,
                    headers={"x-oss-meta-a": "1", "x-oss-object-acl": "public-read"})
    try:
        oss2.resumable_upload(w.bucket, key, path, progress_callback=stop_at(5), **settings)
        raise harness.Mismatch("the upload was not interrupted")
    except Interrupted:
        pass
    uploads = w.bucket.list_multipart_uploads(prefix=key).upload_list
    equal(len(uploads), 1, "open uploads after the interruption")
    equal(len(w.bucket.list_parts(key, uploads[0].upload_id).parts), 4, "parts after the interruption")
    started = []
    result = oss2.resumable_upload(w.bucket, key, path, num_threads=3,
                                   progress_callback=lambda done, total: started.append(done), **settings)
    equal(started[0], 4 * PART, "bytes the second run starts with")
    equal(result.status, 200, "status")
    got = w.bucket.get_object(key)
    equal(got.read(), content, "content")
    equal((got.headers["x-oss-meta-a"], got.content_type), ("1", "text/plain"), "headers")
    equal(got.client_crc, got.server_crc, "CRC")
    equal(w.bucket.get_object_acl(key).acl, "public-read", "ACL")
    equal(w.bucket.list_multipart_uploads(prefix=key).upload_list, [], "open uploads")
    equal(os.listdir(os.path.join(w.folder, "upload-store")), [], "records left")


@scenario("resumable download")
def resumable_download(w):
    content = data("download", 10 * PART + 17)
    key, path = "mp/download", os.path.join(w.folder, "downloaded")
    source = w.file("download", content)
    oss2.resumable_upload(w.bucket, key, source, store=oss2.ResumableStore(root=w.folder),
                          multipart_threshold=PART, part_size=3 * PART, num_threads=2)
    settings = dict(store=oss2.ResumableDownloadStore(root=w.folder, dir="download-store"), multiget_threshold=PART,
                    part_size=PART, num_threads=1)
    try:
        oss2.resumable_download(w.bucket, key, path, progress_callback=stop_at(6), **settings)
        raise harness.Mismatch("the download was not interrupted")
    except Interrupted:
        pass
    equal(os.path.exists(path), False, "target after the interruption")
    started = []
    oss2.resumable_download(w.bucket, key, path, progress_callback=lambda done, total: started.append(done), **settings)
    equal(started[0], 5 * PART, "bytes the second run starts with")
    with open(path, "rb") as f:
        equal(f.read(), content, "content")


@scenario("CRC-64 checked by the client")
def crc(w):
    content = data("crc", 300000)
    whole = oss2.utils.Crc64()
    whole.update(content)
    equal(w.bucket.put_object("crc", content).crc, whole.crc, "CRC at put")
    got = w.bucket.get_object("crc")
    for _ in got:
        pass
    oss2.utils.check_crc("get", got.client_crc, got.server_crc, got.request_id)
    equal(got.server_crc, whole.crc, "CRC at get")
    upload_id, parts, contents = w.upload("mp/crc", PART, PART, 99)
    true(all(p.part_crc for p in parts), "parts have no CRC")  # the SDK combines them and compares
    result = w.bucket.complete_multipart_upload("mp/crc", upload_id, parts)
    whole = oss2.utils.Crc64()
    whole.update(b"".join(contents))
    equal(result.crc, whole.crc, "CRC at complete")
    headers = {"x-oss-hash-crc64ecma": "1"}
    with fails(400, "InvalidCRC64"):
        w.bucket.put_object("crc/bad", content, headers=headers)
    equal(w.bucket.object_exists("crc/bad"), False, "object with a wrong CRC")


if __name__ == "__main__":
    options = arguments()
    resolve_to_loopback(".localhost", VIRTUAL_DOMAIN, CNAME_DOMAIN)
    main(options, World(options))
