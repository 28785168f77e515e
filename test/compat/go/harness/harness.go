// Package harness is what the Go scenarios share: arguments, expectations, and
// the result lines.
//
// A client's program gives Main a list of scenarios. Each runs once, in order,
// and prints one line:
//
//	pass<TAB>name
//	fail<TAB>name<TAB>what was expected and what came
//
// A failed expectation ends its scenario and no other, by a panic that Main
// catches; so a scenario reads as a list of steps without error plumbing. The
// process exits 0 when every scenario passed.
package harness

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
)

// PartSize is the smallest size of a part that is not the last, in bytes.
const PartSize = 102400

// Dates on either side of every test run.
const (
	LongAgo  = "Tue, 01 Feb 2011 00:00:00 GMT"
	FarAhead = "Sat, 01 Jan 2150 00:00:00 GMT"
)

// AwkwardKeys are names that a careless server cleans, decodes twice or refuses.
func AwkwardKeys() []string {
	return []string{
		"a b+c",
		"a//b",
		"a/../../etc/passwd",
		"../../etc/passwd",
		"中文/é",
		"100%25",
		"~!*'()",
		"dir/",
		"a?b&c=d#e;f",
		"<&>\"'",
		".",
		"..",
		"./.",
		strings.Repeat("k", 1023),
	}
}

// Options say where the server is and how to talk to it.
type Options struct {
	Port            int
	Virtual         bool // bucket in the host name, not in the path
	V4              bool // signature V4, not V1
	Prefix          string
	Only            string // run just the scenario of this name
	Region          string
	AccessKeyID     string
	AccessKeySecret string
}

// ParseOptions reads the command line and the server's own environment variables.
func ParseOptions() Options {
	var o Options
	var style, signature string
	flag.IntVar(&o.Port, "port", 0, "port of the server on 127.0.0.1")
	flag.StringVar(&style, "style", "path", "path or virtual")
	flag.StringVar(&signature, "signature", "v4", "v1 or v4")
	flag.StringVar(&o.Prefix, "prefix", "", "bucket names begin with this")
	flag.StringVar(&o.Only, "only", "", "run just the scenario of this name")
	flag.Parse()
	o.Virtual = style == "virtual"
	o.V4 = signature == "v4"
	o.Region = os.Getenv("OSSA_REGION")
	if o.Region == "" {
		o.Region = "cn-hangzhou"
	}
	o.AccessKeyID = os.Getenv("OSSA_ROOT_ACCESS_KEY_ID")
	o.AccessKeySecret = os.Getenv("OSSA_ROOT_ACCESS_KEY_SECRET")
	return o
}

// Endpoint is the URL to give to a client. Virtual-host requests go to
// <bucket>.localhost, which HTTPClient leads to 127.0.0.1.
func (o Options) Endpoint() string {
	if o.Virtual {
		return fmt.Sprintf("http://localhost:%d", o.Port)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", o.Port)
}

// Scenario is a named list of steps.
type Scenario struct {
	name  string
	steps func()
}

// Named returns a scenario for Main.
func Named(name string, steps func()) Scenario { return Scenario{name, steps} }

// Main runs the scenarios and returns the status to exit with.
func Main(o Options, scenarios ...Scenario) int {
	status := 0
	for _, s := range scenarios {
		if o.Only != "" && o.Only != s.name {
			continue
		}
		if why := s.run(); why != "" {
			status = 1
			fmt.Printf("fail\t%s\t%.900s\n", s.name, strings.Join(strings.Fields(why), " "))
			continue
		}
		fmt.Printf("pass\t%s\n", s.name)
	}
	return status
}

// mismatch is what a failed expectation panics with.
type mismatch struct{ text string }

func (m mismatch) Error() string { return m.text }

// run returns why the scenario failed, or "".
func (s Scenario) run() (why string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case mismatch:
			why = r.text
		default: // an answer that made the client or the scenario stumble
			why = fmt.Sprintf("panic at %s: %v", place(), r)
		}
	}()

	s.steps()
	return ""
}

// Fail ends the scenario.
func Fail(format string, args ...any) {
	panic(mismatch{place() + ": " + fmt.Sprintf(format, args...)})
}

// place is the line of the scenario that is being run.
func place() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		if strings.Contains(frame.Function, "main.(*world)") {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "?"
		}
	}
}

// Equal expects got to be want.
func Equal[T any](what string, got, want T) {
	if !reflect.DeepEqual(got, want) {
		Fail("%s: got %.300q, want %.300q", what, fmt.Sprint(got), fmt.Sprint(want))
	}
}

// True expects the condition; what says what is wrong otherwise.
func True(condition bool, what string) {
	if !condition {
		Fail("%s", what)
	}
}

// Check expects no error.
func Check(err error) {
	if err != nil {
		Fail("%v", err)
	}
}

// Must returns the value and expects no error.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Data returns size bytes that do not repeat; equal seeds give equal bytes.
func Data(seed string, size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8(sha256.Sum256([]byte(seed))).Read(data)
	return data
}

// MD5Hex is the ETag of an object or part with this content, without quotes.
func MD5Hex(content []byte) string {
	sum := md5.Sum(content)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// MD5Base64 is the Content-MD5 of this content.
func MD5Base64(content []byte) string {
	sum := md5.Sum(content)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// MultipartETag is MD5 over the text of the parts' ETags, a dash, and their count.
func MultipartETag(etags ...string) string {
	return fmt.Sprintf("%s-%d", MD5Hex([]byte(strings.Join(etags, ""))), len(etags))
}

// Tampered returns the signed URL with another signature, V1 or V4.
func Tampered(url string) string {
	before, signature, _ := strings.Cut(url, "ignature=")
	first := "0"
	if strings.HasPrefix(signature, first) {
		first = "1"
	}
	return before + "ignature=" + first + signature[1:]
}

// Entry is a part as a listing shows it, in a form that is easy to compare.
func Entry(number int, etag string, size int64) string {
	return fmt.Sprintf("%d %s %d", number, strings.Trim(etag, `"`), size)
}

// Unquote removes the quotes that ETags travel in.
func Unquote(etag string) string { return strings.Trim(etag, `"`) }
