package main

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

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

// synonyms are words for what subcommands do, the likeliest first.
var synonyms = map[string][]string{
	"add": {"put", "set"}, "create": {"put", "set"}, "del": {"rm"}, "delete": {"rm"}, "get": {"show", "ls"}, "list": {"ls", "get"}, "ls": {"get"},
	"print": {"get", "show"}, "put": {"set"}, "remove": {"rm"}, "set": {"put"}, "show": {"get", "ls"}, "unset": {"rm"},
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

// flagsBefore are those of the client that may stand before the command, as in
// an alias that holds the endpoint and the key; true if a value follows.
var flagsBefore = map[string]bool{
	"-e": true, "-i": true, "-k": true, "-t": true, "-c": true, "--endpoint": true, "--access-key-id": true, "--access-key-secret": true,
	"--sts-token": true, "--config-file": true, "--region": true, "--profile": true, "--sign-version": true, "--addressing": true, "--ca-file": true,
	"-q": false, "--quiet": false, "--json": false, "--anonymous": false,
}

// commandFirst puts flags of the client that stand before the command behind it.
func commandFirst(args []string) []string {
	i := 0
	for i < len(args) && strings.HasPrefix(args[i], "-") {
		name, _, joined := strings.Cut(args[i], "=")
		if !joined && len(name) > 2 && name[1] != '-' && flagsBefore[name[:2]] {
			name, joined = name[:2], true // -eURL
		}
		valued, known := flagsBefore[name]
		if !known {
			return args
		}
		i++
		if valued && !joined {
			i++
		}
	}
	if i >= len(args) {
		return args
	}
	return slices.Concat(args[i:i+1], args[:i], args[i+1:])
}

// unknownCommand finds out whether a command line names a command that there is
// not, and returns what it would have been below. That comes first: what is
// wrong with the flags of such a command helps nobody.
func unknownCommand(root *cobra.Command, args []string) (*cobra.Command, error) {
	if len(args) > 0 && args[0] == "help" {
		args = args[1:]
	}
	group := root
	for _, arg := range args {
		if !group.HasSubCommands() || strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "__") {
			break
		}
		i := slices.IndexFunc(group.Commands(), func(c *cobra.Command) bool { return c.Name() == arg || c.HasAlias(arg) })
		if i < 0 {
			return group, usagef("there is no command %q%s", arg, commandAdvice(group, arg))
		}
		group = group.Commands()[i]
	}
	return nil, nil
}

// commandAdvice is what to do instead of a command that there is not.
func commandAdvice(group *cobra.Command, typed string) string {
	if advice := foreignCommands[typed]; advice != "" && !group.HasParent() {
		return ": " + advice
	}
	var names []string
	for _, c := range group.Commands() {
		names = append(names, c.Name())
	}
	if strings.HasPrefix(typed, ossScheme) && len(names) > 0 {
		if !group.HasParent() {
			return `: what is to be done with it, such as ls, cp or stat, comes first`
		}
		slices.Sort(names)
		return ": what is to be done with it comes first, one of " + strings.Join(names, ", ")
	}
	for _, name := range synonyms[typed] {
		if slices.Contains(names, name) {
			return didYouMean(name)
		}
	}
	return didYouMean(nearest(typed, names))
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return `; did you mean "` + name + `"?`
}

var unknownFlag = regexp.MustCompile(`^unknown (?:flag: --([^\s=]+)|shorthand flag: '(.)' in (-\S+))$`)

// flagError is a flag that a command does not take, with what to do instead.
func flagError(command *cobra.Command, err error) error {
	found := unknownFlag.FindStringSubmatch(err.Error())
	if found == nil {
		var parsing *strconv.NumError
		if errors.As(err, &parsing) {
			return usagef("%s", strings.ReplaceAll(err.Error(), parsing.Error(), "that is no number"))
		}
		return &usageError{err}
	}
	long, letter, short := found[1], found[2], found[3]
	if command.HasSubCommands() && command.HasParent() {
		return usagef("%w; flags stand behind one of the commands of %s", err, command.CommandPath())
	}
	if advice := foreignLetters[command.CommandPath()+" -"+letter]; advice != "" {
		return usagef("%w: %s", err, advice)
	}
	if short != "" { // -name, where two hyphens were meant
		if name := strings.TrimPrefix(short, "-"); len(name) > 2 && command.Flags().Lookup(name) != nil {
			return usagef("%w%s", err, didYouMean("--"+name))
		}
		return &usageError{err}
	}
	if advice := foreignFlags[long]; advice != "" {
		return usagef("%w: %s", err, advice)
	}
	var names []string
	command.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(long, names); near != "" {
		return usagef("%w%s", err, didYouMean("--"+near))
	}
	return &usageError{err}
}

// nearest is the name that somebody may have meant, "" for none: short ones may
// differ in one letter, longer ones in two. Hyphens do not count.
func nearest(typed string, names []string) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	allowed := 1
	if len(typed) > 5 {
		allowed = 2
	}
	if len(typed) < 3 {
		allowed = 0
	}
	best, least := "", allowed+1
	for _, name := range names {
		if d := editDistance(plain(typed), plain(name)); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range names {
		if len(typed) >= 3 && strings.HasPrefix(name, typed) {
			return name
		}
	}
	return ""
}

// editDistance is the number of letters to add, drop, change, or exchange with the
// next one, to make one text of another.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
