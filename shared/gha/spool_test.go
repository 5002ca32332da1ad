package gha

import (
	"os"
	"testing"
)

func TestWhatWaitsIsForNobodyElse(t *testing.T) {
	t.Parallel()
	s := spool{dir: t.TempDir()}
	place, err := s.keep([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode(); mode != 0o600 {
		t.Errorf("the file's mode is %v", mode)
	}
	if names, err := os.ReadDir(s.dir); err != nil || len(names) > 0 {
		t.Errorf("the file has a name: %v, %v", names, err)
	}
	if text, err := s.take(place); string(text) != "text" || err != nil {
		t.Errorf("read back %q, %v", text, err)
	}
	if s.file != nil {
		t.Error("the file is kept without need")
	}
}
