package server

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob/fileblob"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
)

// Of what is encrypted not 16 bytes in a row are anywhere in the data
// directory: not in data files, nor in the metadata's log and tables, which hold
// the unfinished MD5 of a sequential upload. The same search finds everything
// that is not encrypted, so it would have found this.
func TestNothingInTheClear(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		d := newRawData(t, encrypted)
		d.write()
		for range 2 { // from the metadata's log, then from its tables
			places := d.search()
			for name := range d.plain {
				if found := len(places[name]) > 0; found == encrypted {
					t.Errorf("encrypted %v: %s is in %q", encrypted, name, places[name])
				}
			}
			inMeta := slices.ContainsFunc(places["state of a sequential upload"], func(file string) bool { return strings.HasPrefix(file, "meta/") })
			if inMeta == encrypted {
				t.Errorf("encrypted %v: the state of a sequential upload is in %q", encrypted, places["state of a sequential upload"])
			}
			if err := d.kv.Close(); err != nil {
				t.Fatal(err)
			}
			d.openRows()
		}
		if err := d.kv.Close(); err != nil {
			t.Error(err)
		}
	}
}

// rawData is a server whose files are looked at.
type rawData struct {
	t     *testing.T
	f     *fixture
	fs    *vfs.MemFS
	kv    *pebblekv.Engine
	sse   map[string]string // header that asks for encryption, or nil
	rng   *rand.ChaCha8
	plain map[string]string // what was written, by what it is
}

func newRawData(t *testing.T, encrypted bool) *rawData {
	d := &rawData{t: t, fs: vfs.NewMem(), rng: rand.NewChaCha8([32]byte{7}), plain: make(map[string]string)}
	if encrypted {
		d.sse = map[string]string{sse: "AES256"}
	}
	d.openRows()
	b, err := fileblob.Open("blob", fileblob.Options{FS: d.fs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	d.f = newFixture(t, func(c *config) { c.kv, c.blob, c.store.KeyRing = d.kv, b, openRing(t, d.fs) })
	return d
}

func (d *rawData) openRows() {
	var err error
	if d.kv, err = pebblekv.Open("meta", pebblekv.Options{FS: d.fs, CacheBytes: 1 << 20, ReserveBytes: 8 << 20}); err != nil {
		d.t.Fatal(err)
	}
}

// bytes makes n bytes that nothing else has.
func (d *rawData) bytes(name string, n int) string {
	p := make([]byte, n)
	d.rng.Read(p)
	d.plain[name] = string(p)
	return d.plain[name]
}

func (d *rawData) with(more map[string]string) map[string]string {
	all := maps.Clone(d.sse)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, more)
	return all
}

func (d *rawData) put(key, body string, header map[string]string, unsized bool) {
	d.t.Helper()
	d.f.want(call{method: "PUT", bucket: "examplebucket", key: key, body: body, header: header, unsized: unsized}, 200, "")
}

func (d *rawData) initiate(key, query string) string {
	d.t.Helper()
	r := d.f.want(call{method: "POST", bucket: "examplebucket", key: key, query: query, header: d.sse}, 200, "")
	return between(r.body, "<UploadId>", "</UploadId>")
}

func (d *rawData) part(key, id, number, body string, header map[string]string) {
	d.t.Helper()
	d.f.want(call{method: "PUT", bucket: "examplebucket", key: key, query: "partNumber=" + number + "&uploadId=" + id, body: body, header: header}, 200, "")
}

func (d *rawData) complete(key, id string) {
	d.t.Helper()
	d.f.want(call{method: "POST", bucket: "examplebucket", key: key, query: "uploadId=" + id,
		header: map[string]string{"x-oss-complete-all": "yes"}}, 200, "")
}

// write writes in every way there is, and reads what it wrote.
func (d *rawData) write() {
	d.t.Helper()
	d.f.want(call{method: "PUT", bucket: "examplebucket"}, 200, "")
	d.f.want(call{method: "PUT", bucket: "defaultbucket", header: d.sse}, 200, "")

	d.put("tiny", d.bytes("tiny object", 16), d.sse, false)
	d.put("small", d.bytes("small object", 5000), d.sse, false)
	d.put("large", d.bytes("large object", 300<<10), d.sse, false)
	d.put("chunked", d.bytes("object of unknown length", 90<<10), d.sse, true)
	d.put("replaced", d.bytes("object that was replaced", 5000), d.sse, false)
	d.put("replaced", "by another", d.sse, false)
	d.f.want(call{method: "PUT", bucket: "defaultbucket", key: "a", body: d.bytes("object under the bucket's default", 5000)}, 200, "")
	d.put("copy", "", d.with(map[string]string{"x-oss-copy-source": "/examplebucket/large"}), false)
	d.put("itself", d.bytes("object to copy onto itself", 5000), d.sse, false)
	if d.sse != nil {
		d.put("itself", "", map[string]string{sse: "KMS", "x-oss-copy-source": "/examplebucket/itself"}, false)
	}

	id := d.initiate("multi", "uploads")
	first, last := d.bytes("first part", 100<<10+5), d.bytes("last part", 1000)
	d.part("multi", id, "3", d.bytes("part that was replaced", 1000), nil)
	d.part("multi", id, "1", first, nil)
	d.part("multi", id, "3", last, nil)
	d.complete("multi", id)

	id = d.initiate("copied parts", "uploads")
	d.part("copied parts", id, "1", "", map[string]string{"x-oss-copy-source": "/examplebucket/large", "x-oss-copy-source-range": "bytes=7-150000"})
	d.complete("copied parts", id)

	id = d.initiate("open", "uploads")
	d.part("open", id, "1", d.bytes("part of an open upload", 5000), nil)

	id = d.initiate("in turn", "uploads&sequential")
	state := d.bytes("part in sequence", 100<<10+48)
	d.part("in turn", id, "1", state, nil)
	d.plain["state of a sequential upload"] = state[len(state)-48:] // what MD5 has not hashed yet

	for key, want := range map[string]string{
		"tiny": d.plain["tiny object"], "large": d.plain["large object"], "chunked": d.plain["object of unknown length"],
		"copy": d.plain["large object"], "itself": d.plain["object to copy onto itself"], "multi": first + last,
		"copied parts": d.plain["large object"][7:150001],
	} {
		if r := d.f.want(call{method: "GET", bucket: "examplebucket", key: key}, 200, ""); r.body != want || (r.get(sse) == "") != (d.sse == nil) {
			d.t.Errorf("%s reads as %d other bytes, encryption %q", key, len(r.body), r.get(sse))
		}
	}
	r := d.f.want(call{method: "GET", bucket: "defaultbucket", key: "a"}, 200, "")
	if (r.get(sse) == "") != (d.sse == nil) {
		d.t.Errorf("the default bucket has encryption %q", r.get(sse))
	}
}

const run = 16 // bytes in a row that must not be seen

// search returns the files that each of the plaintexts, or a run of it, is in.
func (d *rawData) search() map[string][]string {
	windows := make(map[[run]byte]string)
	for name, p := range d.plain {
		for i := 0; i+run <= len(p); i++ {
			windows[[run]byte([]byte(p[i:i+run]))] = name
		}
	}
	for i, p := 0, d.plain["state of a sequential upload"]; i+run <= len(p); i++ {
		windows[[run]byte([]byte(p[i:i+run]))] = "state of a sequential upload" // the part has it as well
	}
	starts := make([]bool, 1<<24) // of the windows: a quick no
	start := func(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
	for w := range windows {
		starts[start(w[:])] = true
	}
	places := make(map[string][]string)
	files := 0
	d.eachFile("", func(file string, b []byte) {
		files++
		for i := 0; i+run <= len(b); i++ {
			if !starts[start(b[i:])] {
				continue
			}
			if name, ok := windows[[run]byte(b[i:i+run])]; ok && !slices.Contains(places[name], file) {
				places[name] = append(places[name], file)
			}
		}
	})
	if files < 10 {
		d.t.Errorf("only %d files were looked at", files)
	}
	return places
}

func (d *rawData) eachFile(dir string, fn func(file string, b []byte)) {
	names, err := d.fs.List(dir)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, name := range names {
		path := d.fs.PathJoin(dir, name)
		info, err := d.fs.Stat(path)
		if err != nil {
			d.t.Fatal(err)
		}
		if info.IsDir() {
			d.eachFile(path, fn)
			continue
		}
		file, err := d.fs.Open(path)
		if err != nil {
			d.t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, file); err != nil {
			d.t.Fatal(err)
		}
		file.Close()
		fn(path, b.Bytes())
	}
}
