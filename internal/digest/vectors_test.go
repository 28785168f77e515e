package digest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// vectors are digests that the official SDKs and the service produced.
type vectors struct {
	MultipartETag []struct {
		PartETags  []string `json:"part_etags"`
		ObjectETag string   `json:"object_etag"`
	} `json:"multipart_etag"`
	CRC64 []struct {
		Name  string
		Hex   string
		Zeros int
		CRC64 string
	}
	CRC64Combine []struct {
		LenB  int64  `json:"len_b"`
		CRCA  uint64 `json:"crc_a,string"`
		CRCB  uint64 `json:"crc_b,string"`
		CRCAB uint64 `json:"crc_ab,string"`
	} `json:"crc64_combine"`
	Fixture struct {
		Parts []struct {
			Number int `json:"part_number"`
			Size   int
			ETag   string `json:"md5_etag"`
			CRC64  string
		}
		Size  int64  `json:"object_size"`
		CRC64 string `json:"object_crc64"`
		ETag  string `json:"object_etag"`
	} `json:"multipart_fixture"`
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/etag-crc64.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.MultipartETag) == 0 || len(v.CRC64) == 0 || len(v.CRC64Combine) == 0 || len(v.Fixture.Parts) == 0 {
		t.Fatal("testdata/etag-crc64.json lacks vectors")
	}
	return v
}

func TestVectors(t *testing.T) {
	v := readVectors(t)
	for _, v := range v.MultipartETag {
		if got := MultipartETag(v.PartETags); got != v.ObjectETag {
			t.Errorf("MultipartETag(%v) = %s, want %s", v.PartETags, got, v.ObjectETag)
		}
	}
	for _, v := range v.CRC64 {
		p, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		p = append(p, make([]byte, v.Zeros)...)
		if got := CRC64String(CRC64(0, p)); got != v.CRC64 {
			t.Errorf("CRC-64 of %s = %s, want %s", v.Name, got, v.CRC64)
		}
	}
	for _, v := range v.CRC64Combine {
		if got := CombineCRC64(v.CRCA, v.CRCB, v.LenB); got != v.CRCAB {
			t.Errorf("CombineCRC64(%d, %d, %d) = %d, want %d", v.CRCA, v.CRCB, v.LenB, got, v.CRCAB)
		}
	}
}

// TestVectorUpload takes one multipart upload through all of the package.
func TestVectorUpload(t *testing.T) {
	v := readVectors(t).Fixture
	var combined Combiner
	var total int64
	tag := NewETagBuilder()
	for i, part := range v.Parts {
		body := bytes.Repeat([]byte{byte(i + 1)}, part.Size)
		if i == len(v.Parts)-1 {
			body = []byte("tail")
		}
		h := NewHasher()
		fmt.Fprintf(h, "%s", body)
		sum, crc, n := h.Sum()
		if PartETag(sum) != part.ETag || CRC64String(crc) != part.CRC64 || n != int64(part.Size) {
			t.Errorf("part %d: %s, %d, %d bytes; want %+v", part.Number, PartETag(sum), crc, n, part)
		}
		tag.Append(PartETag(sum))
		combined.Append(crc, n)
		total += n
	}
	if tag.Sum() != v.ETag || CRC64String(combined.Sum()) != v.CRC64 || total != v.Size {
		t.Errorf("object: %s, %d, %d bytes; want %s, %s, %d", tag.Sum(), combined.Sum(), total, v.ETag, v.CRC64, v.Size)
	}
}
