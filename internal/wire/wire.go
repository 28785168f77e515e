// Package wire is the OSS HTTP API as data: the names of headers and query
// parameters, the XML documents of requests and answers, the error document,
// and the parsers of header values. The server and the client SDK share it. It
// knows nothing of either: it does no I/O beyond reading a body it is handed,
// keeps no state, and imports nothing of this module.
//
// # Documents
//
// Every document is a plain struct with encoding/xml tags, named after its
// operation. [Marshal] and [Unmarshal] are this package's own reader and writer
// of such structs, because encoding/xml cannot carry every key that OSS allows:
// it writes U+FFFD for control characters and refuses to read references to
// them. What they keep true:
//
//   - no xmlns anywhere: oss2 and the Java SDK find nothing under a namespace;
//   - times are UTC with literally .000Z ([Time]), ETags stand in double
//     quotes on the wire and without them in Go ([ETag]);
//   - a field tagged oss:"url" holds the key as it is; it is percent-encoded
//     on the wire exactly if the document's EncodingType is "url". Callers set
//     EncodingType and never encode anything themselves;
//   - an element without ",omitempty" is always present, empty or not, because
//     at least one client fails without it.
//
// Documents that clients send are read by the Decode functions, which are
// strict where Unmarshal is lenient: they refuse DTDs, wrong roots, missing and
// repeated elements, and more entries than a limit. What they refuse is a
// [*DecodeError], which the server answers as MalformedXML.
//
// # Errors
//
// [*Error] is the answer to a failed request. Parsers in this package whose
// doc comment names an error code return an *Error made from the catalogue,
// without RequestID and HostID, which the server fills in.
package wire
