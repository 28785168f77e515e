package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

// objectEntry is an object for machines.
type objectEntry struct {
	Type         string    `json:"type"` // object, version or delete_marker
	Bucket       string    `json:"bucket"`
	Key          string    `json:"key"`
	Size         int64     `json:"size"` // bytes
	ETag         string    `json:"etag,omitempty"`
	LastModified time.Time `json:"last_modified"`
	StorageClass string    `json:"storage_class,omitempty"`
	ObjectType   string    `json:"object_type,omitempty"`
	VersionID    string    `json:"version_id,omitempty"`
	IsLatest     bool      `json:"is_latest,omitempty"`
}

// prefixEntry is what a listing of one level folds into one entry.
type prefixEntry struct {
	Type   string `json:"type"` // prefix
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix"`
}

// bucketEntry is a bucket for machines.
type bucketEntry struct {
	Type         string    `json:"type"` // bucket
	Bucket       string    `json:"bucket"`
	Region       string    `json:"region"`
	CreationDate time.Time `json:"creation_date"`
	StorageClass string    `json:"storage_class"`
}

// lister is ls under way.
type lister struct {
	*clientSession
	long, recursive, versions bool
	uploads, allType          bool
	directory, short          bool // of ossutil, which are so anyway
	limit                     int

	count int
	bytes int64
	table *table
}

func lsCommand() *cobra.Command {
	l := &lister{}
	return clientLeaf("ls [oss://BUCKET[/PREFIX]]", "List buckets, objects, versions or open uploads", `
List the buckets, or what a bucket has whose keys begin with PREFIX: one level, as
a directory, or everything with -r. A line is a name, as other commands take it;
-l makes it a table. Names with control characters are quoted.

Listings of any length are printed as they come.`,
		`  ossa ls
  ossa ls -l oss://builds/nightly/
  ossa ls -r --json oss://builds | jq -r 'select(.size > 1e9).key'
  ossa ls --uploads oss://builds`,
		func(flags *pflag.FlagSet) {
			flags.BoolVarP(&l.long, "long", "l", false, "tell size, age and more as well")
			flags.BoolVarP(&l.recursive, "recursive", "r", false, "list all levels")
			flags.BoolVar(&l.versions, "all-versions", false, "list all versions and delete markers, of all levels")
			flags.BoolVarP(&l.uploads, "uploads", "m", false, "list open uploads, as ossa uploads ls does")
			flags.BoolVarP(&l.allType, "all-type", "a", false, "list objects, and then open uploads")
			flags.IntVar(&l.limit, "limited-num", 0, "`number` of entries to list at most; 0 for all")
			flags.BoolVarP(&l.directory, "directory", "d", false, "list one level, as is done anyway (for ossutil's sake)")
			flags.BoolVarP(&l.short, "short-format", "s", false, "print names only, as is done anyway (for ossutil's sake)")
		},
		func(s *clientSession) error {
			l.clientSession = s
			if l.limit < 0 {
				return usagef("--limited-num: %d is negative", l.limit)
			}
			if l.recursive && l.directory {
				return usagef("--recursive and --directory are opposites")
			}
			if l.uploads && l.versions {
				return usagef("--uploads and --all-versions do not go together")
			}
			if len(s.args) == 0 || s.args[0] == ossScheme {
				return l.buckets()
			}
			from, err := parseRemote(s.args[0])
			switch {
			case err != nil:
				return err
			case l.uploads:
				return l.listUploads(from)
			case l.versions:
				err = l.listVersions(from)
			default:
				err = l.objects(from)
			}
			if err != nil || !l.allType || l.full() {
				return err
			}
			return l.listUploads(from)
		})
}

// listUploads lists as many uploads as may be listed yet.
func (l *lister) listUploads(from location) error {
	u := &uploadLister{clientSession: l.clientSession, sizes: l.long}
	if l.limit > 0 {
		u.limit = l.limit - l.count
	}
	return u.list(from)
}

// full tells whether as much was listed as may be.
func (l *lister) full() bool { return l.limit > 0 && l.count >= l.limit }

func (l *lister) buckets() error {
	l.table = l.rows("CREATED REGION CLASS NAME")
	defer l.table.end()
	for b, err := range l.client.Buckets(l.ctx, "") {
		if err != nil {
			return err
		}
		entry := bucketEntry{"bucket", b.Name, b.Region, b.CreationDate, string(b.StorageClass)}
		name := line(ossScheme + b.Name)
		if err := l.add(entry, name, when(b.CreationDate), b.Region, string(b.StorageClass), name); err != nil {
			return err
		}
		if l.full() {
			break
		}
	}
	return l.end("%s", plural(l.count, "bucket"))
}

func (l *lister) objects(from location) error {
	l.table = l.rows("MODIFIED SIZE CLASS ETAG NAME")
	defer l.table.end()
	delimiter := "/"
	if l.recursive {
		delimiter = ""
	}
	for e, err := range l.client.Entries(l.ctx, from.Bucket, from.Key, delimiter) {
		if err != nil {
			return err
		}
		if e.Object == nil {
			name := line(location{Bucket: from.Bucket, Key: e.Prefix}.String())
			err = l.add(prefixEntry{"prefix", from.Bucket, e.Prefix}, name, "", "", "", "", name)
		} else {
			o := e.Object
			l.bytes += o.Size
			name := line(location{Bucket: from.Bucket, Key: o.Key}.String())
			err = l.add(entryOf(from.Bucket, o), name, when(o.LastModified), size(o.Size), string(o.StorageClass), o.ETag, name)
		}
		if err != nil {
			return err
		}
		if l.full() {
			break
		}
	}
	return l.end("%s, %s", plural(l.count, "object or prefix", "objects and prefixes"), size(l.bytes))
}

func entryOf(bucket string, o *oss.Object) objectEntry {
	return objectEntry{
		Type: "object", Bucket: bucket, Key: o.Key, Size: o.Size, ETag: o.ETag, LastModified: o.LastModified,
		StorageClass: string(o.StorageClass), ObjectType: o.Type,
	}
}

func (l *lister) listVersions(from location) error {
	l.table = l.rows("MODIFIED SIZE CLASS VERSION STATE NAME")
	defer l.table.end()
	for v, err := range l.client.Versions(l.ctx, from.Bucket, from.Key) {
		if err != nil {
			return err
		}
		entry := entryOf(from.Bucket, &v.Object)
		entry.Type, entry.VersionID, entry.IsLatest = "version", v.VersionID, v.IsLatest
		state, bytes := "older", size(v.Size)
		if v.IsLatest {
			state = "latest"
		}
		if v.DeleteMarker {
			entry.Type, state, bytes = "delete_marker", "deleted", ""
		}
		l.bytes += v.Size
		name := line(location{Bucket: from.Bucket, Key: v.Key}.String())
		if err := l.add(entry, name, when(v.LastModified), bytes, string(v.StorageClass), v.VersionID, state, name); err != nil {
			return err
		}
		if l.full() {
			break
		}
	}
	return l.end("%s, %s", plural(l.count, "version"), size(l.bytes))
}

// add prints an entry: for machines, as a name, or as cells.
func (l *lister) add(entry any, name string, cells ...string) error {
	l.count++
	switch {
	case l.json:
		return l.print(entry)
	case l.long || l.versions:
		return l.table.add(cells...)
	}
	return l.writeLine(name)
}

// end prints what there was in all, below a table.
func (l *lister) end(format string, args ...any) error {
	if err := l.table.end(); err != nil {
		return err
	}
	if l.long || l.versions {
		l.say(format, args...)
	}
	return nil
}
