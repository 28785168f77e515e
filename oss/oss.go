// Package oss is a client of the OSS protocol: of Ossa, and of any other
// endpoint that speaks it.
//
// It has two floors. Below is one method of [Client] for each operation, with a
// struct for its request and one for its result; the names are those of the OSS
// documentation. A zero field means "not given". Above are what people want done
// with objects of any size over networks of any quality: [Client.Upload],
// [Client.DownloadFile], [Client.OpenObject], [Client.Copy], and iterators over
// every listing.
//
// What the package keeps true:
//
//   - Nothing is taken for sent or received that was not compared: by its CRC-64
//     from end to end, and by its length.
//   - A request is repeated only if that can do no harm. A body that cannot be
//     read again is never sent again.
//   - There is no limit on how long a transfer takes, only on how long nothing
//     moves ([WithStallTimeout]).
//   - A call returns after its goroutines have ended. Cancelling the context ends
//     it: nothing of the caller's (a file, a buffer) is read or written afterwards.
//     The one exception is a request body that is a plain io.Reader, blocked in Read:
//     nothing but its owner can wake it.
//   - Memory does not grow with the size of an object.
//   - No secret gets into a log, an error, or the text of a value.
//
// # Errors
//
// What a server answers is an [*Error], and errors.Is compares it with the
// sentinels of this package:
//
//	if errors.Is(err, oss.ErrNoSuchKey) { ... }
//
// Other failures wrap their cause, the context's included.
package oss

// Limits of the protocol, from the OSS documentation page "Limits". Sizes are
// bytes.
const (
	MinPartSize = 100 << 10 // of every part but the last
	MaxPartSize = 5 << 30
	MaxParts    = 10000   // in an upload, and the highest part number
	MaxPutSize  = 5 << 30 // of PutObject and CopyObject

	// MaxObjectSize is what MaxParts parts of MaxPartSize hold, "48.8 TB".
	MaxObjectSize = MaxParts * MaxPartSize
)
