package main

import (
	"strings"

	"github.com/ossastore/ossa/oss"
)

// What flags and arguments take that are one of a few words.
var (
	bucketACLs     = []oss.ACL{oss.ACLPrivate, oss.ACLPublicRead, oss.ACLPublicReadWrite}
	objectACLs     = []oss.ACL{oss.ACLDefault, oss.ACLPrivate, oss.ACLPublicRead, oss.ACLPublicReadWrite}
	storageClasses = []oss.StorageClass{oss.StorageStandard, oss.StorageIA, oss.StorageArchive, oss.StorageColdArchive, oss.StorageDeepColdArchive}
	redundancies   = []string{"LRS", "ZRS"}
	sseAlgorithms  = []string{"AES256", "KMS", "SM4"}
	restoreTiers   = []string{"Expedited", "Standard", "Bulk"}
	hashKinds      = []string{"crc64", "md5", "etag"}
)

// oneOf finds a value, in upper or lower case. "" stays "". flag is "" where it is
// an argument.
func oneOf[T ~string](flag, text string, values []T) (T, error) {
	if text == "" {
		return "", nil
	}
	for _, v := range values {
		if strings.EqualFold(text, string(v)) {
			return v, nil
		}
	}
	if flag != "" {
		flag += ": "
	}
	return "", usagef("%s%q is none of %s", flag, text, enumerated(values))
}

// enumerated is a list for people: a, b and c.
func enumerated[T ~string](words []T) string {
	var text strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			text.WriteString(" and ")
		case i > 0:
			text.WriteString(", ")
		}
		text.WriteString(string(w))
	}
	return text.String()
}

// texts are words as completion takes them.
func texts[T ~string](words []T) []string {
	var list []string
	for _, w := range words {
		list = append(list, string(w))
	}
	return list
}
