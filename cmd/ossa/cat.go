package main

import (
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

func catCommand() *cobra.Command {
	var versionID, extent string
	return clientLeaf("cat oss://BUCKET/KEY...", "Print objects", `
Print the bytes of objects, one after the other. Reading goes on after a broken
connection, in the same version of the object; the bytes of a whole object are
compared with its CRC-64, so that status 0 means that all are there and right.`,
		`  ossa cat oss://builds/notes.txt
  ossa cat --range 0-1023 oss://builds/movie.bin | xxd     # the first KiB
  ossa cat --range=-100 oss://builds/build.log             # the last 100 bytes`,
		func(flags *pflag.FlagSet) {
			flags.StringVar(&extent, "range", "", "`bytes` to print: FIRST-LAST, FIRST- or -COUNT for the last ones")
			flags.StringVar(&versionID, "version-id", "", "`ID` of a version")
		},
		func(s *clientSession) error {
			var q oss.OpenObjectRequest
			var err error
			if q.Range, err = parseRange(extent); err != nil {
				return err
			}
			var objects []location
			for _, arg := range s.args {
				l, err := parseObjectLocation(arg)
				if err != nil {
					return err
				}
				objects = append(objects, l)
			}
			if versionID != "" && len(objects) > 1 {
				return usagef("--version-id is for one object")
			}
			q.VersionID = versionID
			for _, l := range objects {
				q.Bucket, q.Key = l.Bucket, l.Key
				if err := s.cat(&q); err != nil {
					return err
				}
			}
			return nil
		})
}

func (s *clientSession) cat(q *oss.OpenObjectRequest) error {
	res, err := s.client.OpenObject(s.ctx, q)
	if err != nil {
		return err
	}
	defer res.Body.Close()

	_, err = io.Copy(s.stdout, res.Body)
	return err
}

// parseRange reads FIRST-LAST, FIRST- or -COUNT; "" is everything.
func parseRange(text string) (*oss.Range, error) {
	if text == "" {
		return nil, nil
	}
	wrong := usagef("--range: %q is none of FIRST-LAST, FIRST- and -COUNT, in bytes from 0", text)
	first, last, found := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
	if !found || first == "" && last == "" {
		return nil, wrong
	}
	number := func(s string) (int64, bool) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && n >= 0
	}
	from, ok := number(first)
	to, okTo := number(last)
	switch {
	case first == "" && okTo && to > 0:
		return &oss.Range{Offset: -to, Length: -1}, nil
	case last == "" && ok:
		return &oss.Range{Offset: from, Length: -1}, nil
	case ok && okTo && from <= to && to-from < math.MaxInt64:
		return &oss.Range{Offset: from, Length: to - from + 1}, nil
	case ok && okTo && from <= to:
		return nil, nil // all that there can be
	}
	return nil, wrong
}
