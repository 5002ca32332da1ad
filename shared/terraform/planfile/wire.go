package planfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// wire streams a protocol buffer field by field. It holds one buffer in memory.
// https://protobuf.dev/programming-guides/encoding/
//
// What two readers could read differently is an error: a field that may be there only once
// and is there twice (some readers use the first one, some the last one), and a field with
// another encoding than it should have.
type wire struct {
	r  *bufio.Reader
	at int64 // bytes read
}

// The encodings of fields.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// field is one field of a message: a number, or the bytes up to end.
type field struct {
	number uint64
	kind   uint64
	value  uint64 // for wireVarint
	end    int64  // for wireBytes: where the bytes end in the file
}

// ReadByte makes wire an io.ByteReader.
func (w *wire) ReadByte() (byte, error) {
	b, err := w.r.ReadByte()
	if err == nil {
		w.at++
	}
	return b, err
}

// toEnd is the end of a message that is the whole file.
const toEnd = math.MaxInt64

// message calls each for all fields of the message that ends at end. It skips what each has
// not read of a field.
func (w *wire) message(end int64, each func(field) error) error {
	for w.at < end {
		tag, err := binary.ReadUvarint(w)
		if errors.Is(err, io.EOF) && end == toEnd {
			return nil
		}
		if err != nil {
			return unexpected(err)
		}
		f := field{number: tag >> 3, kind: tag & 7}
		switch f.kind {
		case wireVarint:
			f.value, err = binary.ReadUvarint(w)
		case wireFixed8:
			err = w.skip(8)
		case wireFixed4:
			err = w.skip(4)
		case wireBytes:
			var length uint64
			if length, err = binary.ReadUvarint(w); err == nil && length > maxPlanBytes {
				return errors.New("it is damaged: a field is longer than the file")
			}
			f.end = w.at + int64(length)
		default:
			return errors.New("it is damaged: a field has an unknown encoding")
		}
		if err != nil {
			return unexpected(err)
		}
		if f.end > end || w.at > end {
			return errors.New("it is damaged: a field is longer than what it is in")
		}
		if err := each(f); err != nil {
			return err
		}
		if f.kind == wireBytes {
			if err := w.skip(f.end - w.at); err != nil {
				return unexpected(err)
			}
		}
	}
	return nil
}

func (w *wire) skip(n int64) error {
	skipped, err := w.r.Discard(int(n))
	w.at += int64(skipped)
	return err
}

// bytes reads all of a field, of at most limit bytes.
func (w *wire) bytes(f field, limit int64) ([]byte, error) {
	length := f.end - w.at
	if length > limit {
		return nil, fmt.Errorf("it is damaged: a name or value of %d bytes", length)
	}
	b := make([]byte, length)
	n, err := io.ReadFull(w.r, b)
	w.at += int64(n)
	return b, unexpected(err)
}

// maxWireName is the limit for names and addresses, in bytes.
const maxWireName = 16 << 10

func (w *wire) string(f field) (string, error) {
	b, err := w.bytes(f, maxWireName)
	return string(b), err
}

// unexpected is an error in the middle of a message.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// single notes which fields of a message were there, of those that may be there once.
type single uint64

// add notes a field. It is an error if it was there before, or has another encoding.
func (s *single) add(f field, kind uint64) error {
	if f.kind != kind {
		return fmt.Errorf("it is damaged: field %d has another encoding", f.number)
	}
	if *s&(1<<f.number) != 0 {
		return fmt.Errorf("it is damaged: field %d is there twice", f.number)
	}
	*s |= 1 << f.number
	return nil
}
