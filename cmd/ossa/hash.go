package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

// hashEntry is what a server would tell of a file, for machines.
type hashEntry struct {
	Type          string `json:"type"` // hash
	Path          string `json:"path"`
	Size          int64  `json:"size"`  // bytes
	CRC64         string `json:"crc64"` // decimal
	MD5           string `json:"md5"`   // hex; the ETag of an object that was put in one piece
	ContentMD5    string `json:"content_md5"`
	PartSize      int64  `json:"part_size"`
	Parts         int    `json:"parts"`
	MultipartETag string `json:"multipart_etag"`
}

func hashCommand() *cobra.Command {
	var partSize sizeFlag
	var kind string
	return localLeaf("hash [crc64|md5|etag] FILE...", "Calculate what a server would tell of local files", `
Calculate the CRC-64, the MD5 and the ETag that an object made of a file has: the MD5
if it is uploaded in one piece, and otherwise a hash of the parts', which depends on
their size. "-" is stdin. Compare with what ossa stat tells.

With one of crc64, md5 and etag (or --type) only that is printed, and the name.`,
		`  ossa hash movie.bin
  ossa hash etag --part-size 10MiB movie.bin
  tar c . | ossa hash crc64 -`,
		func(flags *pflag.FlagSet) {
			flags.Var(&partSize, "part-size", "`bytes` of a part, such as 16MiB; default 10MiB, more for very large files")
			flags.StringVar(&kind, "type", "", "`kind` to print alone: crc64, md5 or etag")
		},
		func(p *printer, command *cobra.Command, args []string) error {
			if len(args) > 1 && slices.Contains(hashKinds, args[0]) && kind == "" {
				kind, args = args[0], args[1:]
			}
			if kind != "" && !slices.Contains(hashKinds, kind) {
				return usagef("--type: %q is none of %s", kind, enumerated(hashKinds))
			}
			h := &hasher{printer: p, partSize: int64(partSize), kind: kind}
			for _, name := range args {
				if err := h.hash(command.Context(), name); err != nil {
					return err
				}
			}
			return nil
		})
}

type hasher struct {
	*printer
	partSize int64
	kind     string
}

func (h *hasher) hash(ctx context.Context, name string) error {
	if strings.HasPrefix(name, ossScheme) {
		return usagef("%s is an object, and hash is for files: ossa stat tells what the server has calculated", line(name))
	}
	if !utf8.ValidString(name) {
		return usagef("the file name %q is not UTF-8: rename the file, or give it by stdin", name)
	}
	sum, entry, err := h.sum(ctx, name)
	if err != nil {
		return err
	}
	entry.CRC64, entry.MD5 = strconv.FormatUint(sum.CRC64, 10), strings.ToUpper(hex.EncodeToString(sum.MD5[:]))
	entry.ContentMD5 = base64.StdEncoding.EncodeToString(sum.MD5[:])
	entry.Parts, entry.MultipartETag = sum.Parts, sum.MultipartETag
	if h.json {
		return h.print(entry)
	}
	one := map[string]string{"crc64": entry.CRC64, "md5": entry.MD5, "etag": entry.MultipartETag}
	if h.kind != "" {
		return h.writeLine(one[h.kind] + "  " + line(name))
	}
	return h.fields("file", line(name), "size", fmt.Sprintf("%d (%s)", entry.Size, size(entry.Size)), "crc64", entry.CRC64, "md5", entry.MD5,
		"content-md5", entry.ContentMD5, "multipart etag", fmt.Sprintf("%s (%s of %s)", entry.MultipartETag, plural(entry.Parts, "part"), size(entry.PartSize)))
}

func (h *hasher) sum(ctx context.Context, name string) (*oss.Hash, hashEntry, error) {
	entry := hashEntry{Type: "hash", Path: name, PartSize: h.partSize}
	var file *os.File
	var stream io.Reader = h.stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil {
			return nil, entry, err
		}
		defer file.Close()

		info, err := file.Stat()
		if err == nil && info.IsDir() {
			err = errors.New(name + " is a directory")
		}
		if err != nil {
			return nil, entry, err
		}
		if info.Mode().IsRegular() && info.Size() > 0 {
			entry.Size = info.Size()
		} else {
			stream, file = file, nil // of /proc, files with something in them have no size
		}
	}
	if file == nil {
		if entry.PartSize == 0 {
			entry.PartSize = 10 << 20 // as nobody knows how much comes
		}
		count := &countingReader{r: stream}
		sum, err := oss.HashReader(ctx, count, entry.PartSize)
		entry.Size = count.n
		return sum, entry, err
	}
	if entry.PartSize == 0 {
		var err error
		if entry.PartSize, err = oss.DeterminePartSize(entry.Size, 0); err != nil {
			return nil, entry, err
		}
	}
	sum, err := oss.HashReaderAt(ctx, file, entry.Size, entry.PartSize)
	return sum, entry, err
}

// countingReader counts the bytes that are read.
type countingReader struct {
	r io.Reader
	n int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.n += int64(n)
	return n, err
}
