package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/iam"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
)

// matrixRow is a request of one operation and the rights that it takes. What is
// zero follows from the operation table.
type matrixRow struct {
	operation string            // name and method
	rights    []string          // action, with "@" and the resource behind it if that is another than the request's
	query     string            // instead of the selector's
	header    map[string]string // beside the selector's
	body      string
	status    int // of the owner's request, if there is a handler; 0 for any that is no refusal
}

// nobodyAsked marks operations that need no right.
var nobodyAsked = []string{}

// simpleRows are operations with one right on what they are addressed to, as
// the documentation page "Policy syntax and elements" lists them: the operation,
// its method, and the action where it is not "oss:" and the operation.
const simpleRows = `
ListBuckets GET
DescribeRegions GET
ListCloudBoxes GET
ListAccessPoints GET
ListResourcePools GET
GetResourcePoolInfo GET
ListResourcePoolBuckets GET
ListUserDataRedundancyTransition GET
PutPublicAccessBlock PUT
GetPublicAccessBlock GET
DeletePublicAccessBlock DELETE

DeleteBucket DELETE
HeadBucket HEAD oss:GetBucketInfo
GetBucketInfo GET
GetBucketLocation GET
GetBucketStat GET
GetBucketAcl GET
ListObjects GET
ListObjectsV2 GET oss:ListObjects
ListObjectVersions GET
ListMultipartUploads GET
ListLiveChannel GET

PutBucketVersioning PUT
GetBucketVersioning GET
GetBucketLifecycle GET
DeleteBucketLifecycle DELETE
GetBucketCors GET
DeleteBucketCors DELETE
GetBucketPolicy GET
DeleteBucketPolicy DELETE
GetBucketPolicyStatus GET
PutBucketPublicAccessBlock PUT
GetBucketPublicAccessBlock GET
DeleteBucketPublicAccessBlock DELETE
GetBucketEncryption GET
DeleteBucketEncryption DELETE
GetBucketTagging GET
DeleteBucketTagging DELETE
GetBucketReferer GET
PutBucketLogging PUT
GetBucketLogging GET
DeleteBucketLogging DELETE
PutUserDefinedLogFieldsConfig PUT oss:PutBucketLogging
GetUserDefinedLogFieldsConfig GET oss:GetBucketLogging
DeleteUserDefinedLogFieldsConfig DELETE oss:DeleteBucketLogging
PutBucketWebsite PUT
GetBucketWebsite GET
DeleteBucketWebsite DELETE
PutBucketRequestPayment PUT
GetBucketRequestPayment GET
PutBucketInventory PUT
GetBucketInventory GET
ListBucketInventory GET oss:GetBucketInventory
DeleteBucketInventory DELETE
PutBucketReplication POST
DeleteBucketReplication POST
GetBucketReplication GET
GetBucketReplicationLocation GET
GetBucketReplicationProgress GET
PutBucketRTC PUT
InitiateBucketWorm POST
AbortBucketWorm DELETE
GetBucketWorm GET
CompleteBucketWorm POST
ExtendBucketWorm POST
PutCname POST
DeleteCname POST
CreateCnameToken POST
GetCnameToken GET
ListCname GET
PutBucketAccessMonitor PUT
GetBucketAccessMonitor GET
PutBucketResourceGroup PUT
GetBucketResourceGroup GET
PutBucketTransferAcceleration PUT
GetBucketTransferAcceleration GET
PutStyle PUT
GetStyle GET
ListStyle GET
DeleteStyle DELETE
OpenMetaQuery POST
DoMetaQuery POST
CloseMetaQuery POST
GetMetaQueryStatus GET
CreateBucketDataRedundancyTransition POST
GetBucketDataRedundancyTransition GET
ListBucketDataRedundancyTransition GET
DeleteBucketDataRedundancyTransition DELETE
PutBucketHttpsConfig PUT
GetBucketHttpsConfig GET
PutBucketArchiveDirectRead PUT
GetBucketArchiveDirectRead GET
PutBucketStorageCapacity PUT
GetBucketStorageCapacity GET
PutBucketQosInfo PUT
GetBucketQosInfo GET
DeleteBucketQosInfo DELETE
PutBucketRequesterQosInfo PUT
GetBucketRequesterQosInfo GET
DeleteBucketRequesterQosInfo DELETE
PutBucketResponseHeader PUT
GetBucketResponseHeader GET
DeleteBucketResponseHeader DELETE
CreateAccessPoint PUT
GetAccessPoint GET
ListBucketAccessPoints GET oss:ListAccessPoints
DeleteAccessPoint DELETE
PutAccessPointPolicy PUT
GetAccessPointPolicy GET
DeleteAccessPointPolicy DELETE
PutAsyncFetchTask POST
GetAsyncFetchTask GET

HeadObject HEAD oss:GetObject
GetObjectMeta HEAD oss:GetObject
GetObjectMeta GET oss:GetObject
DeleteObject DELETE
GetObjectAcl GET
GetObjectTagging GET
DeleteObjectTagging DELETE
UploadPart PUT oss:PutObject
AbortMultipartUpload DELETE
ListParts GET
PostObjectGroup POST oss:PutObject
GetObjectGroupIndex GET oss:GetObject
CreateObjectLink PUT oss:PutObject
GetObjectLinkInfo GET oss:GetObject
AppendObject POST oss:PutObject
SealAppendObject POST oss:PutObject
PutSymlink PUT oss:PutObject
GetSymlink GET oss:GetObject
RestoreObject POST
CleanRestoredObject POST
SelectObject POST oss:GetObject
CreateSelectObjectMeta POST oss:GetObject
ProcessObject GET oss:GetObject
ProcessObject POST oss:ProcessImm
AsyncProcessObject POST oss:ProcessImm
PutLiveChannel PUT
PutLiveChannelStatus PUT
GetLiveChannelInfo GET oss:GetLiveChannel
GetLiveChannelStat GET
GetLiveChannelHistory GET
DeleteLiveChannel DELETE
PostVodPlaylist POST
GetVodPlaylist GET
`

// matrixRows are the other requests: what takes several rights, or a body or a
// header to get as far as to its end.
var matrixRows = []matrixRow{
	{operation: "PostObject POST", rights: nobodyAsked},
	{operation: "OptionObject OPTIONS", rights: nobodyAsked},

	{operation: "PutBucket PUT", status: 200},
	{operation: "PutBucket PUT", rights: []string{"oss:PutBucket", "oss:PutBucketAcl"}, status: 200,
		header: map[string]string{"x-oss-acl": "public-read"}},
	{operation: "PutBucket PUT", rights: []string{"oss:PutBucket", "oss:PutBucketTagging", "oss:PutBucketEncryption"}, status: 200,
		header: map[string]string{"x-oss-bucket-tagging": "a=b", "x-oss-server-side-encryption": "AES256"}},
	{operation: "PutBucketAcl PUT", status: 200, header: map[string]string{"x-oss-acl": "public-read"}},
	{operation: "PutBucketPolicy PUT", status: 200, body: policyOf(strings.Replace(statement("Allow", "oss:GetObject", "bucket/*"), "{", `{"Principal":["*"],`, 1))},
	{operation: "PutBucketLifecycle PUT", status: 200,
		body: "<LifecycleConfiguration><Rule><ID>a</ID><Prefix>a</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"},
	{operation: "PutBucketCors PUT", status: 200,
		body: "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"},
	{operation: "PutBucketEncryption PUT", status: 200,
		body: "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"},
	{operation: "PutBucketTagging PUT", status: 200, body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},
	{operation: "PutBucketReferer PUT", status: 200, body: "<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer><RefererList/></RefererConfiguration>"},
	{operation: "DeleteMultipleObjects POST", status: 200,
		rights: []string{"oss:DeleteObject@bucket/key", "oss:DeleteObjectVersion@bucket/source"},
		body:   "<Delete><Object><Key>key</Key></Object><Object><Key>source</Key><VersionId>null</VersionId></Object></Delete>"},

	{operation: "PutObject PUT", status: 200, body: "x"},
	{operation: "PutObject PUT", rights: []string{"oss:PutObject", "oss:PutObjectTagging"}, status: 200, body: "x",
		header: map[string]string{"x-oss-tagging": "a=b", "x-oss-object-acl": "public-read"}},
	{operation: "GetObject GET", status: 200},
	{operation: "GetObject GET", rights: []string{"oss:GetObjectVersion"}, query: "versionId=null", status: 200},
	{operation: "DeleteObject DELETE", rights: []string{"oss:DeleteObjectVersion"}, query: "versionId=null", status: 204},
	{operation: "PutObjectAcl PUT", status: 200, header: map[string]string{"x-oss-object-acl": "private"}},
	{operation: "PutObjectAcl PUT", rights: []string{"oss:PutObjectVersionAcl"}, query: "acl&versionId=null", status: 200,
		header: map[string]string{"x-oss-object-acl": "private"}},
	{operation: "GetObjectTagging GET", rights: []string{"oss:GetObjectVersionTagging"}, query: "tagging&versionId=null", status: 200},
	{operation: "PutObjectTagging PUT", status: 200,
		body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},

	{operation: "CopyObject PUT", status: 200,
		rights: []string{"oss:PutObject", "oss:GetObject@bucket/source", "oss:GetObjectTagging@bucket/source", "oss:PutObjectTagging"},
		header: map[string]string{"x-oss-copy-source": "/bucket/source"}},
	{operation: "CopyObject PUT", status: 200, rights: []string{"oss:PutObject", "oss:GetObjectVersion@bucket/source"},
		header: map[string]string{"x-oss-copy-source": "/bucket/source?versionId=null", "x-oss-tagging-directive": "REPLACE"}},
	{operation: "UploadPartCopy PUT", status: 200, rights: []string{"oss:PutObject", "oss:GetObject@bucket/source"},
		header: map[string]string{"x-oss-copy-source": "/bucket/source"}},

	{operation: "InitiateMultipartUpload POST", rights: []string{"oss:PutObject"}, status: 200},
	{operation: "InitiateMultipartUpload POST", rights: []string{"oss:PutObject", "oss:PutObjectTagging"}, status: 200,
		header: map[string]string{"x-oss-tagging": "a=b"}},
	{operation: "CompleteMultipartUpload POST", rights: []string{"oss:PutObject"}, status: 200,
		header: map[string]string{"x-oss-complete-all": "yes"}},
}

// allMatrixRows are simpleRows and matrixRows.
func allMatrixRows() (rows []matrixRow) {
	for line := range strings.SplitSeq(strings.TrimSpace(simpleRows), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		action := "oss:" + fields[0]
		if len(fields) > 2 {
			action = fields[2]
		}
		rows = append(rows, matrixRow{operation: fields[0] + " " + fields[1], rights: []string{action}})
	}
	for _, row := range matrixRows {
		if row.rights == nil {
			name, _, _ := strings.Cut(row.operation, " ")
			row.rights = []string{"oss:" + name}
		}
		rows = append(rows, row)
	}
	return rows
}

// Everybody who may come with every request of every operation: what each row of
// the operation table takes, no more and no less. A row that this file does not
// have fails.
func TestAccessMatrix(t *testing.T) {
	byName := make(map[string][]matrixRow)
	for _, row := range allMatrixRows() {
		byName[row.operation] = append(byName[row.operation], row)
	}
	reached := make(map[string]bool)
	for i := range operations {
		op := &operations[i]
		name := op.name + " " + op.method
		reached[name] = true
		if byName[name] == nil {
			t.Errorf("no row says what %s %s?%s takes", name, op.level, op.selector)
		}
		for n, row := range byName[name] {
			t.Run(fmt.Sprintf("%s %s?%s %d", name, op.level, op.selector, n), func(t *testing.T) {
				testMatrixRow(t, op, row)
			})
		}
	}
	for name := range byName {
		if !reached[name] {
			t.Errorf("there is no operation %s", name)
		}
	}
}

// world is a fixture with users, in which there is something for every
// operation to be done to.
type world struct {
	*fixture
	keys  *iam.Keys
	ring  *kms.Local
	root  auth.RootKey
	users int
	id    string // of the open upload
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{root: auth.RootKey{AccessKeyID: testKeyID, Secret: testSecret}}
	ring, err := kms.Open(vfs.NewMem(), "keyring", kms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.ring = ring
	late := &lateKeys{}
	w.fixture = newHandler(t, func(c *config) {
		c.store.KeyRing, c.opts.Keys = ring, late
	})
	t.Cleanup(w.store.Close)
	w.keys = w.keysAt(epoch)
	late.Keys = w.keys
	for _, c := range []call{
		{method: "PUT", bucket: "bucket"},
		{method: "PUT", bucket: "bucket", key: "key", body: "hello", header: map[string]string{"x-oss-tagging": "k=v"}},
		{method: "PUT", bucket: "bucket", key: "source", body: "source", header: map[string]string{"x-oss-tagging": "k=v"}},
	} {
		if r := w.serve(c); r.status != 200 {
			t.Fatalf("%s %s: %d %s", c.method, c.path(), r.status, r.body)
		}
	}
	id, err := w.store.InitiateMultipartUpload(t.Context(), &store.InitiateMultipartUploadRequest{Bucket: "bucket", Key: "key"})
	if err != nil {
		t.Fatal(err)
	}
	w.id = string(id)
	_, err = w.store.UploadPart(t.Context(), &store.UploadPartRequest{
		Bucket: "bucket", Key: "key", UploadID: id, PartNumber: 1, Body: store.Body{Reader: strings.NewReader("part"), Size: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	// A policy that concerns nobody, so that there is one to read.
	nobodys := `{"Version":"1","Statement":[{"Principal":["1"],"Action":["oss:GetObject"],"Effect":"Allow","Resource":["acs:oss:*:*:bucket/none"]}]}`
	w.must(w.store.PutBucketConfig(t.Context(), "bucket", store.ConfigPolicy, []byte(nobodys)))
	return w
}

// lateKeys are the Keys of a server that is made before its store is there.
type lateKeys struct{ auth.Keys }

// keysAt are the keys as the clock at when sees them.
func (w *world) keysAt(when time.Time) *iam.Keys {
	return iam.New(w.store, iam.Options{Root: w.root, Ring: w.ring, Clock: func() time.Time { return when }})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// user makes a user with an access key whose policy has the statements; none
// for no policy.
func (w *world) user(statements ...string) (name string, cred sign.Credentials) {
	w.t.Helper()
	ctx := w.t.Context()
	w.users++
	name = fmt.Sprintf("user%d", w.users)
	_, err := w.store.CreateUser(ctx, name)
	w.must(err)
	if len(statements) > 0 {
		_, err = w.store.CreatePolicy(ctx, name, []byte(policyOf(statements...)))
		w.must(err)
		w.must(w.store.AttachPolicyToUser(ctx, name, name))
	}
	key, secret, err := w.store.CreateAccessKey(ctx, name)
	w.must(err)
	return name, sign.Credentials{AccessKeyID: key.ID, AccessKeySecret: secret}
}

// session begins a session of a user at a time.
func (w *world) session(user, policy string, when time.Time) sign.Credentials {
	w.t.Helper()
	id, err := w.keys.UserIdentity(w.t.Context(), user)
	w.must(err)
	c, err := w.keysAt(when).AssumeRole(w.t.Context(), id, []byte(policy), time.Hour)
	w.must(err)
	return sign.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
}

func policyOf(statements ...string) string {
	return `{"Version":"1","Statement":[` + strings.Join(statements, ",") + `]}`
}

func statement(effect, action, resource string) string {
	s, _ := json.Marshal(map[string]any{"Effect": effect, "Action": []string{action}, "Resource": []string{"acs:oss:*:*:" + resource}})
	return string(s)
}

// anythingBut allows all actions but one.
func anythingBut(action string) string {
	s, _ := json.Marshal(map[string]any{"Effect": "Allow", "NotAction": action, "Resource": "*"})
	return string(s)
}

const anything = `{"Effect":"Allow","Action":"*","Resource":"*"}`

// as signs with a key.
func as(cred sign.Credentials) func(*sign.Request) {
	return func(r *sign.Request) { sign.SignV4Header(r, cred, testRegion, epoch) }
}

// request is the request of a row.
func (w *world) request(op *operation, row matrixRow) call {
	c := call{method: op.method, header: maps.Clone(row.header), query: row.query, body: row.body}
	if c.header == nil {
		c.header = make(map[string]string)
	}
	if op.level != onService {
		c.bucket = "bucket"
	}
	if op.level == onObject {
		c.key = "key"
	}
	var query []string
	for text := range strings.SplitSeq(op.selector, "&") {
		switch name, isHeader := strings.CutSuffix(text, ":"); {
		case isHeader:
			if c.header[name] == "" {
				c.header[name] = "x"
			}
		case text == "uploadId":
			query = append(query, "uploadId="+w.id)
		case text == "partNumber":
			query = append(query, "partNumber=1")
		default:
			query = append(query, text)
		}
	}
	if c.query == "" {
		c.query = strings.Join(query, "&")
	}
	return c
}

// testMatrixRow sends one request as everybody.
func testMatrixRow(t *testing.T, op *operation, row matrixRow) {
	outcome := func(w *world, sign func(*sign.Request)) *result {
		c := w.request(op, row)
		c.anonymous, c.sign = sign == nil, sign
		return w.serve(c)
	}
	// What comes of it when nothing stands against it.
	w := newWorld(t)
	want := outcome(w, as(sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}))
	switch {
	case op.handler == nil && (want.status != http.StatusNotImplemented || want.code() != "NotImplemented"):
		t.Fatalf("not implemented, and the owner gets %d %s", want.status, want.body)
	case op.handler != nil && row.status != 0 && want.status != row.status,
		want.code() == "AccessDenied", want.status == http.StatusUnauthorized,
		want.status >= 500 && want.status != http.StatusNotImplemented:
		t.Fatalf("the owner gets %d %s", want.status, want.body)
	}
	same := func(who string, r *result) {
		t.Helper()
		if r.status != want.status || r.code() != want.code() {
			t.Errorf("%s: %d %s, and the owner gets %d %s\n%s", who, r.status, r.code(), want.status, want.code(), r.body)
		}
	}
	if len(row.rights) == 0 {
		same("anonymous", outcome(newWorld(t), nil))
		same("bad signature", outcome(newWorld(t), as(sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: "wrong"})))
		return
	}

	// With exactly the rights that it takes, wherever they come from.
	var grants, toGrants []string
	for _, right := range row.rights {
		action, resource := splitRight(op, right)
		grants = append(grants, statement("Allow", action, resource))
		toGrants = append(toGrants, strings.Replace(statement("Allow", action, resource), "{", `{"Principal":["*"],`, 1))
	}
	w = newWorld(t)
	_, cred := w.user(grants...)
	same("user with exactly the rights", outcome(w, as(cred)))
	w = newWorld(t)
	name, _ := w.user(anything)
	same("session with exactly the rights", outcome(w, as(w.session(name, policyOf(grants...), epoch))))
	if op.level != onService {
		w = newWorld(t)
		w.must(w.store.PutBucketConfig(t.Context(), "bucket", store.ConfigPolicy, []byte(policyOf(toGrants...))))
		_, cred := w.user()
		same("user that the bucket's policy allows it", outcome(w, as(cred)))
		if row.rights[0] == "oss:PutBucket" {
			refused(t, "anonymous that the bucket's policy allows to make it", outcome(w, nil), "AccessDenied", "")
		} else {
			w = newWorld(t)
			w.must(w.store.PutBucketConfig(t.Context(), "bucket", store.ConfigPolicy, []byte(policyOf(toGrants...))))
			same("anonymous that the bucket's policy allows it", outcome(w, nil))
		}
	}

	// Whoever is refused changes nothing: all in one world.
	w = newWorld(t)
	refused(t, "anonymous", outcome(w, nil), "AccessDenied", "")
	_, nobody := w.user()
	refused(t, "user without rights", outcome(w, as(nobody)), "AccessDenied", "ImplicitDeny")
	disabledName, disabled := w.user(anything)
	w.must(w.store.UpdateAccessKey(t.Context(), disabledName, disabled.AccessKeyID, false))
	refused(t, "disabled key", outcome(w, as(disabled)), "InvalidAccessKeyId", "")
	name, good := w.user(anything)
	bad := good
	bad.AccessKeySecret += "x"
	refused(t, "bad signature", outcome(w, as(bad)), "SignatureDoesNotMatch", "")
	refused(t, "expired session", outcome(w, as(w.session(name, "", epoch.Add(-time.Hour)))), "SecurityTokenExpired", "")
	for _, right := range row.rights {
		action, resource := splitRight(op, right)
		names := func(who string, r *result) {
			t.Helper()
			if op.method == "HEAD" {
				return // its error has no body in a recorder
			}
			if got := between(r.body, "<AuthAction>", "<"); got != action {
				t.Errorf("%s: denied %s, not %s\n%s", who, got, action, r.body)
			}
			if got := between(r.body, "<AuthResource>", "<"); got != "acs:oss:*:*:"+resource {
				t.Errorf("%s: denied on %s, not %s\n%s", who, got, resource, r.body)
			}
		}
		_, cred := w.user(anythingBut(action))
		r := outcome(w, as(cred))
		refused(t, "user with all but "+action, r, "AccessDenied", "ImplicitDeny")
		names("user with all but it", r)

		_, cred = w.user(statement("Allow", action, "other"), statement("Allow", action, "other/*"), anythingBut(action))
		refused(t, "user with "+action+" on something else", outcome(w, as(cred)), "AccessDenied", "ImplicitDeny")

		_, cred = w.user(anything, statement("Deny", action, resource))
		r = outcome(w, as(cred))
		refused(t, "user who is denied "+action, r, "AccessDenied", "ExplicitDeny")
		names("user who is denied it", r)

		r = outcome(w, as(w.session(name, policyOf(anythingBut(action)), epoch)))
		refused(t, "session without "+action, r, "AccessDenied", "ImplicitDeny")
		names("session without it", r)

		r = outcome(w, as(w.session(name, policyOf(anything, statement("Deny", action, resource)), epoch)))
		refused(t, "session that is denied "+action, r, "AccessDenied", "ExplicitDeny")
	}
	same("owner, after all that was refused", outcome(w, as(sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret})))
	if op.level == onService {
		return
	}

	// What the bucket's policy denies, on top of everything.
	for _, right := range row.rights {
		action, resource := splitRight(op, right)
		w := newWorld(t)
		deny := strings.Replace(statement("Deny", action, resource), "{", `{"Principal":["*"],`, 1)
		w.must(w.store.PutBucketConfig(t.Context(), "bucket", store.ConfigPolicy, []byte(policyOf(append(toGrants, deny)...))))
		_, cred := w.user(anything)
		refused(t, "user whom the bucket's policy denies "+action, outcome(w, as(cred)), "AccessDenied", "ExplicitDeny")
	}
}

// splitRight is the action of a right and the resource that it is needed on.
func splitRight(op *operation, right string) (action, resource string) {
	action, resource, other := strings.Cut(right, "@")
	switch {
	case other:
	case op.level == onService:
		resource = "*"
	case op.level == onObject:
		resource = "bucket/key"
	default:
		resource = "bucket"
	}
	return action, resource
}

// refused expects a 403 with that code and, where there is one, that kind of
// denial.
func refused(t *testing.T, who string, r *result, code, kind string) {
	t.Helper()
	if r.status != http.StatusForbidden || r.code() != code {
		t.Errorf("%s: %d %s, want 403 %s\n%s", who, r.status, r.code(), code, r.body)
	}
	if got := between(r.body, "<NoPermissionType>", "<"); kind != "" && r.body != "" && got != kind {
		t.Errorf("%s: %s, want %s\n%s", who, got, kind, r.body)
	}
}
