// Package fileblob keeps extents in files of a local file system. It is the
// blob engine of a server with disks of its own.
//
// # Files
//
// An extent of Options.LargeBytes and more is a file of its own; shorter ones
// are appended to shared files, called segments. Everything lies in one
// directory, and every name in it is made from a number:
//
//	generation               the number of this opening
//	LOCK                     held while an engine is open
//	large/00 … large/ff/     one file per large extent, by the number's last byte
//	    <number>
//	small/
//	    <number>.seg         a segment
//	    <number>.dead        what was deleted from it
//
// A file number has 64 bits, written as 16 hex digits: 24 bits of generation,
// 40 bits that count. The generation grows durably with every opening before
// any file is made, so a number never names two files, even after everything
// was deleted; and no process ever writes to a file that another one made,
// sidecars excepted.
//
// # Bytes
//
// All numbers are little-endian. A large file:
//
//	+--------------+------------------+---------------+---------+-----------+
//	| header, 4096 | data, contiguous | CRC-32C table | padding | footer 64 |
//	+--------------+------------------+---------------+---------+-----------+
//
// The table holds a CRC-32C for each block (Options.BlockBytes) of the data;
// Extent.Sum is the CRC-32C of the table, so an extent's name vouches for all
// of its bytes. The footer is aligned to 64 bytes: it lies in one sector, and
// is there or not.
//
// A segment is a header of 4096 bytes and then records, each at a multiple
// of 8:
//
//	+------------+---------------+------+-------+---------+
//	| header, 40 | CRC-32C table | data | owner | padding |
//	+------------+---------------+------+-------+---------+
//
// The structs fileHeader, footer, recordHeader and deadRecord draw the rest;
// docs/format/data-files.md has it all in one place.
//
// # Rules
//
//   - Commit of a large extent: data and footer written, file synced, then the
//     directory synced, each directory sync serving all who wait for it.
//   - Commit of a small one: the record appended in one write behind all
//     others, then one sync for all who wait. Since records are written in
//     order, all that precedes a durable record is whole.
//   - A sync that fails is final for its file. Unless the disk was full, the
//     engine takes no more writes: what the disk holds is then not known.
//   - Files frozen by a full disk or a failed write are not appended to again.
//   - Reads check the numbers and places written beside the bytes, the table
//     against Extent.Sum, and each block against the table.
//   - Deletions are durable after FlushDeletes, which one sync a folder and a
//     segment serves. Extents shows again what a power cut took of them before,
//     and whatever was written and never named.
//   - Extents removes what can be told never to have been committed. What once
//     was, and is damaged, stays for repair, and is logged.
package fileblob
