package changes

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"unicode/utf8"
)

// Limits of the document. Those of one value hold for each resource change,
// each check and all output changes, and for each string in what is skipped.
// They are far above what providers send (gRPC caps one message at 256 MiB,
// with both sides of every attribute in it) and bound the memory that hostile
// input takes.
const (
	maxValueBytes = 64 << 20 // JSON text of one value that is looked into
	maxValueNodes = 1 << 20  // objects, lists and scalars in it
	maxDepth      = 512      // objects and lists in one another
	maxMembers    = 1 << 20  // members of one object
)

// bufferSize is how much is read at once, in bytes.
const bufferSize = 64 << 10

var (
	errTooLarge       = fmt.Errorf("it is larger than %d MiB", maxValueBytes>>20)
	errTooManyNodes   = fmt.Errorf("it holds more than %d values", maxValueNodes)
	errTooDeep        = fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	errTooManyMembers = fmt.Errorf("an object in it has more than %d members", maxMembers)
	errDuplicateName  = errors.New("an object in it has two members of one name")
)

// scanner reads one JSON document value by value, in bounded memory. It accepts
// what I-JSON (RFC 7493) does, within the limits above: no duplicate names, no
// invalid UTF-8.
//
// It is our own because of the time that jsontext takes, two thirds of the
// whole: with it, reading was measured at 6.4 to 8.9 times the speed of
// terraform-json, where 6 is the least that is wanted. A fuzz test compares
// what the two accept.
type scanner struct {
	r       io.Reader
	readErr error  // what r ended with
	buf     []byte // read, and not done with
	base    int64  // bytes of the document before buf
	pos     int    // in buf
	keep    int    // in buf: what is before it is done with
	open    []frame
	names   []uint64 // hashes of the names in open objects
	seed    maphash.Seed
	tree    tree // the value last read by [scanner.read]
}

// frame is an object or list that is not at its end.
type frame struct {
	object  bool
	node    int32               // its place in the tree, where one is laid out
	names   int                 // in an object, where its names begin in scanner.names
	members int                 // in an object
	seen    map[uint64]struct{} // its names, in place of scanner.names, once there are many
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, seed: maphash.MakeSeed(), buf: make([]byte, 0, bufferSize)}
}

// more reads more of the document; io.EOF when there is none. It moves what is
// in the buffer: s.pos and s.keep go along.
func (s *scanner) more() error {
	if s.readErr != nil {
		return s.readErr
	}
	if s.keep > 0 {
		n := copy(s.buf, s.buf[s.keep:])
		s.buf = s.buf[:n]
		s.base += int64(s.keep)
		s.pos -= s.keep
		s.keep = 0
	}
	if len(s.buf) == cap(s.buf) {
		if len(s.buf) >= maxValueBytes {
			return errTooLarge
		}
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		s.readErr = err
		if n > 0 {
			return nil // an error waits until what came with it is read
		}
		if err != nil {
			return err
		}
	}
	s.readErr = io.ErrNoProgress
	return s.readErr
}

// peek skips whitespace and returns the byte after it; io.EOF at the end.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < len(s.buf); s.pos++ {
			if c := s.buf[s.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return c, nil
			}
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// next is peek where the document must not end.
func (s *scanner) next() (byte, error) {
	if s.pos < len(s.buf) && s.buf[s.pos] > ' ' {
		return s.buf[s.pos], nil
	}
	c, err := s.peek()
	if err != nil {
		return 0, s.cutOff(err)
	}
	return c, nil
}

// cutOff makes the end of the document an error that says so.
func (s *scanner) cutOff(err error) error {
	if err == io.EOF {
		return fmt.Errorf("it ends in the middle, after %d bytes: the program that printed it may have been stopped: %w", s.base+int64(len(s.buf)), io.ErrUnexpectedEOF)
	}
	return err
}

// invalid is the error of something else than JSON at the current position. It
// does not quote it: it may be part of a secret.
func (s *scanner) invalid(want string) error {
	return fmt.Errorf("invalid JSON at byte %d: expected %s", s.base+int64(s.pos), want)
}

// text reads a string and returns where it is in the buffer, quotes included.
func (s *scanner) text() (start, end int, escaped bool, err error) {
	start = s.pos
	ascii := true
	i := start + 1
	for {
		for i < len(s.buf) && plainByte[s.buf[i]] {
			i++
		}
		if i == len(s.buf) {
			if i, start, err = s.moreOf(i, start); err != nil {
				return 0, 0, false, err
			}
			continue
		}
		switch c := s.buf[i]; {
		case c == '"':
			s.pos = i + 1
			if !ascii && !utf8.Valid(s.buf[start:i]) {
				return 0, 0, false, s.invalid("UTF-8 in the string before it")
			}
			return start, s.pos, escaped, nil
		case c >= utf8.RuneSelf:
			ascii = false
			i++
		case c == '\\':
			escaped = true
			for len(s.buf)-i < maxEscape {
				if i, start, err = s.moreOf(i, start); err != nil {
					break // the end of the document is near; what there is may do
				}
			}
			n := escapeLength(s.buf[i:])
			if n == 0 {
				if err != nil {
					return 0, 0, false, err
				}
				s.pos = i
				return 0, 0, false, s.invalid("an escape sequence of JSON that stands for a character")
			}
			i += n
		default:
			s.pos = i
			return 0, 0, false, s.invalid("no control character in a string")
		}
	}
}

// moreOf is more for what began at start and has been read up to i.
func (s *scanner) moreOf(i, start int) (newI, newStart int, err error) {
	s.pos = i
	err = s.more()
	return s.pos, start - (i - s.pos), s.cutOff(err)
}

// plainByte tells the bytes of a string that need no second look.
var plainByte = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// maxEscape is the length of the longest escape sequence, a surrogate pair.
const maxEscape = len(`\ud83d\ude00`)

// escapeLength is the length of the escape sequence that b begins with, 0 if
// it is none or, as half of a surrogate pair, no character.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		switch r := hex4(b); {
		case r < 0 || r >= 0xdc00 && r < 0xe000:
			return 0
		case r < 0xd800 || r >= 0xe000:
			return 6
		}
		if low := hex4(b[6:]); low >= 0xdc00 && low < 0xe000 {
			return 12
		}
	}
	return 0
}

// hex4 is the number in the \uXXXX that b begins with, -1 if it is none.
func hex4(b []byte) int {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n := 0
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | int(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return n
}

// word reads what is made of letters, digits and signs: a number, true, false
// or null. It returns where that is in the buffer.
func (s *scanner) word() (start, end int, err error) {
	start = s.pos
	i := start
	for {
		for i < len(s.buf) && wordByte[s.buf[i]] {
			i++
		}
		if i < len(s.buf) {
			break
		}
		if i, start, err = s.moreOf(i, start); err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				return 0, 0, err
			}
			break
		}
	}
	s.pos = i
	switch b := s.buf[start:i]; string(b) {
	case "true", "false", "null":
		return start, i, nil
	default:
		if isNumber(b) {
			return start, i, nil
		}
		if err != nil {
			return 0, 0, err
		}
		s.pos = start
		return 0, 0, s.invalid("a value")
	}
}

// wordByte tells the bytes that words are made of.
var wordByte = func() (in [256]bool) {
	for _, c := range "0123456789+-.eEtrufalsn" {
		in[c] = true
	}
	return in
}()

// isNumber reports whether b is a number as RFC 8259, section 6, writes it.
func isNumber(b []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n > 0
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) > 0 && b[0] == '0' {
		b = b[1:]
	} else if !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(b) == 0
}
