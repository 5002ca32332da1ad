package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/terraform-gitops/gitops/shared/target"
)

// enterRead has no other job work in the folders of the components whose outputs Atmos
// reads for this target, until LeaveFolder or Close: it initializes them there, and writes
// the backend of one stack where another job may just be reading its own. They are entered
// in the order of their paths, after the target's own where that is entered already.
func (j *Job) enterRead(ctx context.Context) error {
	if len(j.read) > 0 || j.left {
		return nil
	}
	var folders []string
	for _, name := range j.Target.Atmos.RunsIn(j.Target.Name()) {
		dir, err := j.repository.folderOf(ctx, name)
		if err != nil {
			continue // Atmos says what it is, when it calls the function
		}
		if dir != j.Target.Dir {
			folders = append(folders, dir)
		}
	}
	slices.Sort(folders)
	for _, dir := range slices.Compact(folders) {
		locked, err := lockFolder(ctx, j.Context.TempDir, j.inRoot(dir), true, func() {
			log := j.runtime.Group("wait: " + j.Target.String())
			fmt.Fprintf(log, "Another target is worked on in %s, whose outputs this one reads.\n", dir)
			_ = log.Close() // a log that nobody can read stops nothing
		})
		if err != nil {
			return errors.Join(err, j.leaveRead())
		}
		read := readFolder{lockedFolder: locked, data: j.inRoot(path.Join(dir, j.dataDir()))}
		if _, err := os.Stat(read.data); err == nil {
			read.data = "" // an earlier step's, which stays
		}
		j.read = append(j.read, read)
	}
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
func (rp *Repository) folderOf(ctx context.Context, name target.Name) (string, error) {
	return rp.folders.get(name, func() (string, error) {
		t, err := rp.atmos.Target(ctx, name.Component, name.Stack)
		return t.Dir, err
	})
}
