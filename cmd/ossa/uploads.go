package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// uploadEntry is an open upload for machines. Parts and Size are there if they
// were asked for.
type uploadEntry struct {
	Type         string    `json:"type"` // upload
	Bucket       string    `json:"bucket"`
	Key          string    `json:"key"`
	UploadID     string    `json:"upload_id"`
	Initiated    time.Time `json:"initiated"`
	StorageClass string    `json:"storage_class,omitempty"`
	Parts        *int64    `json:"parts,omitempty"`
	Size         *int64    `json:"size,omitempty"` // bytes of the parts
}

// partEntry is a part for machines.
type partEntry struct {
	Type         string    `json:"type"` // part
	Bucket       string    `json:"bucket"`
	Key          string    `json:"key"`
	UploadID     string    `json:"upload_id"`
	PartNumber   int       `json:"part_number"`
	Size         int64     `json:"size"` // bytes
	ETag         string    `json:"etag"`
	CRC64        string    `json:"crc64,omitempty"` // decimal
	LastModified time.Time `json:"last_modified"`
}

func uploadsCommand() *cobra.Command {
	return group("uploads", "List, abort and clean up open multipart uploads",
		`Look after multipart uploads that were neither completed nor aborted. Their parts take
space until one or the other happens.`,
		uploadsLsCommand(), uploadsPartsCommand(), uploadsAbortCommand(), uploadsCleanCommand())
}

// uploadLister lists uploads.
type uploadLister struct {
	*clientSession
	limit int
	sizes bool
	exact bool
}

func uploadsLsCommand() *cobra.Command {
	u := &uploadLister{}
	return clientLeaf("ls oss://BUCKET[/PREFIX]", "List open uploads", `
List the open uploads of a bucket, of the keys that begin with PREFIX, or with
--exact of one object.`,
		`  ossa uploads ls oss://builds
  ossa uploads ls oss://builds/nightly/ --sizes
  ossa uploads ls oss://builds/movie.bin --exact`,
		func(flags *pflag.FlagSet) {
			flags.BoolVar(&u.exact, "exact", false, "those of the object KEY only, and not of all that begins so")
			flags.BoolVarP(&u.sizes, "sizes", "l", false, "count parts and bytes of each, which is a request each")
			flags.IntVar(&u.limit, "limited-num", 0, "`number` of uploads to list at most; 0 for all")
		},
		func(s *clientSession) error {
			u.clientSession = s
			l, err := parseRemote(s.args[0])
			switch {
			case err != nil:
				return err
			case u.exact && l.Key == "":
				return usagef("--exact needs a key: oss://BUCKET/KEY")
			case u.limit < 0:
				return usagef("--limited-num: %d is negative", u.limit)
			}
			return u.list(l)
		})
}

func (u *uploadLister) list(l location) error {
	uploads := u.client.Uploads(u.ctx, l.Bucket, l.Key)
	if u.exact {
		uploads = u.client.ObjectUploads(u.ctx, l.Bucket, l.Key)
	}
	heads := "INITIATED UPLOAD NAME"
	if u.sizes {
		heads = "INITIATED UPLOAD PARTS SIZE NAME"
	}
	table, count := u.rows(heads), 0
	defer table.end()
	for up, err := range uploads {
		if err != nil {
			return err
		}
		entry := uploadEntry{Type: "upload", Bucket: l.Bucket, Key: up.Key, UploadID: up.UploadID, Initiated: up.Initiated, StorageClass: string(up.StorageClass)}
		cells := []string{when(up.Initiated), up.UploadID}
		if u.sizes {
			parts, bytes, err := partsOf(u.ctx, u.client, l.Bucket, up)
			if err != nil {
				return err
			}
			entry.Parts, entry.Size = &parts, &bytes
			cells = append(cells, fmt.Sprint(parts), size(bytes))
		}
		if u.json {
			err = u.print(entry)
		} else {
			err = table.add(append(cells, line(location{Bucket: l.Bucket, Key: up.Key}.String()))...)
		}
		if err != nil {
			return err
		}
		if count++; u.limit > 0 && count == u.limit {
			break
		}
	}
	return table.end()
}

// chooseUpload is the upload that is meant: the one of the ID, or else the only
// one that the object has.
func (s *clientSession) chooseUpload(l location, id string) (string, error) {
	if id != "" {
		return id, nil
	}
	for u, err := range s.client.ObjectUploads(s.ctx, l.Bucket, l.Key) {
		switch {
		case err != nil:
			return "", err
		case id != "":
			return "", usagef("%s has several open uploads; give the ID of one, as ossa uploads ls --exact tells them", line(l.String()))
		}
		id = u.UploadID
	}
	if id == "" {
		return "", fmt.Errorf("%w of %s", errNoUpload, line(l.String()))
	}
	return id, nil
}

// uploadArguments are an object and, if there are two, an upload ID.
func (s *clientSession) uploadArguments() (l location, id string, err error) {
	if l, err = parseObjectLocation(s.args[0]); err == nil && len(s.args) > 1 {
		if id = s.args[1]; id == "" {
			err = usagef("the upload ID is empty; is a variable not set?")
		}
	}
	return l, id, err
}

func uploadsPartsCommand() *cobra.Command {
	return clientLeaf("parts oss://BUCKET/KEY [UPLOAD-ID]", "List the parts of an open upload", `
List the parts that a server has of an upload: number, size, ETag and CRC-64. If
the object has one open upload its ID need not be given.

Uploads of ossa have a small part of number 10000 that remembers their attributes;
it never becomes part of the object.`,
		`  ossa uploads parts oss://builds/movie.bin
  ossa uploads parts oss://builds/movie.bin 0004B9894A22E5B1888A1E29F8236E2D --json`, nil,
		func(s *clientSession) error {
			l, id, err := s.uploadArguments()
			if err != nil {
				return err
			}
			if id, err = s.chooseUpload(l, id); err != nil {
				return err
			}
			table := s.rows("PART SIZE ETAG CRC64 MODIFIED")
			defer table.end()
			for p, err := range s.client.Parts(s.ctx, l.Bucket, l.Key, id) {
				if err != nil {
					return err
				}
				crc := ""
				if p.CRC64.Known {
					crc = p.CRC64.String()
				}
				if s.json {
					err = s.print(partEntry{"part", l.Bucket, l.Key, id, p.PartNumber, p.Size, p.ETag, crc, p.LastModified})
				} else {
					err = table.add(fmt.Sprint(p.PartNumber), size(p.Size), p.ETag, crc, when(p.LastModified))
				}
				if err != nil {
					return err
				}
			}
			return table.end()
		})
}

func uploadsAbortCommand() *cobra.Command {
	r := &removal{work: work{command: "uploads-abort"}}
	all := false
	return clientLeaf("abort oss://BUCKET/KEY [UPLOAD-ID]", "Abort an open upload", `
Abort an open upload: its ID becomes invalid and its parts are deleted. If the
object has one open upload its ID need not be given; --all aborts them all.`,
		`  ossa uploads abort oss://builds/movie.bin
  ossa uploads abort oss://builds/movie.bin 0004B9894A22E5B1888A1E29F8236E2D`,
		func(flags *pflag.FlagSet) {
			flags.BoolVar(&all, "all", false, "abort all open uploads of the object")
			r.work.addFlags(flags)
		},
		func(s *clientSession) error {
			l, id, err := s.uploadArguments()
			if err != nil {
				return err
			}
			if all {
				if id != "" {
					return usagef("--all and an upload ID do not go together")
				}
				if err := r.begin(s); err != nil {
					return err
				}
				return r.end(each(s.ctx, s.client.ObjectUploads(s.ctx, l.Bucket, l.Key), r.jobs, r.abortIn(l.Bucket)))
			}
			if id, err = s.chooseUpload(l, id); err != nil {
				return err
			}
			q := &oss.AbortMultipartUploadRequest{Bucket: l.Bucket, Key: l.Key, UploadID: id}
			if _, err := s.client.AbortMultipartUpload(s.ctx, q); err != nil {
				return err
			}
			entry := abortedEntry{Type: "aborted", Bucket: l.Bucket, Key: l.Key, UploadID: id}
			return s.done(entry, "aborted %s, upload %s", line(l.String()), line(id))
		})
}

func uploadsCleanCommand() *cobra.Command {
	r := &removal{work: work{command: "uploads-clean"}}
	var olderThan, prefix string
	return clientLeaf("clean oss://BUCKET[/PREFIX]", "Abort old open uploads", `
Abort the open uploads that were begun longer ago than --older-than, and tell how
much space they held. It is the server's clock that counts, where this one is wrong.
Uploads of which the server does not tell when they were begun are left alone, and
so are those that end meanwhile, completed or aborted by somebody else. The same can
be left to the bucket: see ossa lifecycle put.`,
		`  ossa uploads clean oss://builds --older-than 7d --dry-run
  ossa uploads clean oss://builds --older-than 12h --prefix nightly/`,
		func(flags *pflag.FlagSet) {
			flags.StringVar(&olderThan, "older-than", "", "`age` that an upload must have, such as 7d or 12h; must be given, 0s is all")
			flags.StringVar(&prefix, "prefix", "", "`beginning` of the keys, if it is not in the argument")
			flags.BoolVarP(&r.dryRun, "dry-run", "n", false, "tell what would be done, and do nothing")
			r.work.addFlags(flags)
		},
		func(s *clientSession) error {
			if err := r.begin(s); err != nil {
				return err
			}
			l, err := parseRemote(s.args[0])
			switch {
			case err != nil:
				return err
			case prefix != "" && l.Key != "":
				return usagef("--prefix: the argument has a prefix already")
			case olderThan == "":
				return usagef("--older-than must say what is old, such as 7d")
			}
			age, err := parseAge("--older-than", olderThan)
			if err != nil {
				return err
			}
			if prefix != "" {
				l.Key = prefix
			}
			return r.end(r.clean(l, age))
		})
}

// clean aborts the uploads that are as old as age, by the server's clock; 0 is
// all, those included whose age is not known.
func (r *removal) clean(l location, age time.Duration) error {
	old := func(u oss.Upload) bool {
		return age == 0 || !u.Initiated.IsZero() && !u.Initiated.After(r.client.Now().Add(-age))
	}
	var total int
	var freed int64
	err := each(r.ctx, r.client.Uploads(r.ctx, l.Bucket, l.Key), r.jobs, func(ctx context.Context, u oss.Upload) error {
		if !old(u) {
			return nil
		}
		_, bytes, err := partsOf(ctx, r.client, l.Bucket, u)
		if err != nil {
			return r.fail(transfer.Failure{Action: abortAction, Operation: "ListParts", Bucket: l.Bucket, Key: u.Key, UploadID: u.UploadID}, err)
		}
		done, err := r.abort(ctx, l.Bucket, u)
		if err != nil || !done {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		total++
		freed += bytes
		return nil
	})
	r.say("%s %s that held %s", r.verb("aborted", "would abort"), plural(total, "upload"), size(freed))
	return err
}

var errNoUpload = errors.New("there is no open upload")
