package terraform

import "bytes"

// Longest lines held in memory, in bytes. Terraform's machine-readable messages
// are lines too, and carry all outputs, or in an emergency the whole state, in
// one; text for people is cut much earlier.
const (
	maxTextLine    = 64 << 10
	maxMessageLine = 64 << 20
)

// lineSplitter calls emit for each line that is written to it, without the newline. Of a
// line that is too long it passes the beginning, and how many bytes it left out. The line
// is valid only during the call.
type lineSplitter struct {
	emit    func(line []byte, omitted int)
	partial []byte
	omitted int
}

func (s *lineSplitter) Write(p []byte) (int, error) {
	written := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			s.hold(p)
			return written, nil
		}
		if len(s.partial) == 0 && s.omitted == 0 && i <= maxTextLine {
			s.emit(p[:i], 0) // whole, as nearly always
		} else {
			s.hold(p[:i])
			s.end()
		}
		p = p[i+1:]
	}
}

// flush emits the last line if it has no newline.
func (s *lineSplitter) flush() {
	if len(s.partial) > 0 || s.omitted > 0 {
		s.end()
	}
}

// drop discards a line that is not yet complete.
func (s *lineSplitter) drop() { s.partial, s.omitted = nil, 0 }

func (s *lineSplitter) hold(p []byte) {
	limit := maxTextLine
	if len(s.partial) > 0 && s.partial[0] == '{' || len(s.partial) == 0 && len(p) > 0 && p[0] == '{' {
		limit = maxMessageLine
	}
	keep := min(len(p), max(0, limit-len(s.partial)))
	s.partial = append(s.partial, p[:keep]...)
	s.omitted += len(p) - keep
}

func (s *lineSplitter) end() {
	s.emit(s.partial, s.omitted)
	s.omitted = 0
	if cap(s.partial) > 1<<20 {
		s.partial = nil // do not keep one huge line's memory
	}
	s.partial = s.partial[:0]
}
