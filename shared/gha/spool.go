package gha

import "os"

// spool is an unlinked file of mode 0600, for text that is shown later. It exists while it
// holds such text.
type spool struct {
	dir  string // empty means the system's temporary folder
	file *os.File
	size int64
	kept int // how many pieces are not taken yet
}

// extent is where a piece of text lies in the spool.
type extent struct {
	at     int64
	length int
}

func (s *spool) keep(text []byte) (extent, error) {
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, "gitops-log-") // mode 0600
		if err != nil {
			return extent{}, err
		}
		if err := os.Remove(file.Name()); err != nil {
			_ = file.Close()
			return extent{}, err
		}
		s.file, s.size = file, 0
	}
	if _, err := s.file.WriteAt(text, s.size); err != nil {
		s.discard()
		return extent{}, err
	}
	place := extent{s.size, len(text)}
	s.size += int64(len(text))
	s.kept++
	return place, nil
}

// take reads a piece back, once.
func (s *spool) take(place extent) ([]byte, error) {
	text := make([]byte, place.length)
	_, err := s.file.ReadAt(text, place.at)
	s.kept--
	s.discard()
	return text, err
}

// discard closes the file, and so frees its space, if it holds nothing any more.
func (s *spool) discard() {
	if s.kept == 0 {
		_ = s.file.Close() // nobody else needs it
		s.file = nil
	}
}
