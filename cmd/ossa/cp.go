package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

func cpCommand() *cobra.Command {
	f := &transferFlags{}
	var recursive, update bool
	return f.client.leaf("cp SOURCE TARGET", "Copy files and objects: up, down, and within the server", `
Copy a file to an object, an object to a file, or an object to another one, in
the server. With -r, copy everything in a directory or below a prefix. "-" is
stdin as SOURCE and stdout as TARGET. A TARGET that ends in a slash, is a
directory, or a bucket alone gets the name of the source.

Large files go in parts, several at a time, and every byte is compared by CRC-64.
The same command again goes on where an earlier one ended, whatever ended it and
on whatever machine: the server tells what it has, and that is compared with the
file. A download goes on with NAME.ossa-partial. An upload of 4 MiB and more,
or of more than --part-size, is not sent if the object is there with the same
bytes and attributes.

What exists is replaced without a question; --forbid-overwrite and --update are
for those who do not want that. In a directory, links to files are followed and
links to directories skipped (--links); devices, sockets and pipes are skipped,
and names that are not UTF-8 are refused. Names of objects that are no safe
names of files (with .. or // in them, or below another object) are refused, and
nothing is ever written outside of TARGET.

Patterns without a slash are compared with the last segment of a name, others
with all of it below SOURCE; ** stands for any number of segments.`,
		`  ossa cp big.iso oss://builds/
  ossa cp oss://builds/big.iso . --parallel 16
  ossa cp -r site oss://www --exclude '*.tmp' --header 'Cache-Control: max-age=60'
  ossa cp -r oss://www/img/ img -u
  ossa cp oss://builds/big.iso oss://archive/2026/ --storage-class Archive
  tar cz /etc | ossa cp - oss://backup/etc.tgz
  ossa cp disk.img oss://backup/disk.img --delta`,
		func(flags *pflag.FlagSet) {
			flags.BoolVarP(&recursive, "recursive", "r", false, "copy everything in a directory or below a prefix")
			flags.BoolVarP(&update, "update", "u", false, "copy only what is missing in TARGET or older there")
			flags.BoolVarP(&f.force, "force", "f", false, "ask nothing, which cp never does")
			f.addFlags(flags)
		},
		func(s *clientSession) error {
			source, target, err := parseSourceTarget(s.args)
			if err != nil {
				return err
			}
			t, err := f.begin(s, "cp")
			if err != nil {
				return err
			}
			if update {
				t.options.Mode = transfer.Newer
			}
			return (&copying{t, source, target, recursive}).run()
		})
}

// copying is one cp.
type copying struct {
	*transferring
	source, target location
	recursive      bool
}

func (c *copying) run() error {
	switch {
	case !c.source.remote() && !c.target.remote():
		return usagef("one of %s and %s must be in a bucket: oss://BUCKET/KEY", c.source, c.target)
	case c.source.Std:
		return c.fromStdin()
	case c.target.Std:
		return c.toStdout()
	case c.source.remote() && c.target.remote():
		if err := c.copyable(); err != nil {
			return err
		}
	}
	if !c.source.remote() {
		info, err := os.Stat(c.source.Path)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return c.uploadOne(info)
		}
		if !c.recursive {
			return usagef("%s is a directory; -r copies what is in it", c.source)
		}
		return c.many(c.folder(c.source.Path), c.prefix())
	}
	switch {
	case c.recursive && c.target.remote():
		return c.copyMany()
	case c.recursive:
		return c.many(c.below(), c.folder(c.target.Path))
	case c.source.Key == "" || strings.HasSuffix(c.source.Key, "/"):
		return usagef("%s is no object; -r copies what is below it", c.source)
	case c.target.remote():
		key := c.keyFor(path.Base(c.source.Key))
		return c.orRecursive(c.one(&transfer.Task{
			Action: transfer.Copy, Name: path.Base(key), Bucket: c.target.Bucket, Key: key, Size: -1,
			From: oss.CopySource{Bucket: c.source.Bucket, Key: c.source.Key},
		}))
	}
	return c.orRecursive(c.downloadOne())
}

// orRecursive says what whoever named a prefix has forgotten.
func (c *copying) orRecursive(err error) error {
	if errors.Is(err, oss.ErrNoSuchKey) {
		return fmt.Errorf("%w\n  -r copies what is below a prefix", err)
	}
	return err
}

// copyable refuses what the server cannot give a copy.
func (c *copying) copyable() error {
	if len(c.options.Object.Header) > 0 {
		return usagef("a copy in the server gets the headers of objects only: Content-Type, Cache-Control, Content-Disposition, Content-Encoding, Expires and x-oss-meta-*")
	}
	if c.delta {
		return usagef("--delta is for uploads: a copy in the server sends no bytes")
	}
	return nil
}

func (c *copying) folder(name string) *transfer.Folder {
	return &transfer.Folder{Path: name, Links: transfer.Links(c.links)}
}

// prefix is what a directory is copied to.
func (c *copying) prefix() *transfer.Prefix {
	return &transfer.Prefix{Client: c.s.client, Bucket: c.target.Bucket, Prefix: asFolder(c.target.Key)}
}

// asFolder makes a key what keys below it begin with.
func asFolder(key string) string {
	if key == "" || strings.HasSuffix(key, "/") {
		return key
	}
	return key + "/"
}

// below is the objects whose keys begin with that of the source; their names
// begin after its last slash.
func (c *copying) below() *transfer.Prefix {
	key := c.source.Key
	return &transfer.Prefix{Client: c.s.client, Bucket: c.source.Bucket, Prefix: key[:strings.LastIndex(key, "/")+1], Match: key}
}

func (c *copying) copyMany() error {
	from, to := c.below(), c.prefix()
	switch {
	case from.Bucket != to.Bucket:
	case from.Prefix == to.Prefix:
		return usagef("%s would be copied onto itself", c.source)
	case strings.HasPrefix(to.Prefix, c.source.Key):
		hint := ""
		if folder := asFolder(c.source.Key); !strings.HasPrefix(to.Prefix, folder) {
			hint = "; " + ossScheme + c.source.Bucket + "/" + folder + " is only what is in that folder"
		}
		return usagef("%s is below %s: the copies would be copied, too%s", c.target, c.source, hint)
	}
	return c.many(from, to)
}

// keyFor is the key of a target that may be a folder.
func (c *copying) keyFor(name string) string {
	if c.target.Key == "" || strings.HasSuffix(c.target.Key, "/") {
		return c.target.Key + name
	}
	return c.target.Key
}

func (c *copying) uploadOne(info os.FileInfo) error {
	key := c.keyFor(filepath.Base(c.source.Path))
	if err := wire.ValidateKey(key); err != nil {
		return usagef("%q is no object key: %s; give the key in TARGET", key, messageOf(err))
	}
	return c.one(&transfer.Task{
		Action: transfer.Upload, Name: path.Base(key), Path: c.source.Path, Bucket: c.target.Bucket, Key: key,
		Size: info.Size(), Modified: info.ModTime(),
	})
}

func (c *copying) downloadOne() error {
	task := &transfer.Task{
		Action: transfer.Download, Name: path.Base(c.source.Key), Bucket: c.source.Bucket, Key: c.source.Key, Size: -1,
		Path: c.target.Path,
	}
	dir := filepath.Dir(c.target.Path)
	info, err := os.Stat(c.target.Path)
	if err == nil && info.IsDir() || os.IsPathSeparator(c.target.Path[len(c.target.Path)-1]) || strings.HasSuffix(c.target.Path, "/") {
		if err := transfer.SafeName(task.Name); err != nil {
			return fmt.Errorf("%w; give the file's name in TARGET", err)
		}
		dir = c.target.Path
		task.Into, task.Path = dir, filepath.Join(dir, task.Name)
	}
	if !c.dryRun {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	return c.one(task)
}

func (c *copying) fromStdin() error {
	switch {
	case c.recursive || c.options.Mode != transfer.Always || c.delta:
		return usagef("stdin is copied as it is: without -r, -u and --delta")
	case c.target.Key == "" || strings.HasSuffix(c.target.Key, "/"):
		return usagef("%s: what is read from stdin needs a key, oss://BUCKET/KEY", c.target)
	}
	task := &transfer.Task{Action: transfer.Upload, Name: path.Base(c.target.Key), Path: "-", Bucket: c.target.Bucket, Key: c.target.Key, Size: -1}
	if c.dryRun {
		c.watch.Ended(task, &transfer.Outcome{Status: transfer.Planned})
		return nil
	}
	c.watch.begin(true, false)
	_, err := transfer.UploadStream(c.s.ctx, c.options, task, pump(c.s.ctx, c.s.stdin))
	c.watch.close()
	if errors.Is(err, context.Canceled) {
		c.goOn(false)
	}
	return err
}

// pump reads a stream whose Read may block for as long as it likes, and ends
// with the context nevertheless. Then the process does, too, so that the Read
// that is left behind harms nobody.
func pump(ctx context.Context, from io.Reader) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(context.Canceled) })
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{from}, make([]byte, 1<<20))
		w.CloseWithError(err) // nil is io.EOF
	}()
	return r
}

func (c *copying) toStdout() error {
	switch {
	case c.recursive || c.options.Mode != transfer.Always:
		return usagef("stdout takes one object: without -r and -u")
	case c.source.Key == "":
		return usagef("%s is a bucket, and not an object; give oss://BUCKET/KEY", c.source)
	}
	task := &transfer.Task{Action: transfer.Download, Name: path.Base(c.source.Key), Path: "-", Bucket: c.source.Bucket, Key: c.source.Key, Size: -1}
	if c.dryRun {
		c.watch.Ended(task, &transfer.Outcome{Status: transfer.Planned})
		return nil
	}
	c.watch.begin(true, true) // stdout is the object's
	_, err := transfer.DownloadStream(c.s.ctx, c.options, task, c.s.stdout)
	c.watch.close()
	return err
}
