package engine

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/ossastore/ossa/internal/smallfile"
)

// RootKey is the access key of the account that owns everything. Printing and
// logging it shows the ID only.
type RootKey struct {
	ID     string
	Secret string
}

func (k RootKey) String() string       { return k.ID }
func (k RootKey) GoString() string     { return fmt.Sprintf("engine.RootKey{%q}", k.ID) }
func (k RootKey) LogValue() slog.Value { return slog.StringValue(k.ID) }

// The file is text that a shell can read in (". DIR/root-credentials"), with
// the names that the official clients look for.
const (
	idLine     = "export OSS_ACCESS_KEY_ID="
	secretLine = "export OSS_ACCESS_KEY_SECRET="
	// A token of a session that the shell was in would not go with this key. Files
	// of older releases have no such line.
	tokenLine = "unset OSS_SESSION_TOKEN"
)

// RootKey returns the root access key that is kept in the data directory, and
// makes one of random bytes when there is none (made is true then). The key is
// durable before it is returned. In memory every call makes another.
func (e *Engine) RootKey(random io.Reader) (key RootKey, made bool, err error) {
	if e.fs != nil {
		key, err = readRootKey(e)
		if !errors.Is(err, fs.ErrNotExist) {
			return key, false, err
		}
	}
	if key, err = newRootKey(random); err != nil {
		return RootKey{}, false, fmt.Errorf("make root credentials: %w", err)
	}
	if e.fs != nil {
		text := "# Root access key of this data directory. Whoever has it may do everything.\n" +
			idLine + key.ID + "\n" + secretLine + key.Secret + "\n" + tokenLine + "\n"
		if err := smallfile.Write(e.fs, e.dir, credentialsName, []byte(text)); err != nil {
			return RootKey{}, false, err
		}
	}
	return key, true, nil
}

// RootKeyFile is the path of the file that RootKey keeps the key in.
func (e *Engine) RootKeyFile() string {
	if e.fs == nil {
		return ""
	}
	return e.fs.PathJoin(e.dir, credentialsName)
}

func readRootKey(e *Engine) (RootKey, error) {
	name := e.RootKeyFile()
	text, err := smallfile.Read(e.fs, name, readMax)
	if err != nil {
		return RootKey{}, fmt.Errorf("read root credentials: %w", err)
	}
	var key RootKey
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if v, ok := strings.CutPrefix(line, idLine); ok {
			key.ID = v
		}
		if v, ok := strings.CutPrefix(line, secretLine); ok {
			key.Secret = v
		}
	}
	if key.ID == "" || key.Secret == "" {
		return RootKey{}, fmt.Errorf("%w: %s needs the lines %s... and %s...; move it away to have a new pair made",
			ErrBadCredentials, name, idLine, secretLine)
	}
	return key, nil
}

// newRootKey makes a key of 100 random bits for the ID and 200 for the secret,
// in upper-case letters and digits: nothing that a shell or a URL must escape.
func newRootKey(random io.Reader) (RootKey, error) {
	var b [40]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return RootKey{}, err
	}
	text := base32.StdEncoding.EncodeToString(b[:])
	return RootKey{ID: "OSSA" + text[:20], Secret: text[20:60]}, nil
}
