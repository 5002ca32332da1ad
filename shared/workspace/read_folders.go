package workspace

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"

	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
)

// readFolders are the folders of the components whose outputs Atmos reads for this target,
// other than its own: it initializes them there, and writes the backend of one stack where
// another job may just be reading its own.
func (w *Workspace) readFolders(ctx context.Context) (folders []string) {
	if w.Target.Atmos == nil {
		return nil
	}
	for _, name := range atmos.RunsIn(w.Target) {
		dir, err := w.repository.FolderOf(ctx, name)
		if err != nil {
			continue // Atmos says what it is, when it calls the function
		}
		if realPath(w.inRoot(dir)) != realPath(w.inRoot(w.Target.Dir)) {
			folders = append(folders, dir)
		}
	}
	return folders
}

// realPath is a folder's without symbolic links; as it is where the folder is not there.
func realPath(folder string) string {
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		return real
	}
	return folder
}

// enterRead has no other job work in a folder that is read, until LeaveFolder or Close.
func (w *Workspace) enterRead(ctx context.Context, dir string, waits func()) error {
	locked, err := lockFolder(ctx, w.Context.TempDir, w.inRoot(dir), entry{clean: true}, waits)
	if err != nil {
		return err
	}
	read := readFolder{lockedFolder: locked, data: w.inRoot(path.Join(dir, w.dataDir()))}
	if _, err := os.Stat(read.data); err == nil {
		read.data = "" // an earlier step's, which stays
	}
	w.read = append(w.read, read)
	return nil
}

// readFolder is a folder in which Atmos runs Terraform for this target.
type readFolder struct {
	*lockedFolder
	data string // what Terraform leaves there; empty for what stays
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
