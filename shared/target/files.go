package target

import (
	"context"
	"fmt"
)

// files are those of a checkout that shape plans. What several targets share is read
// once.
type files struct {
	checkout
	tracked []string // nil: no Git
	hashed  map[string]sum
	folders map[moduleFolder]folderFiles
	others  map[outsidePath]map[string]sum
	wholes  map[moduleFolder]wholeFolder
	buffer  []byte // for reading
}

// folderFiles are what one module's folder adds to a tree.
type folderFiles struct {
	sums    map[string]sum
	calls   []moduleFolder
	outward []outwardPath
}

func openFiles(ctx context.Context, co checkout, known *Tracked) (*files, error) {
	tracked, err := known.files(ctx, co.resolved)
	if err != nil {
		return nil, err
	}
	return &files{
		checkout: co, tracked: tracked,
		hashed: make(map[string]sum), folders: make(map[moduleFolder]folderFiles), others: make(map[outsidePath]map[string]sum), wholes: make(map[moduleFolder]wholeFolder),
		buffer: make([]byte, 64<<10),
	}, nil
}

// of are a target's files: those of its root module, of the local modules that it
// calls, and those that the target names. With an error they are what could be read.
func (f *files) of(t Target) (map[string]sum, error) {
	m := moduleTree{files: f, sums: make(map[string]sum)}
	err := m.read(t.Dir, t.Atmos != nil)
	for _, name := range t.files() {
		if failed := m.addNamed(name); failed != nil && err == nil {
			err = fmt.Errorf("%s: %w", quote(name), failed)
		}
	}
	return m.sums, err
}
