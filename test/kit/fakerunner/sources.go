package fakerunner

import (
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Sources is a folder of this repository without what only tests read: more than half of the files.
func Sources(folder string) fs.FS { return sources{os.DirFS(folder)} }

type sources struct{ fs.FS }

func (s sources) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.FS, name)
	return slices.DeleteFunc(entries, func(entry fs.DirEntry) bool {
		return entry.Name() == "testdata" || strings.HasSuffix(entry.Name(), "_test.go")
	}), err
}
