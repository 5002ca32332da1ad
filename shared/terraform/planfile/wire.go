package planfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// wire reads a protocol buffer field by field, as it comes, in the memory of one buffer.
// https://protobuf.dev/programming-guides/encoding/
//
// What a reader may take in two ways is an error: a field that there can be one of and
// that is there twice (of which some readers take the first, and some the last), and a
// field of an encoding that it does not have.
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
	value  uint64 // of wireVarint
	end    int64  // of wireBytes: where they end in the file
}

// ReadByte makes wire an io.ByteReader.
func (w *wire) ReadByte() (byte, error) {
	b, err := w.r.ReadByte()
	if err == nil {
		w.at++
	}
	return b, err
}

// toEnd is where a message ends that is the whole file.
const toEnd = math.MaxInt64

// message calls each for the fields of the message that ends at end, and skips what each
// leaves unread of one.
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

// maxWireName bounds names and addresses, in bytes.
const maxWireName = 16 << 10

func (w *wire) string(f field) (string, error) {
	b, err := w.bytes(f, maxWireName)
	return string(b), err
}

// unexpected is an error in the midst of a message.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// single are the fields of a message that there can be one of, and that were there.
type single uint64

// add notes a field, which is of the given encoding.
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
