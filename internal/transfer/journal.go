package transfer

import (
	"encoding/hex"
	"strings"
)

// Journal is what is known of files.
type Journal struct{}

// fingerprint is what a file was found to be: its bytes, and the object that has them.
type fingerprint struct {
	crc  uint64
	etag string
}

func (j *Journal) get(string, fileState) (fingerprint, bool) { return fingerprint{}, false }
func (j *Journal) put(string, fileState, fingerprint)        {}
func (j *Journal) later(string, fileState, fingerprint)      {}
func (j *Journal) forget(string)                             {}

func etagOf(sum [16]byte) string { return strings.ToUpper(hex.EncodeToString(sum[:])) }
