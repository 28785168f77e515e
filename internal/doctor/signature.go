package doctor

import (
	"context"
	"net/http"
	"strings"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

// knock is a signed request that every endpoint has an answer to. Whether that is
// yes or no does not matter: the signature is looked at first.
func (e *examination) knock(s scheme) question {
	q := question{method: http.MethodGet, scheme: s, region: e.region, style: e.style, query: []sign.Param{{Name: "max-keys", Value: "1"}}}
	if e.Addressing == oss.CNAME {
		q.bucket = e.Bucket // the endpoint is the bucket
	}
	return q
}

func (e *examination) checkV4(ctx context.Context) finding {
	switch {
	case e.Anonymous:
		return skip("nothing is signed")
	case e.region == "":
		return skip("there is no region to sign for")
	}
	a := e.ask(ctx, e.knock(signV4))
	if refusesRegion(a) {
		e.regionRefused = true
		e.findRegion(ctx)
		if e.serverRegion == "" || e.serverRegion == e.region {
			return skip("the server refuses the region before it looks at the signature: see region")
		}
		e.region = e.serverRegion
		a = e.ask(ctx, e.knock(signV4))
	}
	f := e.judgeSignature(a, oss.SignatureV4)
	e.v4 = f.mark == OK
	return f
}

func (e *examination) checkV1(ctx context.Context) finding {
	if e.Anonymous {
		return skip("nothing is signed")
	}
	f := e.judgeSignature(e.ask(ctx, e.knock(signV1)), oss.SignatureV1)
	e.v1 = f.mark == OK
	return f
}

// judgeSignature reads off an answer whether the server took the signature. One
// that the client does not use is no failure.
func (e *examination) judgeSignature(a *answer, version oss.Signature) finding {
	f := e.readSignature(a)
	if f.mark == Fail && version != e.Signature && f.cause == SignatureRefused {
		f.mark = Warn
	}
	return f
}

func (e *examination) readSignature(a *answer) finding {
	if a.err != nil {
		return fail(HTTPCut, "no answer: %s", a.text())
	}
	if !a.ours() {
		return e.stranger(a)
	}
	id := maskedID(e.Credentials.AccessKeyID)
	message := ""
	if a.refusal != nil {
		message = strings.ToLower(a.refusal.Message)
	}
	switch code := a.code(); {
	case a.status >= 500:
		return fail(ServerUnavailable, "the server answers %s", a.text())
	case code == "SignatureDoesNotMatch":
		return mismatch(a)
	case code == "InvalidAccessKeyId" && strings.Contains(message, "disabled"):
		return fail(KeyDisabled, "the access key %s is disabled", id)
	case code == "InvalidAccessKeyId" && strings.HasPrefix(e.Credentials.AccessKeyID, "STS."):
		return fail(KeyUnknown, "the server does not know the temporary access key %s: its session is over, or another server's", id)
	case code == "InvalidAccessKeyId":
		return fail(KeyUnknown, "the server does not know the access key ID %s", id)
	case code == "SecurityTokenExpired" || code == "InvalidSecurityToken" && strings.Contains(message, "expire"):
		return fail(TokenExpired, "the session that the security token stands for is over")
	case code == "InvalidSecurityToken":
		return fail(TokenInvalid, "the server did not issue the security token")
	case code == "AccessKeyIdAndSecurityTokenNotMatch":
		return fail(TokenMismatch, "the security token belongs to another access key than %s", id)
	case code == "RequestTimeTooSkewed":
		return fail(ClockRefused, "the server refuses the time of the request, %s, and says that it is %s",
			plain(a.refusal.Element("RequestTime")), plain(a.refusal.Element("ServerTime")))
	case code == "InvalidArgument" && (strings.Contains(message, "authorization") || strings.Contains(message, "signature")), code == "NotImplemented":
		return fail(SignatureRefused, "the server does not take signatures of this version: %s", a.text())
	}
	if a.status < 300 {
		return ok("taken")
	}
	return ok("taken; what was asked for was refused, which does not matter here: %s", plain(a.code()))
}

// mismatch explains a signature that the server calculates to be another one.
func mismatch(a *answer) finding {
	d, same, told := compareSigned(a)
	switch {
	case !told:
		return fail(SecretWrong, "the server calculates another signature, and does not say of what")
	case same:
		return fail(SecretWrong, "the server signed the same text and got another signature: the secrets differ")
	}
	f := fail(RequestChanged, "the server signed another text: the request was changed on the way, or is understood in another way")
	f.detail = d.lines()
	return f
}

// refusesRegion recognises the answer to a signature for another region.
func refusesRegion(a *answer) bool {
	return a.refusal != nil && (a.code() == "InvalidArgument" || a.code() == "AuthorizationHeaderMalformed" || a.code() == "SignatureDoesNotMatch") &&
		strings.Contains(strings.ToLower(a.refusal.Message), "region")
}

// findRegion asks by V1, which knows no regions, in which one the server is.
func (e *examination) findRegion(ctx context.Context) {
	if e.Bucket != "" {
		a := e.ask(ctx, question{method: http.MethodGet, bucket: e.Bucket, style: e.style, scheme: signV1, query: []sign.Param{{Name: "location"}}})
		var location wire.LocationConstraint
		if a.err == nil && a.status == http.StatusOK && wire.Unmarshal(a.body, &location) == nil {
			e.serverRegion = strings.TrimPrefix(location.Location, "oss-")
		}
	}
	if e.serverRegion == "" {
		a := e.ask(ctx, e.knock(signV1))
		var list wire.ListBucketsResult
		if a.err == nil && a.status == http.StatusOK && wire.Unmarshal(a.body, &list) == nil && len(list.Buckets.Buckets) > 0 {
			e.serverRegion = list.Buckets.Buckets[0].Region
		}
	}
	if strings.Trim(e.serverRegion, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		e.serverRegion = "" // not a region, whatever it is
	}
}

// checkRegion tells what is wrong with the region; it was found out before.
func (e *examination) checkRegion(context.Context) finding {
	switch {
	case e.regionText.mark == Fail && e.Signature == oss.SignatureV1:
		f := e.regionText
		f.mark = Warn // V1 has no region
		return f
	case e.regionText.mark == Fail:
		return e.regionText
	case e.regionRefused && e.serverRegion != "":
		return fail(RegionWrong, "%s is not that of the server, %s", e.regionName(), e.serverRegion)
	case e.regionRefused:
		return fail(RegionWrong, "the server refuses signatures for %s, and does not tell where it is", e.regionName())
	case e.v4:
		return ok("%s, and the server takes signatures for it", e.region)
	}
	return ok("%s; whether that is the server's was not found out", e.region)
}
