package meta

import "time"

// CnamePrefix is that of the rows of domains in Root.
const CnamePrefix = "n/"

// CnameKey is the row in Root of a domain that leads to a bucket.
func CnameKey(domain string) []byte { return []byte(CnamePrefix + domain) }

// Cname is a domain's row. It counts while the bucket of this name has this ID;
// of a bucket that was deleted it is a leftover.
type Cname struct {
	Bucket   string // name
	BucketID string
	Created  time.Time
}

// Encode gives the row's value.
func (c *Cname) Encode() []byte {
	e := newEncoder('n')
	e.string(1, c.Bucket)
	e.string(2, c.BucketID)
	e.time(3, c.Created)
	return e.finish()
}

// DecodeCname reads a domain's row.
func DecodeCname(value []byte) (*Cname, error) {
	var c Cname
	err := decode('n', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&c.Bucket)
		case 2:
			return f.string(&c.BucketID)
		case 3:
			return f.time(&c.Created)
		}
		return errTag
	})
	return &c, err
}
