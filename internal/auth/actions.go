package auth

// right is what an ACL can grant.
type right int

const (
	none        right = iota // no ACL grants it
	readObject               // public-read, public-read-write
	writeObject              // public-read-write
	listBucket               // public-read-write; public-read where allowed
)

// rights tells which right of an ACL covers an action (OSS documentation,
// "Bucket ACL" and "Object ACL"). Actions that are not here, known or not, are
// none: an ACL never grants them.
var rights = map[string]right{
	"oss:GetObject":        readObject,
	"oss:GetObjectVersion": readObject,

	"oss:PutObject":            writeObject,
	"oss:PutObjectTagging":     writeObject,
	"oss:DeleteObject":         writeObject,
	"oss:DeleteObjectVersion":  writeObject,
	"oss:AbortMultipartUpload": writeObject,
	"oss:ListParts":            writeObject,

	"oss:ListObjects":        listBucket,
	"oss:ListObjectVersions": listBucket,
}
