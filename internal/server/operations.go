package server

import (
	"context"
	"slices"
	"strings"
)

// level is what a request is addressed to.
type level int

const (
	onService level = iota // no bucket
	onBucket               // a bucket and no key
	onKeys                 // a bucket; the handler authorizes every key that the body names
	onObject               // a bucket and a key
)

func (l level) String() string {
	switch l {
	case onService:
		return "Service"
	case onObject:
		return "Object"
	}
	return "Bucket"
}

// operation is one row of the API. Everything that the server knows about an
// operation as such is read from here: routing, the action that must be
// allowed, the label in metrics and logs, and docs/operations.md.
type operation struct {
	name   string
	method string
	level  level

	// selector is what a request must have to be this operation and no other of
	// its method and level, joined with "&": query parameters by name, or by name
	// and value; a header by its name with ":" behind. The first parameter
	// selects, those behind it go with it and may be missing.
	selector string

	// action is what the sender must be allowed to do, "" where nobody is asked:
	// a preflight is never signed, and a form carries its own signature.
	action string

	// handler is nil for what is not implemented.
	handler func(*Server, context.Context, *request) error
}

// operations is the API of OSS, as the documentation page "API operations by
// function" has it.
var operations = []operation{
	// name, method, level, selector, action, handler

	{"ListBuckets", "GET", onService, "", "oss:ListBuckets", (*Server).listBuckets},
	{"DescribeRegions", "GET", onService, "regions", "oss:DescribeRegions", nil},
	{"ListCloudBoxes", "GET", onService, "cloudboxes", "oss:ListCloudBoxes", nil},
	{"ListAccessPoints", "GET", onService, "accessPoint", "oss:ListAccessPoints", nil},
	{"ListResourcePools", "GET", onService, "resourcePool", "oss:ListResourcePools", nil},
	{"GetResourcePoolInfo", "GET", onService, "resourcePoolInfo", "oss:GetResourcePoolInfo", nil},
	{"ListResourcePoolBuckets", "GET", onService, "resourcePoolBuckets", "oss:ListResourcePoolBuckets", nil},
	{"ListUserDataRedundancyTransition", "GET", onService, "redundancyTransition", "oss:ListUserDataRedundancyTransition", nil},
	{"PutPublicAccessBlock", "PUT", onService, "publicAccessBlock", "oss:PutPublicAccessBlock", nil},
	{"GetPublicAccessBlock", "GET", onService, "publicAccessBlock", "oss:GetPublicAccessBlock", nil},
	{"DeletePublicAccessBlock", "DELETE", onService, "publicAccessBlock", "oss:DeletePublicAccessBlock", nil},

	{"PutBucket", "PUT", onBucket, "", "oss:PutBucket", (*Server).putBucket},
	{"DeleteBucket", "DELETE", onBucket, "", "oss:DeleteBucket", (*Server).deleteBucket},
	{"HeadBucket", "HEAD", onBucket, "", "oss:GetBucketInfo", (*Server).headBucket},
	{"GetBucketInfo", "GET", onBucket, "bucketInfo", "oss:GetBucketInfo", (*Server).getBucketInfo},
	{"GetBucketLocation", "GET", onBucket, "location", "oss:GetBucketLocation", (*Server).getBucketLocation},
	{"GetBucketStat", "GET", onBucket, "stat", "oss:GetBucketStat", (*Server).getBucketStat},
	{"PutBucketAcl", "PUT", onBucket, "acl", "oss:PutBucketAcl", (*Server).putBucketAcl},
	{"GetBucketAcl", "GET", onBucket, "acl", "oss:GetBucketAcl", (*Server).getBucketAcl},

	{"ListObjects", "GET", onBucket, "", "oss:ListObjects", (*Server).listObjects},
	{"ListObjectsV2", "GET", onBucket, "list-type=2", "oss:ListObjects", (*Server).listObjectsV2},
	{"ListObjectVersions", "GET", onBucket, "versions", "oss:ListObjectVersions", (*Server).listObjectVersions},
	{"ListMultipartUploads", "GET", onBucket, "uploads", "oss:ListMultipartUploads", (*Server).listMultipartUploads},
	{"ListLiveChannel", "GET", onBucket, "live", "oss:ListLiveChannel", (*Server).listLiveChannel},
	{"DeleteMultipleObjects", "POST", onKeys, "delete", "oss:DeleteObject", (*Server).deleteMultipleObjects},
	{"PostObject", "POST", onBucket, "", "", nil},

	{"PutBucketVersioning", "PUT", onBucket, "versioning", "oss:PutBucketVersioning", nil},
	{"GetBucketVersioning", "GET", onBucket, "versioning", "oss:GetBucketVersioning", nil},
	{"PutBucketLifecycle", "PUT", onBucket, "lifecycle", "oss:PutBucketLifecycle", (*Server).putBucketLifecycle},
	{"GetBucketLifecycle", "GET", onBucket, "lifecycle", "oss:GetBucketLifecycle", (*Server).getBucketLifecycle},
	{"DeleteBucketLifecycle", "DELETE", onBucket, "lifecycle", "oss:DeleteBucketLifecycle", (*Server).deleteBucketLifecycle},
	{"PutBucketCors", "PUT", onBucket, "cors", "oss:PutBucketCors", (*Server).putBucketCors},
	{"GetBucketCors", "GET", onBucket, "cors", "oss:GetBucketCors", (*Server).getBucketCors},
	{"DeleteBucketCors", "DELETE", onBucket, "cors", "oss:DeleteBucketCors", (*Server).deleteBucketCors},
	{"PutBucketPolicy", "PUT", onBucket, "policy", "oss:PutBucketPolicy", (*Server).putBucketPolicy},
	{"GetBucketPolicy", "GET", onBucket, "policy", "oss:GetBucketPolicy", (*Server).getBucketPolicy},
	{"DeleteBucketPolicy", "DELETE", onBucket, "policy", "oss:DeleteBucketPolicy", (*Server).deleteBucketPolicy},
	{"GetBucketPolicyStatus", "GET", onBucket, "policyStatus", "oss:GetBucketPolicyStatus", (*Server).getBucketPolicyStatus},
	{"PutBucketPublicAccessBlock", "PUT", onBucket, "publicAccessBlock", "oss:PutBucketPublicAccessBlock", nil},
	{"GetBucketPublicAccessBlock", "GET", onBucket, "publicAccessBlock", "oss:GetBucketPublicAccessBlock", nil},
	{"DeleteBucketPublicAccessBlock", "DELETE", onBucket, "publicAccessBlock", "oss:DeleteBucketPublicAccessBlock", nil},
	{"PutBucketEncryption", "PUT", onBucket, "encryption", "oss:PutBucketEncryption", (*Server).putBucketEncryption},
	{"GetBucketEncryption", "GET", onBucket, "encryption", "oss:GetBucketEncryption", (*Server).getBucketEncryption},
	{"DeleteBucketEncryption", "DELETE", onBucket, "encryption", "oss:DeleteBucketEncryption", (*Server).deleteBucketEncryption},
	{"PutBucketTagging", "PUT", onBucket, "tagging", "oss:PutBucketTagging", (*Server).putBucketTagging},
	{"GetBucketTagging", "GET", onBucket, "tagging", "oss:GetBucketTagging", (*Server).getBucketTagging},
	{"DeleteBucketTagging", "DELETE", onBucket, "tagging", "oss:DeleteBucketTagging", (*Server).deleteBucketTagging},
	{"PutBucketReferer", "PUT", onBucket, "referer", "oss:PutBucketReferer", (*Server).putBucketReferer},
	{"GetBucketReferer", "GET", onBucket, "referer", "oss:GetBucketReferer", (*Server).getBucketReferer},
	{"PutBucketLogging", "PUT", onBucket, "logging", "oss:PutBucketLogging", nil},
	{"GetBucketLogging", "GET", onBucket, "logging", "oss:GetBucketLogging", nil},
	{"DeleteBucketLogging", "DELETE", onBucket, "logging", "oss:DeleteBucketLogging", nil},
	{"PutUserDefinedLogFieldsConfig", "PUT", onBucket, "userDefinedLogFieldsConfig", "oss:PutBucketLogging", nil},
	{"GetUserDefinedLogFieldsConfig", "GET", onBucket, "userDefinedLogFieldsConfig", "oss:GetBucketLogging", nil},
	{"DeleteUserDefinedLogFieldsConfig", "DELETE", onBucket, "userDefinedLogFieldsConfig", "oss:DeleteBucketLogging", nil},
	{"PutBucketWebsite", "PUT", onBucket, "website", "oss:PutBucketWebsite", nil},
	{"GetBucketWebsite", "GET", onBucket, "website", "oss:GetBucketWebsite", nil},
	{"DeleteBucketWebsite", "DELETE", onBucket, "website", "oss:DeleteBucketWebsite", nil},
	{"PutBucketRequestPayment", "PUT", onBucket, "requestPayment", "oss:PutBucketRequestPayment", nil},
	{"GetBucketRequestPayment", "GET", onBucket, "requestPayment", "oss:GetBucketRequestPayment", nil},
	{"PutBucketInventory", "PUT", onBucket, "inventory&inventoryId", "oss:PutBucketInventory", nil},
	{"GetBucketInventory", "GET", onBucket, "inventory&inventoryId", "oss:GetBucketInventory", nil},
	{"ListBucketInventory", "GET", onBucket, "inventory", "oss:GetBucketInventory", nil},
	{"DeleteBucketInventory", "DELETE", onBucket, "inventory&inventoryId", "oss:DeleteBucketInventory", nil},
	{"PutBucketReplication", "POST", onBucket, "replication&comp=add", "oss:PutBucketReplication", nil},
	{"DeleteBucketReplication", "POST", onBucket, "replication&comp=delete", "oss:DeleteBucketReplication", nil},
	{"GetBucketReplication", "GET", onBucket, "replication", "oss:GetBucketReplication", nil},
	{"GetBucketReplicationLocation", "GET", onBucket, "replicationLocation", "oss:GetBucketReplicationLocation", nil},
	{"GetBucketReplicationProgress", "GET", onBucket, "replicationProgress", "oss:GetBucketReplicationProgress", nil},
	{"PutBucketRTC", "PUT", onBucket, "rtc", "oss:PutBucketRTC", nil},
	{"InitiateBucketWorm", "POST", onBucket, "worm", "oss:InitiateBucketWorm", nil},
	{"AbortBucketWorm", "DELETE", onBucket, "worm", "oss:AbortBucketWorm", nil},
	{"GetBucketWorm", "GET", onBucket, "worm", "oss:GetBucketWorm", nil},
	{"CompleteBucketWorm", "POST", onBucket, "wormId", "oss:CompleteBucketWorm", nil},
	{"ExtendBucketWorm", "POST", onBucket, "wormExtend&wormId", "oss:ExtendBucketWorm", nil},
	{"PutCname", "POST", onBucket, "cname&comp=add", "oss:PutCname", (*Server).putCname},
	{"DeleteCname", "POST", onBucket, "cname&comp=delete", "oss:DeleteCname", (*Server).deleteCname},
	{"CreateCnameToken", "POST", onBucket, "cname&comp=token", "oss:CreateCnameToken", nil},
	{"GetCnameToken", "GET", onBucket, "cname&comp=token", "oss:GetCnameToken", nil},
	{"ListCname", "GET", onBucket, "cname", "oss:ListCname", (*Server).listCname},
	{"PutBucketAccessMonitor", "PUT", onBucket, "accessmonitor", "oss:PutBucketAccessMonitor", nil},
	{"GetBucketAccessMonitor", "GET", onBucket, "accessmonitor", "oss:GetBucketAccessMonitor", nil},
	{"PutBucketResourceGroup", "PUT", onBucket, "resourceGroup", "oss:PutBucketResourceGroup", nil},
	{"GetBucketResourceGroup", "GET", onBucket, "resourceGroup", "oss:GetBucketResourceGroup", nil},
	{"PutBucketTransferAcceleration", "PUT", onBucket, "transferAcceleration", "oss:PutBucketTransferAcceleration", nil},
	{"GetBucketTransferAcceleration", "GET", onBucket, "transferAcceleration", "oss:GetBucketTransferAcceleration", nil},
	{"PutStyle", "PUT", onBucket, "style&styleName", "oss:PutStyle", nil},
	{"GetStyle", "GET", onBucket, "style&styleName", "oss:GetStyle", nil},
	{"ListStyle", "GET", onBucket, "style", "oss:ListStyle", nil},
	{"DeleteStyle", "DELETE", onBucket, "style&styleName", "oss:DeleteStyle", nil},
	{"OpenMetaQuery", "POST", onBucket, "metaQuery&comp=add", "oss:OpenMetaQuery", nil},
	{"DoMetaQuery", "POST", onBucket, "metaQuery&comp=query", "oss:DoMetaQuery", nil},
	{"CloseMetaQuery", "POST", onBucket, "metaQuery&comp=delete", "oss:CloseMetaQuery", nil},
	{"GetMetaQueryStatus", "GET", onBucket, "metaQuery", "oss:GetMetaQueryStatus", nil},
	{"CreateBucketDataRedundancyTransition", "POST", onBucket, "redundancyTransition", "oss:CreateBucketDataRedundancyTransition", nil},
	{"GetBucketDataRedundancyTransition", "GET", onBucket, "redundancyTransition&x-oss-redundancy-transition-taskid", "oss:GetBucketDataRedundancyTransition", nil},
	{"ListBucketDataRedundancyTransition", "GET", onBucket, "redundancyTransition", "oss:ListBucketDataRedundancyTransition", nil},
	{"DeleteBucketDataRedundancyTransition", "DELETE", onBucket, "redundancyTransition", "oss:DeleteBucketDataRedundancyTransition", nil},
	{"PutBucketHttpsConfig", "PUT", onBucket, "httpsConfig", "oss:PutBucketHttpsConfig", nil},
	{"GetBucketHttpsConfig", "GET", onBucket, "httpsConfig", "oss:GetBucketHttpsConfig", nil},
	{"PutBucketArchiveDirectRead", "PUT", onBucket, "bucketArchiveDirectRead", "oss:PutBucketArchiveDirectRead", nil},
	{"GetBucketArchiveDirectRead", "GET", onBucket, "bucketArchiveDirectRead", "oss:GetBucketArchiveDirectRead", nil},
	{"PutBucketStorageCapacity", "PUT", onBucket, "qos", "oss:PutBucketStorageCapacity", nil},
	{"GetBucketStorageCapacity", "GET", onBucket, "qos", "oss:GetBucketStorageCapacity", nil},
	{"PutBucketQosInfo", "PUT", onBucket, "qosInfo", "oss:PutBucketQosInfo", nil},
	{"GetBucketQosInfo", "GET", onBucket, "qosInfo", "oss:GetBucketQosInfo", nil},
	{"DeleteBucketQosInfo", "DELETE", onBucket, "qosInfo", "oss:DeleteBucketQosInfo", nil},
	{"PutBucketRequesterQosInfo", "PUT", onBucket, "requesterQosInfo", "oss:PutBucketRequesterQosInfo", nil},
	{"GetBucketRequesterQosInfo", "GET", onBucket, "requesterQosInfo", "oss:GetBucketRequesterQosInfo", nil},
	{"DeleteBucketRequesterQosInfo", "DELETE", onBucket, "requesterQosInfo", "oss:DeleteBucketRequesterQosInfo", nil},
	{"PutBucketResponseHeader", "PUT", onBucket, "responseHeader", "oss:PutBucketResponseHeader", nil},
	{"GetBucketResponseHeader", "GET", onBucket, "responseHeader", "oss:GetBucketResponseHeader", nil},
	{"DeleteBucketResponseHeader", "DELETE", onBucket, "responseHeader", "oss:DeleteBucketResponseHeader", nil},
	{"CreateAccessPoint", "PUT", onBucket, "accessPoint", "oss:CreateAccessPoint", nil},
	{"GetAccessPoint", "GET", onBucket, "accessPoint&x-oss-access-point-name:", "oss:GetAccessPoint", nil},
	{"ListBucketAccessPoints", "GET", onBucket, "accessPoint", "oss:ListAccessPoints", nil},
	{"DeleteAccessPoint", "DELETE", onBucket, "accessPoint", "oss:DeleteAccessPoint", nil},
	{"PutAccessPointPolicy", "PUT", onBucket, "accessPointPolicy", "oss:PutAccessPointPolicy", nil},
	{"GetAccessPointPolicy", "GET", onBucket, "accessPointPolicy", "oss:GetAccessPointPolicy", nil},
	{"DeleteAccessPointPolicy", "DELETE", onBucket, "accessPointPolicy", "oss:DeleteAccessPointPolicy", nil},
	{"PutAsyncFetchTask", "POST", onBucket, "asyncFetch", "oss:PutAsyncFetchTask", nil},
	{"GetAsyncFetchTask", "GET", onBucket, "asyncFetch", "oss:GetAsyncFetchTask", nil},

	{"PutObject", "PUT", onObject, "", "oss:PutObject", (*Server).putObject},
	{"CopyObject", "PUT", onObject, "x-oss-copy-source:", "oss:PutObject", (*Server).copyObject},
	{"GetObject", "GET", onObject, "", "oss:GetObject", (*Server).getObject},
	{"HeadObject", "HEAD", onObject, "", "oss:GetObject", (*Server).headObject},
	{"GetObjectMeta", "HEAD", onObject, "objectMeta", "oss:GetObject", (*Server).getObjectMeta},
	{"GetObjectMeta", "GET", onObject, "objectMeta", "oss:GetObject", (*Server).getObjectMeta},
	{"DeleteObject", "DELETE", onObject, "", "oss:DeleteObject", (*Server).deleteObject},
	{"PutObjectAcl", "PUT", onObject, "acl", "oss:PutObjectAcl", (*Server).putObjectAcl},
	{"GetObjectAcl", "GET", onObject, "acl", "oss:GetObjectAcl", (*Server).getObjectAcl},
	{"PutObjectTagging", "PUT", onObject, "tagging", "oss:PutObjectTagging", (*Server).putObjectTagging},
	{"GetObjectTagging", "GET", onObject, "tagging", "oss:GetObjectTagging", (*Server).getObjectTagging},
	{"DeleteObjectTagging", "DELETE", onObject, "tagging", "oss:DeleteObjectTagging", (*Server).deleteObjectTagging},

	{"InitiateMultipartUpload", "POST", onObject, "uploads", "oss:PutObject", (*Server).initiateMultipartUpload},
	{"UploadPart", "PUT", onObject, "uploadId&partNumber", "oss:PutObject", (*Server).uploadPart},
	{"UploadPartCopy", "PUT", onObject, "uploadId&partNumber&x-oss-copy-source:", "oss:PutObject", (*Server).uploadPartCopy},
	{"CompleteMultipartUpload", "POST", onObject, "uploadId", "oss:PutObject", (*Server).completeMultipartUpload},
	{"AbortMultipartUpload", "DELETE", onObject, "uploadId", "oss:AbortMultipartUpload", (*Server).abortMultipartUpload},
	{"ListParts", "GET", onObject, "uploadId", "oss:ListParts", (*Server).listParts},

	{"PostObjectGroup", "POST", onObject, "group", "oss:PutObject", nil},
	{"GetObjectGroupIndex", "GET", onObject, "group", "oss:GetObject", nil},
	{"CreateObjectLink", "PUT", onObject, "link", "oss:PutObject", nil},
	{"GetObjectLinkInfo", "GET", onObject, "link", "oss:GetObject", nil},
	{"AppendObject", "POST", onObject, "append&position", "oss:PutObject", nil},
	{"SealAppendObject", "POST", onObject, "seal&position", "oss:PutObject", nil},
	{"PutSymlink", "PUT", onObject, "symlink", "oss:PutObject", nil},
	{"GetSymlink", "GET", onObject, "symlink", "oss:GetObject", nil},
	{"RestoreObject", "POST", onObject, "restore", "oss:RestoreObject", (*Server).restoreObject},
	{"CleanRestoredObject", "POST", onObject, "cleanRestoredObject", "oss:CleanRestoredObject", nil},
	{"SelectObject", "POST", onObject, "x-oss-process=csv/select", "oss:GetObject", nil},
	{"SelectObject", "POST", onObject, "x-oss-process=json/select", "oss:GetObject", nil},
	{"CreateSelectObjectMeta", "POST", onObject, "x-oss-process=csv/meta", "oss:GetObject", nil},
	{"CreateSelectObjectMeta", "POST", onObject, "x-oss-process=json/meta", "oss:GetObject", nil},
	{"ProcessObject", "GET", onObject, "x-oss-process", "oss:GetObject", nil},
	{"ProcessObject", "POST", onObject, "x-oss-process", "oss:ProcessImm", nil},
	{"AsyncProcessObject", "POST", onObject, "x-oss-async-process", "oss:ProcessImm", nil},
	{"PutLiveChannel", "PUT", onObject, "live", "oss:PutLiveChannel", nil},
	{"PutLiveChannelStatus", "PUT", onObject, "live&status", "oss:PutLiveChannelStatus", nil},
	{"GetLiveChannelInfo", "GET", onObject, "live", "oss:GetLiveChannel", nil},
	{"GetLiveChannelStat", "GET", onObject, "live&comp=stat", "oss:GetLiveChannelStat", nil},
	{"GetLiveChannelHistory", "GET", onObject, "live&comp=history", "oss:GetLiveChannelHistory", nil},
	{"DeleteLiveChannel", "DELETE", onObject, "live", "oss:DeleteLiveChannel", nil},
	{"PostVodPlaylist", "POST", onObject, "vod", "oss:PostVodPlaylist", nil},
	{"GetVodPlaylist", "GET", onObject, "vod", "oss:GetVodPlaylist", nil},

	{"OptionObject", "OPTIONS", onService, "", "", (*Server).optionObject},
	{"OptionObject", "OPTIONS", onBucket, "", "", (*Server).optionObject},
	{"OptionObject", "OPTIONS", onObject, "", "", (*Server).optionObject},
}

// unrouted stands for requests that are none of the operations, in logs and
// metrics.
var unrouted = &operation{name: "Unknown"}

// OperationInfo is one row of the API for documentation.
type OperationInfo struct {
	Name        string
	Method      string
	Level       string // Service, Bucket or Object
	Selector    string // query parameters and, with ":" behind, headers; "" for none
	Action      string // "" where nobody is asked
	Implemented bool
}

// Operations lists the API of OSS in the order of the table: what is
// implemented and what is answered with NotImplemented.
func Operations() []OperationInfo {
	infos := make([]OperationInfo, 0, len(operations))
	for _, op := range operations {
		infos = append(infos, OperationInfo{
			Name: op.name, Method: op.method, Level: op.level.String(), Selector: op.selector,
			Action: op.action, Implemented: op.handler != nil,
		})
	}
	return infos
}

// routes is the table in the form that selects quickly.
var routes = newRoutes(operations)

type routeTable struct {
	byLevel [onObject + 1]levelRoutes
}

type levelRoutes struct {
	routes    []route
	selectors []condition // parameters that select at this level, each once
}

// route is an operation and what selects it.
type route struct {
	op   *operation
	need []condition // those among the level's selectors: exactly these must be there
	with []condition // what goes with them
}

// condition is a query parameter, with any value or a certain one, or a header.
type condition struct {
	name, value        string
	hasValue, isHeader bool
}

func parseCondition(text string) condition {
	if name, ok := strings.CutSuffix(text, ":"); ok {
		return condition{name: name, isHeader: true}
	}
	name, value, hasValue := strings.Cut(text, "=")
	return condition{name: name, value: value, hasValue: hasValue}
}

// place is where requests of a level are looked up.
func (l level) place() level {
	if l == onKeys {
		return onBucket
	}
	return l
}

func newRoutes(table []operation) *routeTable {
	t := &routeTable{}
	parse := func(op *operation) (conditions []condition) {
		for text := range strings.SplitSeq(op.selector, "&") {
			if text != "" {
				conditions = append(conditions, parseCondition(text))
			}
		}
		return conditions
	}
	for i := range table {
		l := &t.byLevel[table[i].level.place()]
		if c := parse(&table[i]); len(c) > 0 && !c[0].isHeader && !slices.Contains(l.selectors, c[0]) {
			l.selectors = append(l.selectors, c[0])
		}
	}
	for i := range table {
		l := &t.byLevel[table[i].level.place()]
		r := route{op: &table[i]}
		for _, c := range parse(&table[i]) {
			if slices.Contains(l.selectors, c) {
				r.need = append(r.need, c)
			} else {
				r.with = append(r.with, c)
			}
		}
		l.routes = append(l.routes, r)
	}
	return t
}

// find returns the operation of a request, or the error that says why it is
// none: MethodNotAllowed, or InvalidArgument for sub-resources that exclude
// each other.
func (t *routeTable) find(method string, l level, has func(condition) bool) (*operation, error) {
	if method == "OPTIONS" {
		return t.byLevel[l].only("OPTIONS"), nil
	}
	rows := &t.byLevel[l]
	var present []condition
	for _, c := range rows.selectors {
		if has(c) {
			present = append(present, c)
		}
	}
	present = dropGeneral(present)

	var best *operation
	var allow []string
	bestScore := 0
	for _, r := range rows.routes {
		if !r.selectedBy(present) {
			continue
		}
		if !slices.Contains(allow, r.op.method) {
			allow = append(allow, r.op.method)
		}
		score, ok := r.score(has)
		if ok && r.op.method == method && (best == nil || score > bestScore) {
			best, bestScore = r.op, score
		}
	}
	switch {
	case best != nil:
		return best, nil
	case len(allow) == 0:
		return nil, conflictingSubresources(present)
	}
	return nil, methodNotAllowed(method, l, allow)
}

// only returns the one operation of a method that takes no selector.
func (l *levelRoutes) only(method string) *operation {
	for _, r := range l.routes {
		if r.op.method == method {
			return r.op
		}
	}
	return unrouted
}

// dropGeneral leaves "name" out where "name=value" is there as well: the
// same parameter, looked at more closely.
func dropGeneral(present []condition) []condition {
	if len(present) < 2 {
		return present
	}
	var kept []condition
	for _, c := range present {
		special := func(d condition) bool { return d.hasValue && d.name == c.name }
		if c.hasValue || !slices.ContainsFunc(present, special) {
			kept = append(kept, c)
		}
	}
	return kept
}

func (r *route) selectedBy(present []condition) bool {
	if len(r.need) != len(present) {
		return false
	}
	for _, c := range r.need {
		if !slices.Contains(present, c) {
			return false
		}
	}
	return true
}

// score says how well a request fits what goes with the selector. A header
// must be there; a parameter may be missing, which its operation complains about.
func (r *route) score(has func(condition) bool) (score int, ok bool) {
	for _, c := range r.with {
		switch {
		case has(c):
			score++
		case c.isHeader:
			return 0, false
		default:
			score--
		}
	}
	return score, true
}
