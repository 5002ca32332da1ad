package changes

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// readSize is how many bytes are read at once. jsontext alone would read 4 KiB, which takes many
// system calls on a pipe.
const readSize = 64 << 10

// maxMembers is how many members one object may have. jsontext remembers the
// names in every open object to refuse duplicates, also in what is skipped.
const maxMembers = 1 << 20

var (
	errTooLarge       = fmt.Errorf("it is larger than %d MiB", maxValueBytes>>20)
	errTooManyMembers = fmt.Errorf("an object has more than %d members", maxMembers)
)

// stream reads one JSON document value by value, in bounded memory. Like I-JSON (RFC 7493), it
// refuses duplicate names and invalid UTF-8, also in values that are skipped.
type stream struct {
	dec   *jsontext.Decoder
	guard *guard
	tree  tree // the value last read by [stream.read]
}

func newStream(r io.Reader) *stream {
	g := &guard{r: bufio.NewReaderSize(r, readSize)}
	g.dec = jsontext.NewDecoder(g)
	return &stream{dec: g.dec, guard: g}
}

// guard stops the decoder from holding more of the document than it should:
// jsontext has no such limit of its own (https://go.dev/issue/56733).
type guard struct {
	r    *bufio.Reader
	dec  *jsontext.Decoder
	read int64 // bytes handed to dec
	err  error // the error that stopped it, unless io.EOF
}

func (g *guard) Read(p []byte) (int, error) {
	if g.err == nil {
		g.err = g.exceeded()
	}
	if g.err != nil {
		return 0, g.err
	}
	if left := maxValueBytes + 1 - g.collecting(); int64(len(p)) > left {
		p = p[:left]
	}
	// Fill p: if a value is long and the reader gives a few bytes at a time, the decoder
	// might scan the whole value again for each of them.
	n, err := io.ReadFull(g.r, p)
	g.read += int64(n)
	if n > 0 && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return n, nil // the next call returns the error
	}
	if err != io.EOF {
		g.err = err
	}
	return n, err
}

// collecting is how many bytes of a token or value the decoder has whose end it has not seen
// yet.
func (g *guard) collecting() int64 { return g.read - g.dec.InputOffset() }

func (g *guard) exceeded() error {
	if g.collecting() > maxValueBytes {
		return errTooLarge
	}
	for depth := g.dec.StackDepth(); depth > 0; depth-- {
		// The length of an object counts names and values.
		if kind, length := g.dec.StackIndex(depth); kind == jsontext.KindBeginObject && length > 2*maxMembers {
			return errTooManyMembers
		}
	}
	return nil
}

func (s *stream) token() (jsontext.Token, error) {
	t, err := s.dec.ReadToken()
	return t, s.error(err)
}

// skip reads the next value and forgets it.
func (s *stream) skip() error { return s.error(s.dec.SkipValue()) }

// read reads the next value into s.tree, which is valid until the next call.
func (s *stream) read() error {
	raw, err := s.dec.ReadValue()
	if err != nil {
		s.tree.raw = nil
		return s.error(err)
	}
	return s.tree.parse(raw)
}

// object calls member for each member of the next value, which must be an
// object. member must read the member's value.
func (s *stream) object(member func(name string) error) error {
	if err := s.open('{', "an object"); err != nil {
		return err
	}
	for s.dec.PeekKind() != '}' {
		name, err := s.token()
		if err != nil {
			return err
		}
		if err := member(name.String()); err != nil {
			return err
		}
	}
	_, err := s.token()
	return err
}

// array calls element for each element of the next value, which must be a
// list. The element is in s.tree.
func (s *stream) array(element func() error) error {
	i := 0
	return s.elements(func() error {
		err := s.read()
		if err == nil {
			err = element()
		}
		if err != nil {
			return s.inElement(i, err)
		}
		i++
		return nil
	})
}

// elements calls element for each element of the next value, which must be a
// list. element must read the element.
func (s *stream) elements(element func() error) error {
	if err := s.open('[', "a list"); err != nil {
		return err
	}
	for s.dec.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := s.token()
	return err
}

// open reads the beginning of an object or list.
func (s *stream) open(kind jsontext.Kind, what string) error {
	if next := s.dec.PeekKind(); next != kind && next != jsontext.KindInvalid {
		return fmt.Errorf("it is not %s", what)
	}
	_, err := s.token()
	return err
}

// inElement says which element of a list an error is about.
func (s *stream) inElement(i int, err error) error {
	text := s.tree.raw
	if text == nil {
		text = s.dec.UnreadBuffer() // its beginning may be enough
	}
	if address := addressIn(text); address != "" {
		return fmt.Errorf("element %d (%s): %w", i, cutText(address, 200), err)
	}
	return fmt.Errorf("element %d: %w", i, err)
}

// addressIn is the address in text, a resource change or its beginning; empty if it has none.
func addressIn(text []byte) (address string) {
	s := newStream(bytes.NewReader(bytes.TrimLeft(text, ", \t\r\n")))
	var member func(name string) error
	member = func(name string) error {
		switch name {
		case "address":
			if err := s.read(); err != nil {
				return err
			}
			address = s.tree.label(0)
			return io.EOF // enough
		case "resource_change": // of a deferred change
			return s.object(member)
		}
		return s.skip()
	}
	_ = s.object(member) // text may end anywhere, so errors do not matter
	return address
}

// error rewrites an error of the decoder without the names that jsontext adds: the names in a
// sensitive map are secrets, too.
func (s *stream) error(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case s.guard.err != nil:
		return s.guard.err // jsontext may have turned it into a syntax error
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it ends in the middle, after %d bytes: the program that printed it may have been stopped: %w", s.guard.read, io.ErrUnexpectedEOF)
	case errors.As(err, &syntax):
		return fmt.Errorf("invalid JSON at byte %d: %w", syntax.ByteOffset, syntax.Err)
	default:
		return err
	}
}
