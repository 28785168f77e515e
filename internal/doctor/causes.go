package doctor

// Cause is a wrong set-up that is recognised. The texts are for machines: they
// stay.
type Cause string

// The causes, by the check that finds most of them.
const (
	EndpointMissing   Cause = "endpoint-missing"
	EndpointOddText   Cause = "endpoint-odd-text"
	EndpointMalformed Cause = "endpoint-malformed"
	EndpointPath      Cause = "endpoint-path"
	EndpointBucket    Cause = "endpoint-bucket"

	DNSUnknownHost Cause = "dns-unknown-host"
	DNSFailure     Cause = "dns-failure"

	ConnectRefused Cause = "connect-refused"
	ConnectTimeout Cause = "connect-timeout"
	Unreachable    Cause = "unreachable"
	SomeAddresses  Cause = "some-addresses"

	TLSOnPlainPort        Cause = "tls-on-plain-port"
	TLSFailure            Cause = "tls-failure"
	TLSOld                Cause = "tls-old"
	CertificateExpired    Cause = "certificate-expired"
	CertificateFuture     Cause = "certificate-future"
	CertificateSoon       Cause = "certificate-expires-soon"
	CertificateName       Cause = "certificate-name"
	CertificateSelfSigned Cause = "certificate-self-signed"
	CertificateUnknown    Cause = "certificate-unknown"

	HTTPOnTLSPort     Cause = "http-on-tls-port"
	HTTPTimeout       Cause = "http-timeout"
	HTTPCut           Cause = "http-cut"
	ServerUnavailable Cause = "server-unavailable"
	S3Server          Cause = "s3-server"
	AdminListener     Cause = "admin-listener"
	NotOSS            Cause = "not-oss"
	CaptivePortal     Cause = "captive-portal"
	Redirect          Cause = "redirect"
	Refused           Cause = "refused"

	ClockUnknown Cause = "clock-unknown"
	ClockBehind  Cause = "clock-behind"
	ClockAhead   Cause = "clock-ahead"
	ClockDrifts  Cause = "clock-drifts"
	ClockRefused Cause = "clock-refused"

	CredentialsMissing    Cause = "credentials-missing"
	CredentialsIncomplete Cause = "credentials-incomplete"
	CredentialsSame       Cause = "credentials-same"
	CredentialsSwapped    Cause = "credentials-swapped"
	KeyIDOddText          Cause = "key-id-odd-text"
	SecretOddText         Cause = "secret-odd-text"
	TokenOddText          Cause = "token-odd-text"
	TokenMissing          Cause = "token-missing"
	TokenSuperfluous      Cause = "token-superfluous"

	KeyUnknown       Cause = "key-unknown"
	KeyDisabled      Cause = "key-disabled"
	SecretWrong      Cause = "secret-wrong"
	RequestChanged   Cause = "request-changed"
	SignatureRefused Cause = "signature-refused"
	TokenExpired     Cause = "token-expired"
	TokenInvalid     Cause = "token-invalid"
	TokenMismatch    Cause = "token-mismatch"

	RegionMissing   Cause = "region-missing"
	RegionPrefix    Cause = "region-prefix"
	RegionMalformed Cause = "region-malformed"
	RegionEndpoint  Cause = "region-endpoint"
	RegionWrong     Cause = "region-wrong"

	PathStyleRefused        Cause = "path-style-refused"
	VirtualHostAddress      Cause = "virtual-host-address"
	VirtualHostUnresolvable Cause = "virtual-host-unresolvable"
	VirtualHostUnreachable  Cause = "virtual-host-unreachable"
	VirtualHostCertificate  Cause = "virtual-host-certificate"
	VirtualHostUnknown      Cause = "virtual-host-unknown"

	BucketMissing   Cause = "bucket-missing"
	BucketElsewhere Cause = "bucket-elsewhere"
	BucketForeign   Cause = "bucket-foreign"
	BucketUntold    Cause = "bucket-untold"

	PermissionList      Cause = "permission-list"
	PermissionGet       Cause = "permission-get"
	PermissionPut       Cause = "permission-put"
	PermissionMultipart Cause = "permission-multipart"
	PermissionParts     Cause = "permission-parts"
	PermissionAbort     Cause = "permission-abort"
	ObjectMissing       Cause = "object-missing"
	ObjectArchived      Cause = "object-archived"
	ChecksumIgnored     Cause = "checksum-ignored"
	LeftBehind          Cause = "left-behind"

	ProxyMalformed   Cause = "proxy-malformed"
	ProxyPassword    Cause = "proxy-password"
	ProxyRefused     Cause = "proxy-refused"
	ProxyGateway     Cause = "proxy-gateway"
	ProxyUsed        Cause = "proxy-used"
	ProxyInFront     Cause = "proxy-in-front"
	HostRewritten    Cause = "host-rewritten"
	HeadersRewritten Cause = "headers-rewritten"
	PathRewritten    Cause = "path-rewritten"
	BodyEncoded      Cause = "body-encoded"
	BodyBuffered     Cause = "body-buffered"

	BodyTooLarge       Cause = "body-too-large"
	TooManyConnections Cause = "too-many-connections"
)

// Advice is what to do about each cause.
var Advice = map[Cause]string{
	EndpointMissing:   "Set OSS_ENDPOINT, or give --endpoint, such as http://127.0.0.1:9000 or https://oss-cn-hangzhou.aliyuncs.com.",
	EndpointOddText:   "Set it again without that character; look at the file or script that it was read from.",
	EndpointMalformed: "Give scheme, host and, if need be, port: https://HOST:PORT. Bucket and key are no part of it.",
	EndpointPath:      "Leave out what comes after host and port; the bucket is an argument: oss://BUCKET. A server below a path cannot be used.",
	EndpointBucket:    "Leave out the bucket; it is an argument: oss://BUCKET. If the host is a domain of the bucket's own, give --addressing cname.",

	DNSUnknownHost: "Look for a typing error. If the name is right, it is not known to the name servers here: an internal endpoint (-internal) is only known inside the cloud, and one behind a VPN only within it.",
	DNSFailure:     "The name servers of this machine do not work: look at its network and at /etc/resolv.conf. Another name, such as example.com, will fail as well.",

	ConnectRefused: "Is the server running, and is the port right? ossa serve says on which it listens; 127.0.0.1 is only this machine.",
	ConnectTimeout: "A firewall or a security group drops packets, or the address is not in use. Ask for the port to be opened, or look for the proxy that must be used.",
	Unreachable:    "Look at the network of this machine: is there a route to that address, and is it up?",
	SomeAddresses:  "Clients try the addresses in turn and lose time. Take the dead one out of DNS, or bring it back; for IPv6 look whether this machine has it.",

	TLSOnPlainPort:        "Write http:// in front of the endpoint, or give the port that has TLS (ossa serve --tls-cert).",
	TLSFailure:            "Look whether the port is that of an HTTPS server, and whether a firewall breaks TLS. A server may also want a client certificate, which ossa has not.",
	TLSOld:                "Bring the server, or the load balancer before it, to TLS 1.2 or later: clients refuse what is older.",
	CertificateExpired:    "Renew the certificate of the server (an Ossa server reads it anew after SIGHUP). If it has not ended, set the clock of this machine.",
	CertificateFuture:     "Set the clock of this machine; if it is right, the certificate of the server was made with a wrong one.",
	CertificateSoon:       "Renew the certificate of the server before that. An Ossa server reads it anew after SIGHUP.",
	CertificateName:       "Use a name that is in the certificate as endpoint, or have the certificate issued for this one.",
	CertificateSelfSigned: "Name a PEM file with it by --ca-file or OSSA_CA_FILE, or add it to those that this machine trusts.",
	CertificateUnknown:    "Name a PEM file with the certificate of the issuer by --ca-file or OSSA_CA_FILE, or add it to those that this machine trusts. The server may also leave out a certificate in between; and a company's proxy that opens TLS shows its own.",

	HTTPOnTLSPort:     "Write https:// in front of the endpoint.",
	HTTPTimeout:       "The server hangs, or something else listens on this port. Look at the server's log, and at the port.",
	HTTPCut:           "Look whether the port is that of an OSS server. If it is, its log says why it closed the connection; if it has TLS, write https://.",
	ServerUnavailable: "The server is starting, shutting down, overloaded or out of disk: wait and try again; its log, and /readyz of an Ossa server's admin listener, tell more.",
	S3Server:          "This client speaks OSS. Give an OSS endpoint, or use a client for S3.",
	AdminListener:     "Give the endpoint of the API: ossa serve prints it as \"ready on\"; the admin listener is for ossa admin, metrics and probes.",
	NotOSS:            "Give the endpoint of an OSS server. If there is a proxy before it, look whether it passes this host and path on.",
	CaptivePortal:     "The network here wants you to sign in or sends you elsewhere: open any http:// page in a browser. If there is no such network, the endpoint is that of a web site.",
	Redirect:          "Give the address that it redirects to as endpoint: clients do not follow, as a signature is for one host.",
	Refused:           "Look for the code in the documentation of OSS, page \"Error codes\", and tell the request ID to those who run the server.",

	ClockUnknown: "A proxy may have dropped the header Date. Look at the clock of this machine by other means: a client cannot correct it.",
	ClockBehind:  "Set the clock of this machine, and let it be kept (NTP). ossa corrects it by the server's time; other clients are refused.",
	ClockAhead:   "Set the clock of this machine, and let it be kept (NTP). ossa corrects it by the server's time; other clients are refused. Presigned URLs of this machine are good for too long.",
	ClockDrifts:  "Let the clock of this machine be kept (NTP), before requests are refused at 15 minutes.",
	ClockRefused: "Set the clock of this machine, or that of the server: see what it says.",

	CredentialsMissing:    "Set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or name a profile with --profile; --anonymous goes without. For root of an Ossa server: . ./ossa-data/root-credentials",
	CredentialsIncomplete: "Set both, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET. A variable has to be exported.",
	CredentialsSame:       "One of the two was copied twice: set the secret again.",
	CredentialsSwapped:    "Exchange the two. They were not sent. If another client has sent them, the secret has been seen as an ID: make a new access key.",
	KeyIDOddText:          "Set the ID again without that character: it often comes from a copied table or a file that ends in a line end (use $(cat FILE), and no quotes in .env files).",
	SecretOddText:         "Set the secret again without that character: it often comes from a copied table or a file that ends in a line end (use $(cat FILE), and no quotes in .env files).",
	TokenOddText:          "Set the token again, on one line and without that character.",
	TokenMissing:          "Set OSS_SESSION_TOKEN, or give --sts-token: ID, secret and token of a session belong together.",
	TokenSuperfluous:      "Unset OSS_SESSION_TOKEN: it is a rest of another session, and makes servers refuse the key.",

	KeyUnknown:       "Look whether the ID is that of this server and account, and was not deleted: ossa admin key ls USER lists those of an Ossa server.",
	KeyDisabled:      "Enable it, or use another one: ossa admin key enable, or the RAM console.",
	SecretWrong:      "Set the secret again: it is not that of this access key ID. It is shown only once; if it is lost, make a new access key.",
	RequestChanged:   "The first difference below tells what: look for a proxy that changes it, or for the wrong addressing. The secret may be right.",
	SignatureRefused: "Use the other version: --sign-version v4 or v1.",
	TokenExpired:     "Begin another session (ossa admin sts assume), and set all three: ID, secret and token.",
	TokenInvalid:     "Set ID, secret and token of one session of this server; for a long-term key unset OSS_SESSION_TOKEN.",
	TokenMismatch:    "Set ID, secret and token of one session: they belong together.",

	RegionMissing:   "Set OSS_REGION, or give --region, such as cn-hangzhou; ossa serve prints that of an Ossa server.",
	RegionPrefix:    "Leave out the oss- in OSS_REGION or --region.",
	RegionMalformed: "Set the region again, such as cn-hangzhou.",
	RegionEndpoint:  "Set the region of the endpoint, or the endpoint of the region.",
	RegionWrong:     "Set OSS_REGION, or --region, to the region of the server; ossa serve prints that of an Ossa server.",

	PathStyleRefused:        "Give --addressing virtual.",
	VirtualHostAddress:      "Give --addressing path, or a name as endpoint.",
	VirtualHostUnresolvable: "Give --addressing path; or add *.ENDPOINT to DNS, and start an Ossa server with --domain ENDPOINT.",
	VirtualHostUnreachable:  "Give --addressing path, or look where *.ENDPOINT leads to in DNS.",
	VirtualHostCertificate:  "Give --addressing path, or have the certificate issued for *.ENDPOINT as well.",
	VirtualHostUnknown:      "Give --addressing path, or start the Ossa server with --domain ENDPOINT. A proxy must pass Host on as it is.",

	BucketMissing:   "Look for a typing error: ossa ls lists the buckets; ossa mb oss://BUCKET makes one.",
	BucketElsewhere: "Give that endpoint, and its region.",
	BucketForeign:   "Bucket names are shared by all accounts: choose another name, or ask its owner for a bucket policy. Or the access key is one of another account than you think.",
	BucketUntold:    "Nothing, if the checks below are ok. To see more, the access key needs oss:GetBucketInfo.",

	PermissionList:      "Allow oss:ListObjects on the bucket to the user, if it is needed: ossa admin policy attach; ossa admin policy simulate tells which policy decides.",
	PermissionGet:       "Allow oss:GetObject on the objects (BUCKET/*) to the user, if it is needed; a policy on BUCKET alone does not cover them.",
	PermissionPut:       "Allow oss:PutObject on the objects (BUCKET/*) to the user, if it is needed; a policy that is read-only has no such action.",
	PermissionMultipart: "Allow oss:PutObject on the objects (BUCKET/*) to the user: all steps of an upload need it.",
	PermissionParts:     "Allow oss:ListParts on the objects (BUCKET/*) to the user: uploads are resumed by it.",
	PermissionAbort:     "Allow oss:AbortMultipartUpload on the objects (BUCKET/*) to the user. No upload was tried, as it would have stayed.",
	ObjectMissing:       "Look for a typing error: ossa ls lists the objects.",
	ObjectArchived:      "Restore the object before it is read.",
	ChecksumIgnored:     "Do not rely on the server to find damaged uploads: tell those who run it.",
	LeftBehind:          "Remove it by hand: ossa rm, or ossa uploads abort.",

	ProxyMalformed:   "Correct HTTP_PROXY or HTTPS_PROXY, such as http://proxy:3128, or unset it.",
	ProxyPassword:    "Put user and password into HTTP_PROXY or HTTPS_PROXY, or the endpoint's host into NO_PROXY.",
	ProxyRefused:     "Ask for the host and port to be allowed at the proxy, or put the host into NO_PROXY.",
	ProxyGateway:     "Tell those who run the proxy: is the server behind it running, and is its address there right? If you mean no proxy, look at HTTP_PROXY and HTTPS_PROXY.",
	ProxyUsed:        "Nothing, if that is meant. Otherwise put the endpoint's host into NO_PROXY.",
	ProxyInFront:     "Nothing, if that is meant. It has to pass on Host, path, x-oss- headers and bodies as they are.",
	HostRewritten:    "Let the proxy pass Host on as it came (nginx: proxy_set_header Host $http_host): buckets in the host, and signatures with it, need that.",
	HeadersRewritten: "The first difference tells which header. Let the proxy pass x-oss- headers on as they come.",
	PathRewritten:    "Let the proxy pass the path on as it came, without decoding or cleaning it (nginx: proxy_pass without a path; merge_slashes off).",
	BodyEncoded:      "Switch compression off at the proxy for this server: sizes and checksums are those of what is stored.",
	BodyBuffered:     "Let the proxy pass bodies on as they come (nginx: proxy_request_buffering off): collected ones need its disk and time, and clients give up waiting. Some servers ask for bodies early by themselves.",

	BodyTooLarge:       "Raise the limit at the proxy (nginx: client_max_body_size 0). Until then parts have to be smaller: --part-size.",
	TooManyConnections: "Use fewer at the same time (--parallel, --jobs), or raise the limits: those of an Ossa server are --max-connections and --max-connections-per-address, a proxy has its own.",
}
