package job

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
)

// readFolders are the folders of the components whose outputs Atmos reads for this target,
// other than its own: it initializes them there, and writes the backend of one stack where
// another job may just be reading its own.
func (j *Job) readFolders(ctx context.Context) (folders []string) {
	if j.Target.Atmos == nil {
		return nil
	}
	for _, name := range atmos.RunsIn(j.Target) {
		dir, err := j.repository.folderOf(ctx, name)
		if err != nil {
			continue // Atmos says what it is, when it calls the function
		}
		if realPath(j.inRoot(dir)) != realPath(j.inRoot(j.Target.Dir)) {
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
func (j *Job) enterRead(ctx context.Context, dir string, waits func()) error {
	locked, err := lockFolder(ctx, j.Context.TempDir, j.inRoot(dir), entry{clean: true}, waits)
	if err != nil {
		return err
	}
	read := readFolder{lockedFolder: locked, data: j.inRoot(path.Join(dir, j.dataDir()))}
	if _, err := os.Stat(read.data); err == nil {
		read.data = "" // an earlier step's, which stays
	}
	j.read = append(j.read, read)
	return nil
}

// readFolder is a folder in which Atmos runs Terraform for this target.
type readFolder struct {
	*lockedFolder
	data string // what Terraform leaves there; empty for what stays
}

func (j *Job) leaveRead() (err error) {
	for _, f := range j.read {
		if f.data != "" {
			err = errors.Join(err, os.RemoveAll(f.data))
		}
		err = errors.Join(err, f.Close())
	}
	j.read = nil
	return err
}

// folderOf is the folder of a target's root module, which Atmos is asked for once.
func (rp *Repository) folderOf(ctx context.Context, name inventory.Name) (string, error) {
	return rp.folders.Get(name, func() (string, error) {
		t, err := rp.atmos.Target(ctx, name.Component, name.Stack)
		return t.Dir, err
	})
}
