package fileblob

import "github.com/ossastore/ossa/internal/blob"

// smallRun is a small extent gathering in memory. The data lies in the buffer
// behind room for the record's header and the longest table it may get, so
// that the record is written as one run of bytes without being moved.
type smallRun struct {
	engine *Engine
	buf    *[]byte
	start  int64 // of the data within buf
	length int64
	room   int64 // bytes let in
}

// newSmall begins a small extent of at most size bytes.
func (e *Engine) newSmall(size int64) (*smallRun, error) {
	start := recordHeaderBytes + tableBytes(size, e.opts.BlockBytes)
	room := start + size + maxOwnerBytes + recordAlign
	if err := e.admit(room); err != nil {
		return nil, err
	}
	return &smallRun{engine: e, buf: e.buffers.get(room), start: start, room: room}, nil
}

func (s *smallRun) data() []byte { return (*s.buf)[s.start : s.start+s.length] }

// write takes p over. The caller has made sure that it fits.
func (s *smallRun) write(p []byte) {
	s.length += int64(copy((*s.buf)[s.start+s.length:], p))
}

// commit appends the record to a shared data file and waits for its sync.
func (s *smallRun) commit(owner blob.Owner) (blob.Extent, error) {
	header, record, err := s.record(owner)
	if err != nil {
		return blob.Extent{}, err
	}
	seg, err := s.engine.appendRecord(&header, record)
	if err != nil {
		return blob.Extent{}, err
	}
	if err := s.engine.syncRecord(seg, &header); err != nil {
		return blob.Extent{}, err
	}
	return header.extent(), nil
}

// record lays the whole record out in the buffer, but for the file number and
// offset in its header, which appendRecord gives it.
func (s *smallRun) record(owner blob.Owner) (recordHeader, []byte, error) {
	block := s.engine.opts.BlockBytes
	table := tableBytes(s.length, block)
	sums := blockSums{block: block, table: (*s.buf)[s.start-table : s.start-table]}
	sums.add(s.data())
	sums.end()

	dataEnd := s.start + s.length
	end, err := appendOwner((*s.buf)[:dataEnd], owner)
	if err != nil {
		return recordHeader{}, nil, err
	}
	header := recordHeader{
		length:     s.length,
		sum:        crc32c(sums.table),
		ownerBytes: int64(len(end)) - dataEnd,
		ownerSum:   crc32c(end[dataEnd:]),
	}
	record := end[s.start-table-recordHeaderBytes:]
	for int64(len(record)) < header.bytes(block) {
		record = append(record, 0)
	}
	return header, record, nil
}

func (s *smallRun) free() {
	s.engine.buffers.put(s.buf)
	s.engine.release(s.room)
}
