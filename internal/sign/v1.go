package sign

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseV1Header reads "OSS <access key ID>:<signature>".
func parseV1Header(f fields, authorization, rest string) (*Claim, *Error) {
	id, signature, found := strings.Cut(strings.Trim(rest, " "), ":")
	if !found || strings.ContainsAny(signature, ": ") || strings.Contains(id, " ") {
		return nil, badAuthorization("Authorization header is invalid.", "", authorization)
	}
	if id == "" || signature == "" {
		return nil, badAuthorization("AccessKeyId or Signature is missing in Authorization header value.", "", authorization)
	}
	text, t, err := parseDate(f)
	if err != nil {
		return nil, err
	}
	return &Claim{
		Scheme:        V1Header,
		AccessKeyID:   id,
		SecurityToken: f["x-oss-security-token"],
		Signature:     signature,
		Time:          t,
		dateTime:      text,
	}, nil
}

// maxUnix is the end of the year 9999, beyond which a time has no usual text.
// V1 URLs may name any distant time; all later ones mean this one.
const maxUnix = 253402300799

func parseV1Query(r *Request) (*Claim, *Error) {
	id, _ := r.Param("OSSAccessKeyId")
	expires, _ := r.Param("Expires")
	signature, _ := r.Param("Signature")
	if id == "" || expires == "" || signature == "" {
		return nil, accessDenied("Query string authentication requires the Signature, Expires and OSSAccessKeyId parameters")
	}
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return nil, accessDenied("Invalid date (should be seconds since epoch).")
	}
	token, _ := r.Param("security-token")
	return &Claim{
		Scheme:        V1Query,
		AccessKeyID:   id,
		SecurityToken: token,
		// A "+" that was not escaped has been decoded to a blank; base64 has none.
		Signature: strings.ReplaceAll(signature, " ", "+"),
		Expires:   time.Unix(min(max(seconds, 0), maxUnix), 0).UTC(),
		dateTime:  expires,
	}, nil
}

// stringToSignV1 follows the OSS documentation, "Include signatures in the
// Authorization header". date is the date's text, or the text of Expires in URLs.
func stringToSignV1(r *Request, date string) string {
	f := r.fields()
	var b strings.Builder
	for _, s := range []string{r.Method, f["content-md5"], f["content-type"], date} {
		b.WriteString(s)
		b.WriteByte('\n')
	}
	for _, name := range sortedKeys(f) {
		if strings.HasPrefix(name, "x-oss-") {
			b.WriteString(name + ":" + f[name] + "\n")
		}
	}
	b.WriteString(r.resource())
	params := r.uniqueQuery(isSubresource)
	slices.SortFunc(params, func(a, b Param) int { return cmp.Compare(a.Name, b.Name) })
	separator := byte('?')
	for _, p := range params {
		b.WriteByte(separator)
		separator = '&'
		b.WriteString(p.Name)
		if p.Value != "" {
			b.WriteString("=" + p.Value)
		}
	}
	return b.String()
}

func signatureV1(secret, stringToSign string) string {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(stringToSign))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// isSubresource tells whether V1 signs a query parameter.
func isSubresource(name string) bool {
	return strings.HasPrefix(name, "x-oss-") || subresources[name]
}

// subresources is the union of what the official SDKs sign in V1. Presence on
// the wire decides, not the value.
var subresources = func() map[string]bool {
	m := make(map[string]bool)
	for name := range strings.FieldsSeq(`
		accessPoint accessPointPolicy acl append asyncFetch bucketArchiveDirectRead bucketInfo callback
		callback-var cloudboxes cname comp continuation-token cors delete encryption endTime group httpsConfig
		img inventory inventoryId lifecycle link live location logging metaQuery objectInfo objectMeta
		partNumber policy policyStatus position publicAccessBlock qos qosInfo qosRequester redundancyTransition
		referer regionList replication replicationLocation replicationProgress requestPayment requesterQosInfo
		resourceGroup resourcePool resourcePoolBuckets resourcePoolInfo response-cache-control
		response-content-disposition response-content-encoding response-content-language response-content-type
		response-expires responseHeader restore rtc security-token sequential startTime stat status style
		styleName symlink tagging transferAcceleration udf udfApplication udfApplicationLog udfId udfImage
		udfImageDesc udfName uploadId uploads versionId versioning versions vod website withHashContext worm
		wormExtend wormId`) {
		m[name] = true
	}
	return m
}()
