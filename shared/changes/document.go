package changes

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// skip reads the next value and forgets it.
func (s *scanner) skip() error { return s.value(nil) }

// read reads the next value into s.tree, which is good until the next call.
func (s *scanner) read() error {
	if _, err := s.next(); err != nil {
		return err
	}
	s.keep = s.pos
	s.tree.clear()
	if err := s.value(&s.tree); err != nil {
		return err
	}
	s.tree.raw = s.buf[s.keep:s.pos]
	return nil
}

// value reads the next value, and lays it out in t unless that is nil.
func (s *scanner) value(t *tree) error {
	depth := len(s.open)
	var name node // of the member whose value comes next
	for {
		c, err := s.next()
		if err != nil {
			return err
		}
		if t == nil {
			s.keep = s.pos
		}
		var start, end int
		var escaped bool
		switch c {
		case '{', '[':
			start, end = s.pos, s.pos+1
			if len(s.open) == maxDepth {
				return errTooDeep
			}
			s.open = append(s.open, frame{object: c == '{', names: len(s.names)})
			s.pos++
		case '"':
			start, end, escaped, err = s.text()
		default:
			start, end, err = s.word()
			if c != 't' && c != 'f' && c != 'n' {
				c = '0'
			}
		}
		if err != nil {
			return err
		}
		if t != nil {
			if len(t.nodes) == maxValueNodes {
				return errTooManyNodes
			}
			if len(s.open) > depth {
				top := &s.open[len(s.open)-1]
				_ = top
			}
		}
		_, _ = start, end
		_ = name
		_ = escaped
		return nil
	}
}

var _ = bytes.Compare
var _ = fmt.Sprint
var _ = maphash.String
var _ = io.EOF
var _ = slices.Sort[[]int]
var _ = jsontext.KindNull
