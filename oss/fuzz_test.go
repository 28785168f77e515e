package oss

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a configuration file says, no error quotes what may be a secret, and
// what is read from it is text of it.
func FuzzProfile(f *testing.F) {
	for _, seed := range []string{
		"[Credentials]\nendpoint=e\naccessKeyID=i\naccessKeySecret=SECRET\nstsToken=t\n[Bucket-Endpoint]\nb=e",
		"[default]\naccess-key-id=i\naccess-key-secret=SECRET\nregion=r\n[profile a]\nsource_profile=default\nmode=Anonymous",
		"[profile a]\nsource_profile=b\n[profile b]\nsource_profile=a", "\xef\xbb\xbf[default]\nSECRET\n", "[default\nx=y", "x=SECRET", "[]\n=\n",
		"[default]\naddressing-style=SECRET", "# SECRET\n; SECRET\n[default]",
	} {
		f.Add(seed, "")
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		p, err := parseProfile([]byte(text), name)
		if err != nil {
			for _, line := range strings.Split(text, "\n") {
				if line = strings.TrimSpace(line); len(line) >= 16 && !strings.ContainsAny(line, "[]=") && strings.Contains(err.Error(), line) &&
					!strings.Contains(name, line) {
					t.Errorf("the error quotes %q: %v", line, err)
				}
			}
			return
		}
		for _, v := range []string{p.Endpoint, p.Region, p.Mode, p.credentials.AccessKeySecret, p.credentials.SecurityToken} {
			if !strings.Contains(text, v) {
				t.Errorf("%q is not from the file", v)
			}
		}
	})
}

// Whatever the file has that a download is to go on with, only ranges that it
// notes twice are taken up, and there are as many as the object has.
func FuzzPartialJournal(f *testing.F) {
	const size, partSize = 1000, 300
	d := &downloader{size: size, partSize: partSize, info: &ObjectInfo{ETag: "etag"}}
	whole := append(make([]byte, size), d.header(partSize)...)
	whole = append(whole, make([]byte, journalSlot*d.ranges())...)
	copy(whole[d.slotAt(1):], "\x01\x02\x03\x04\x05\x06\x07\x08\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7")
	f.Add(whole)
	f.Add(whole[:size+journalHeader])
	f.Add(whole[:size+10])
	f.Add([]byte{})
	f.Add(append(make([]byte, size), d.header(1)...))
	f.Add(append(make([]byte, size), d.header(0)...))
	f.Add(append(make([]byte, size), d.header(-1)...))
	f.Add(append(make([]byte, size), d.header(1<<62)...))
	name := filepath.Join(f.TempDir(), "x")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		d := &downloader{
			c: &Client{log: slog.New(slog.DiscardHandler)}, q: &DownloadRequest{}, name: name, f: file,
			size: size, partSize: partSize, info: &ObjectInfo{ETag: "etag"}, res: &DownloadResult{}, track: newTracker(nil, size),
		}
		noted, err := d.readJournal()
		if err != nil {
			t.Fatal(err)
		}
		if d.partSize <= 0 || d.ranges() > maxRanges || d.have != nil && len(d.have) != d.ranges() || d.have == nil && len(noted) > 0 {
			t.Errorf("ranges of %d bytes, %d known, noted %v", d.partSize, len(d.have), noted)
		}
		for _, i := range noted {
			if off, n := d.section(i); off < 0 || n <= 0 || off+n > size {
				t.Errorf("range %d is %d, %d", i, off, n)
			}
		}
	})
}

// What is taken for a range of an answer lies within the object, and is the one
// that was asked for.
func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes 2-4/10", "bytes 2-4/*", "bytes */10", "bytes -1-4/10", "bytes 0-9223372036854775807/9223372036854775807", "bytes 4-2/10", ""} {
		f.Add(seed, int64(2), int64(3), int64(3))
		f.Add(seed, int64(-3), int64(-1), int64(3))
		f.Add(seed, int64(0), int64(-1), int64(10))
	}
	f.Fuzz(func(t *testing.T, text string, off, n, length int64) {
		asked := &Range{off, n}
		if n == 0 || n < -1 || off < 0 && n > 0 {
			return
		}
		res := &GetObjectResult{ContentRange: text, ContentLength: length}
		if asked.checkRange(http.StatusPartialContent, res) != nil {
			return
		}
		from, to, total, ok := parseContentRange(text)
		if !ok || from < 0 || to < from || to >= total || length >= 0 && length != to-from+1 {
			t.Errorf("%q is taken for %d-%d of %d, with %d bytes", text, from, to, total, length)
		}
		if off >= 0 && from != off || off >= 0 && n > 0 && to-from+1 > n || off < 0 && (to != total-1 || from > 0 && from != total+off) {
			t.Errorf("%q is taken for range %d, %d", text, off, n)
		}
	})
}
