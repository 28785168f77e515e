package seal

import (
	"bytes"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle/noncebased"
)

// Writer encrypts what is written to it. Close ends the stream; without it the
// stream does not open.
type Writer struct {
	to     *noncebased.Writer
	err    error
	header []byte // nil once it is written
	w      io.Writer
}

// NewWriter begins a stream on w, which gets it in pieces of a segment. random
// gives the salt. what says what the stream is, see the package comment. size is
// the length of the body, or -1 when it is not known; a short one takes less
// memory.
func NewWriter(w io.Writer, random io.Reader, key, what []byte, size int64) (*Writer, error) {
	header := make([]byte, headerSize)
	copy(header, magic)
	salt := header[len(magic):]
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, fmt.Errorf("seal: no randomness: %w", err)
	}
	k, err := deriveKeys(key, salt, what)
	if err != nil {
		return nil, err
	}
	params := noncebased.WriterParams{
		W: w, SegmentEncrypter: segmentCipher{aead: k.aead}, NonceSize: nonceSize, NoncePrefix: k.prefix,
		PlaintextSegmentSize: plainSize, FirstCiphertextSegmentOffset: headerSize,
	}
	if 0 <= size && size <= firstPlain {
		params.PlaintextSegmentSize, params.FirstCiphertextSegmentOffset = int(size), 0
	}
	to, err := noncebased.NewWriter(params)
	return &Writer{to: to, header: header, w: w}, err
}

// Write encrypts p. An error of the writer below comes back as it is, and again
// from then on.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil || len(p) == 0 {
		return 0, w.err
	}
	if w.header != nil {
		if _, w.err = w.w.Write(w.header); w.err != nil {
			return 0, w.err
		}
		w.header = nil
	}
	var n int
	n, w.err = w.to.Write(p)
	return n, w.err
}

// Close writes the last segment. It does not close the writer below.
func (w *Writer) Close() error {
	if w.err != nil || w.header != nil {
		return w.err
	}
	w.err = w.to.Close()
	return w.err
}

// Bytes makes a stream of a short body, at once.
func Bytes(random io.Reader, key, what, plain []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := NewWriter(&b, random, key, what, int64(len(plain)))
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}
