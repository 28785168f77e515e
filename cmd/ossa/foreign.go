package main

// People come with the words of other clients. What is not a word of this
// program is answered with the one that does the same, or with that there is none.

const (
	noVersioning = "OSS does that by versioning, which ossa does not switch; ossa ls --all-versions lists versions, and ossa cat --version-id ID prints one"
	noBucketSide = "ossa has none for this setting of buckets; ossutil has, for endpoints that know it"
	alwaysChecks = "certificates are always checked; --ca-file FILE believes those in the file, which may be the server's own"
	secretByFile = "use --secret-file FILE, or - for stdin: others on this machine see command lines"
	byMethod     = "it needs --method get, put or delete; "
)

// foreignCommands are commands of other clients, with what to do instead.
var foreignCommands = map[string]string{
	// ossutil
	"create-symlink":               "ossa makes no symbolic links; ossa cp copies the object, in the server",
	"read-symlink":                 "ossa stat oss://BUCKET/KEY tells where a symbolic link leads",
	"probe":                        "use ossa doctor oss://BUCKET --write",
	"append":                       "ossa does not append; ossa cp replaces the object, and with --delta sends only what changed",
	"appendfromfile":               "ossa does not append; ossa cp replaces the object, and with --delta sends only what changed",
	"revert":                       noVersioning,
	"revert-versioning":            noVersioning,
	"revert-versions":              noVersioning,
	"bucket-versioning":            noVersioning,
	"set-props":                    "use ossa set-meta, ossa acl set and ossa tag set",
	"lrb":                          "use ossa ls -l, which tells the regions",
	"lcb":                          "ossa has none for cloud boxes",
	"update":                       "ossa does not update itself; install another one over it",
	"api":                          "ossa has a command for each thing that it does; package oss has a method for each operation",
	"bucket-policy":                byMethod + "ossa policy says it shorter",
	"bucket-encryption":            byMethod + "ossa encryption says it shorter",
	"bucket-cname":                 byMethod + "ossa cname says it shorter",
	"bucket-tagging":               byMethod + "ossa tag says it shorter",
	"object-tagging":               byMethod + "ossa tag says it shorter",
	"logging":                      noBucketSide,
	"website":                      noBucketSide,
	"request-payment":              noBucketSide,
	"inventory":                    noBucketSide,
	"bucket-inventory":             noBucketSide,
	"replication":                  noBucketSide,
	"access-monitor":               noBucketSide,
	"bucket-access-monitor":        noBucketSide,
	"resource-group":               noBucketSide,
	"bucket-resource-group":        noBucketSide,
	"style":                        noBucketSide,
	"bucket-style":                 noBucketSide,
	"worm":                         noBucketSide,
	"user-qos":                     noBucketSide,
	"bucket-qos":                   noBucketSide,
	"cors-options":                 noBucketSide,
	"transfer-acceleration":        noBucketSide,
	"bucket-transfer-acceleration": noBucketSide,

	// mc
	"alias":     "ossa config set keeps an endpoint and a key; --profile names it",
	"anonymous": "use ossa acl set oss://BUCKET public-read, or ossa policy",
	"diff":      "use ossa sync SOURCE TARGET --delete --dry-run",
	"encrypt":   "use ossa encryption",
	"find":      "use ossa ls -r oss://BUCKET, with --json for conditions",
	"head":      "use ossa cat --range 0-1023 oss://BUCKET/KEY",
	"ilm":       "use ossa lifecycle",
	"mirror":    "use ossa sync",
	"mv":        "ossa moves nothing: use ossa cp, and then ossa rm",
	"pipe":      "use ossa cp - oss://BUCKET/KEY",
	"ping":      "use ossa doctor",
	"share":     "use ossa presign",
	"tree":      "use ossa ls -r",

	// rclone
	"about":      "use ossa du oss://BUCKET",
	"cleanup":    "use ossa uploads clean oss://BUCKET --older-than 7d",
	"copy":       "use ossa cp, with -r for directories and prefixes",
	"copyto":     "use ossa cp",
	"copyurl":    "use curl URL | ossa cp - oss://BUCKET/KEY",
	"delete":     "use ossa rm, with -r for all below a prefix; rb for a bucket",
	"deletefile": "use ossa rm",
	"hashsum":    "ossa hash is for files; ossa stat tells those of objects",
	"link":       "use ossa presign",
	"lsd":        "use ossa ls",
	"lsf":        "use ossa ls",
	"lsl":        "use ossa ls -l, with -r for all levels",
	"lsjson":     "use ossa ls --json, with -r for all levels",
	"md5sum":     "ossa hash md5 is for files; ossa stat tells what there is of objects",
	"mount":      "ossa mounts nothing; ossa sync and ossa cp copy",
	"move":       "ossa moves nothing: use ossa cp, and then ossa rm",
	"moveto":     "ossa moves nothing: use ossa cp, and then ossa rm",
	"ncdu":       "use ossa du oss://BUCKET/PREFIX",
	"purge":      "use ossa rm -r",
	"rcat":       "use ossa cp - oss://BUCKET/KEY",
	"rmdir":      "there are no directories to remove: ossa rm -r deletes what is below a prefix, ossa rb a bucket",
	"size":       "use ossa du oss://BUCKET",
	"touch":      "use ossa cp /dev/null oss://BUCKET/KEY",

	// aws, curl and everybody
	"s3":        "ossa has no services: ossa ls, ossa cp and so on; it speaks OSS, not S3",
	"s3api":     "ossa has no services: ossa ls, ossa cp and so on; it speaks OSS, not S3",
	"oss":       "ossa has no services: ossa ls, ossa cp and so on",
	"configure": "use ossa config set",
	"login":     "use ossa config set",
	"create":    "use ossa mb oss://BUCKET",
	"download":  "use ossa cp oss://BUCKET/KEY FILE",
	"get":       "use ossa cp oss://BUCKET/KEY FILE",
	"info":      "use ossa stat",
	"list":      "use ossa ls",
	"put":       "use ossa cp FILE oss://BUCKET/KEY",
	"remove":    "use ossa rm, with -r for all below a prefix",
	"rename":    "ossa moves nothing: use ossa cp, and then ossa rm",
	"upload":    "use ossa cp FILE oss://BUCKET/KEY; ossa uploads looks after unfinished ones",
}

// foreignFlags are flags of other clients, with what to do instead. They
// are looked for where a command has no such flag.
var foreignFlags = map[string]string{
	// ossutil
	"bigfile-threshold":   "leave it out: ossa cp sends files in parts as it is good for them; --part-size says how large",
	"checkpoint-dir":      "leave it out: resuming needs no files, as the server tells what it has",
	"snapshot-path":       "leave it out: ossa sync remembers by itself what it has compared",
	"disable-crc64":       "leave it out: ossa compares always",
	"maxupspeed":          "use --limit-rate, such as 1MiB",
	"maxdownspeed":        "use --limit-rate, such as 1MiB",
	"bandwidth-limit":     "use --limit-rate, such as 1MiB",
	"output-dir":          "use --report FILE",
	"backup-dir":          "ossa sync keeps no copies of what it deletes",
	"only-current-dir":    "use --exclude '*/**'",
	"disable-all-symlink": "use --links skip",
	"enable-symlink-dir":  "use --links all",
	"tagging":             "use --tags KEY=VALUE",
	"metadata":            "use --meta NAME=VALUE",
	"partition-download":  "leave it out: ossa cp fetches large objects in parts anyway",

	// config set
	"access-key-secret": secretByFile,

	// mc, rclone and aws
	"bwlimit":              "use --limit-rate, such as 1MiB",
	"limit-upload":         "use --limit-rate, such as 1MiB",
	"limit-download":       "use --limit-rate, such as 1MiB",
	"transfers":            "use --jobs",
	"checkers":             "use --jobs",
	"multi-thread-streams": "use --parallel",
	"progress":             "leave it out: it is shown on a terminal",
	"no-progress":          "use --quiet",
	"remove":               "use --delete",
	"overwrite":            "leave it out: what exists is replaced",
	"size-only":            "ossa sync compares by CRC-64, or with --update by time",
	"human-readable":       "use --long",
	"summarize":            "use --long, or ossa du",
	"endpoint-url":         "use --endpoint",
	"expires-in":           "use --expires, such as 1h",
	"expire":               "use --expires, such as 1h",
	"all":                  "use --all-versions",
	"versions":             "use --all-versions",
	"no-sign-request":      "use --anonymous",
	"ca-bundle":            "use --ca-file",
	"insecure":             alwaysChecks,
	"no-check-certificate": alwaysChecks,
	"no-verify-ssl":        alwaysChecks,
	"skip-verify-cert":     alwaysChecks,
}

// foreignLetters are flags of one letter of other clients, by command.
var foreignLetters = map[string]string{
	"ossa config set -k": secretByFile,
	"ossa rm -b":         "use ossa rb, with --empty for a bucket that has something in it",
	"ossa ls -R":         "use -r",
	"ossa cp -R":         "use -r",
	"ossa rm -R":         "use -r",
	"ossa cp -a":         "ossa cp -r keeps names and bytes; times, owners and modes of files are no part of objects",
	"ossa cp -v":         "use --verbose",
	"ossa sync -v":       "use --verbose",
	"ossa sync -r":       "leave it out: all levels are compared anyway",
	"ossa cp -P":         "leave it out: progress is shown on a terminal",
	"ossa sync -P":       "leave it out: progress is shown on a terminal",
}
