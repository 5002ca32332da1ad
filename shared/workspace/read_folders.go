package workspace

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"

	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
)

// readFolders returns the folders of the components whose outputs Atmos reads for this target,
// without the target's own folder. Atmos runs init there and writes a stack's backend file.
// Another job may be reading its own backend there at that moment.
func (w *Workspace) readFolders(ctx context.Context) (folders []string) {
	if w.Target.Atmos == nil {
		return nil
	}
	for _, name := range atmos.RunsIn(w.Target) {
		dir, err := w.repository.FolderOf(ctx, name)
		if err != nil {
			continue // Atmos reports it when it calls the function
		}
		if realPath(w.inRoot(dir)) != realPath(w.inRoot(w.Target.Dir)) {
			folders = append(folders, dir)
		}
	}
	return folders
}

// realPath resolves the symbolic links in a folder's path. It returns the path unchanged if the
// folder doesn't exist.
func realPath(folder string) string {
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		return real
	}
	return folder
}

// enterRead locks a folder that Atmos reads from, until LeaveFolder or Close.
func (w *Workspace) enterRead(ctx context.Context, dir string, waits func()) error {
	locked, err := lockFolder(ctx, w.Context.TempDir, w.inRoot(dir), entry{clean: true}, waits)
	if err != nil {
		return err
	}
	read := readFolder{lockedFolder: locked, data: w.inRoot(path.Join(dir, w.dataDir()))}
	if _, err := os.Stat(read.data); err == nil {
		read.data = "" // an earlier step made it: it stays
	}
	w.read = append(w.read, read)
	return nil
}

// readFolder is a folder in which Atmos runs Terraform for this target.
type readFolder struct {
	*lockedFolder
	data string // Terraform's data folder, to be removed; empty: it stays
}

func (w *Workspace) leaveRead() (err error) {
	for _, f := range w.read {
		if f.data != "" {
			err = errors.Join(err, os.RemoveAll(f.data))
		}
		err = errors.Join(err, f.Close())
	}
	w.read = nil
	return err
}
