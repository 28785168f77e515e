package auth

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const (
	byBucket = "You have no right to access this object because of bucket acl."
	noRead   = "You do not have read permission on this object."
	noWrite  = "You do not have write permission on this object."
	noList   = "Anonymous user has no right to access this bucket."
	noConfig = "Anonymous access is forbidden for this operation."
	noPolicy = "Access denied by authorizer's policy."
)

// The table of the documentation pages "Bucket ACL" and "Object ACL": an object's
// ACL replaces the bucket's unless it is default.
func TestDecide(t *testing.T) {
	anonymous, user, owner := Identity{}, Identity{Kind: User, ID: "u"}, Identity{Kind: Owner, ID: "o"}
	tests := []struct {
		name           string
		id             Identity
		action         string
		bucket, object string
		list           bool
		want           string // "" is allowed
	}{
		{"owner reads private", owner, "oss:GetObject", "private", "private", false, ""},
		{"owner configures", owner, "oss:PutBucketPolicy", "private", "", false, ""},
		{"owner lists buckets", owner, "oss:ListBuckets", "", "", false, ""},
		{"owner does what is unknown", owner, "oss:Whatever", "", "", false, ""},

		{"read private", anonymous, "oss:GetObject", "private", "", false, byBucket},
		{"read public-read", anonymous, "oss:GetObject", "public-read", "", false, ""},
		{"read public-read, default", anonymous, "oss:GetObject", "public-read", "default", false, ""},
		{"read public-read-write", anonymous, "oss:GetObject", "public-read-write", "default", false, ""},
		{"read private object of public bucket", anonymous, "oss:GetObject", "public-read-write", "private", false, noRead},
		{"read public object of private bucket", anonymous, "oss:GetObject", "private", "public-read", false, ""},
		{"read public-read-write object of private bucket", anonymous, "oss:GetObject", "private", "public-read-write", false, ""},
		{"read unknown ACL", anonymous, "oss:GetObject", "everything", "", false, byBucket},
		{"read no ACL", anonymous, "oss:GetObject", "", "", false, byBucket},
		{"bucket cannot be default", anonymous, "oss:GetObject", "default", "default", false, byBucket},

		{"write private", anonymous, "oss:PutObject", "private", "", false, byBucket},
		{"write public-read", anonymous, "oss:PutObject", "public-read", "", false, byBucket},
		{"write public-read-write", anonymous, "oss:PutObject", "public-read-write", "", false, ""},
		{"overwrite private object", anonymous, "oss:PutObject", "public-read-write", "private", false, noWrite},
		{"overwrite public-read object", anonymous, "oss:PutObject", "public-read-write", "public-read", false, noWrite},
		{"overwrite public object of private bucket", anonymous, "oss:PutObject", "private", "public-read-write", false, ""},
		{"delete private object", anonymous, "oss:DeleteObject", "public-read-write", "private", false, noWrite},
		{"abort public-read-write", anonymous, "oss:AbortMultipartUpload", "public-read-write", "", false, ""},
		{"list parts public-read", anonymous, "oss:ListParts", "public-read", "", false, byBucket},

		{"list private", anonymous, "oss:ListObjects", "private", "", true, noList},
		{"list public-read", anonymous, "oss:ListObjects", "public-read", "", false, noList},
		{"list public-read, allowed", anonymous, "oss:ListObjects", "public-read", "", true, ""},
		{"list public-read-write", anonymous, "oss:ListObjects", "public-read-write", "", false, ""},
		{"object ACL does not open the list", anonymous, "oss:ListObjects", "private", "public-read-write", true, noList},

		{"configuration", anonymous, "oss:GetBucketAcl", "public-read-write", "", true, noConfig},
		{"object ACL", anonymous, "oss:GetObjectAcl", "public-read-write", "public-read-write", true, noConfig},
		{"object tags", anonymous, "oss:DeleteObjectTagging", "public-read-write", "", true, noConfig},
		{"uploads of a bucket", anonymous, "oss:ListMultipartUploads", "public-read-write", "", true, noConfig},
		{"service", anonymous, "oss:ListBuckets", "", "", true, noConfig},
		{"unknown action", anonymous, "oss:Whatever", "public-read-write", "public-read-write", true, noConfig},
		{"no action", anonymous, "", "public-read-write", "public-read-write", true, noConfig},

		{"user reads public", user, "oss:GetObject", "public-read", "", false, ""},
		{"user reads private", user, "oss:GetObject", "private", "", false, noPolicy},
		{"user lists private", user, "oss:ListObjects", "private", "", false, noPolicy},
		{"user configures", user, "oss:PutBucketAcl", "public-read-write", "", false, noPolicy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Authorizer{AnonymousList: tt.list}
			r := Request{
				Identity: tt.id, Action: tt.action, Resource: OSSResource("b", "k"),
				BucketACL: tt.bucket, ObjectACL: tt.object,
			}
			got := a.Decide(r)
			if got.Allowed != (tt.want == "") || !strings.HasPrefix(got.Reason, tt.want) {
				t.Errorf("got %+v, want reason %q", got, tt.want)
			}
			if r.ObjectACL = ""; !a.NeedsObject(r) {
				if bare := a.Decide(r); bare != got {
					t.Errorf("NeedsObject is false, but without its ACL the decision is %+v, not %+v", bare, got)
				}
			}
			if r.BucketACL = ""; !a.MayGrant(tt.action) {
				if bare := a.Decide(r); bare != got {
					t.Errorf("MayGrant is false, but without ACLs the decision is %+v, not %+v", bare, got)
				}
			}
		})
	}
}

func TestResource(t *testing.T) {
	for _, tt := range []struct{ bucket, key, want string }{
		{"", "", "acs:oss:*:*:*"},
		{"b", "", "acs:oss:*:*:b"},
		{"b", "a/b", "acs:oss:*:*:b/a/b"},
		{"b", "a:b", "acs:oss:*:*:b/a:b"},
	} {
		r := OSSResource(tt.bucket, tt.key)
		if r.String() != tt.want {
			t.Errorf("OSSResource(%q, %q) is %q, want %q", tt.bucket, tt.key, r, tt.want)
		}
		if got, err := ParseResource(tt.want); got != r || err != nil {
			t.Errorf("%q reads as %+v, %v", tt.want, got, err)
		}
	}
	for _, text := range []string{"", "b/k", "acs:oss:*:*", "acs:oss:*:*:", "acs::*:*:b", "arn:oss:*:*:b"} {
		if got, err := ParseResource(text); err == nil {
			t.Errorf("%q reads as %+v", text, got)
		}
	}
}

func TestRootKey(t *testing.T) {
	root := RootKey{AccessKeyID: "AK", Secret: "hush", OwnerID: "1000"}
	tests := []struct {
		name      string
		keys      RootKey
		id, token string
		want      error
	}{
		{"root", root, "AK", "", nil},
		{"another", root, "ak", "", ErrUnknownKey},
		{"none", root, "", "", ErrUnknownKey},
		{"token", root, "AK", "t", ErrInvalidToken},
		{"no root key", RootKey{}, "", "", ErrUnknownKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, err := tt.keys.Lookup(context.Background(), tt.id, tt.token)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil && !reflect.DeepEqual(key, Key{}) {
				t.Errorf("a key came with the error: %v", key)
			}
			want := Identity{Kind: Owner, ID: "1000", AccessKeyID: "AK"}
			if err == nil && (key.Secret != "hush" || !reflect.DeepEqual(key.Identity, want)) {
				t.Errorf("got %v %+v", key, key.Identity)
			}
		})
	}
}

// Neither kind of key shows its secret, however it is printed.
func TestKeysHideSecrets(t *testing.T) {
	root := RootKey{AccessKeyID: "AK", Secret: "hush"}
	key, err := root.Lookup(context.Background(), "AK", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		fmt.Sprint(root), fmt.Sprintf("%+v %#v", root, root), root.LogValue().String(),
		fmt.Sprint(key), fmt.Sprintf("%+v %#v", key, key), key.LogValue().String(),
	} {
		if strings.Contains(s, "hush") || !strings.Contains(s, "AK") {
			t.Errorf("printed as %q", s)
		}
	}
}
