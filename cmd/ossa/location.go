package main

import (
	"errors"
	"strings"

	"github.com/ossastore/ossa/internal/wire"
)

const ossScheme = "oss://"

// location is where something is or is to be: in a bucket, in the file system
// of this machine, or in a pipe.
type location struct {
	Bucket, Key string // of oss://BUCKET/KEY; the key may be empty
	Path        string // of the file system
	Std         bool   // "-": stdin or stdout
}

// parseLocation reads oss://BUCKET/KEY, a path, or "-". What comes after the
// bucket is the key as it is: nothing of it is decoded or cleaned.
func parseLocation(text string) (location, error) {
	rest, remote := strings.CutPrefix(text, ossScheme)
	switch {
	case text == "":
		return location{}, usagef("an empty argument is neither a path nor oss://BUCKET/KEY")
	case text == "-":
		return location{Std: true}, nil
	case !remote:
		return location{Path: text}, nil
	}
	bucket, key, _ := strings.Cut(rest, "/")
	switch {
	case bucket == "":
		return location{}, usagef("%q has no bucket; objects are named oss://BUCKET/KEY", text)
	case !wire.ValidBucketName(bucket):
		return location{}, usagef("%q is no bucket name: those have 3 to 63 lower-case letters, digits and hyphens", bucket)
	}
	if key != "" {
		if err := wire.ValidateKey(key); err != nil {
			return location{}, usagef("%q is no object key: %s", key, messageOf(err))
		}
	}
	return location{Bucket: bucket, Key: key}, nil
}

// messageOf is what an error document says, without its code.
func messageOf(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return strings.TrimSuffix(e.Message, ".")
	}
	return err.Error()
}

// parseSourceTarget reads the two arguments of what copies.
func parseSourceTarget(args []string) (source, target location, err error) {
	if source, err = parseLocation(args[0]); err != nil {
		return source, target, err
	}
	target, err = parseLocation(args[1])
	return source, target, err
}

// remote tells whether the location is in a bucket.
func (l location) remote() bool { return l.Bucket != "" }

func (l location) String() string {
	switch {
	case l.Std:
		return "-"
	case !l.remote():
		return l.Path
	case l.Key == "":
		return ossScheme + l.Bucket
	}
	return ossScheme + l.Bucket + "/" + l.Key
}

// parseRemote reads an argument that must be in a bucket.
func parseRemote(text string) (location, error) {
	l, err := parseLocation(text)
	if err == nil && !l.remote() {
		err = usagef("%q is not in a bucket; give oss://BUCKET or oss://BUCKET/KEY", text)
	}
	return l, err
}

// parseObjectLocation reads an argument that must be an object.
func parseObjectLocation(text string) (location, error) {
	l, err := parseRemote(text)
	if err == nil && l.Key == "" {
		err = usagef("%q is a bucket, and not an object; give oss://BUCKET/KEY", text)
	}
	return l, err
}

// parseBucket reads an argument that must be a bucket, and returns its name.
func parseBucket(text string) (string, error) {
	l, err := parseLocation(text)
	if err == nil && (!l.remote() || l.Key != "") {
		err = usagef("%q is not a bucket, such as oss://builds", text)
	}
	return l.Bucket, err
}

// asPattern is what whoever wrote a name as a pattern has to know, "" for other
// names: there are none where nothing was found.
func asPattern(name string) string {
	if strings.ContainsAny(name, "*?") {
		return ": * and ? stand for themselves there, and patterns go with --include"
	}
	return ""
}
