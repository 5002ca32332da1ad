// Package workspace is one target's place on the runner: its root module's folder, which it
// may have to wait for, Terraform's data folder, each role's credentials, the Terraform to
// run, and what has to be cleaned up.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Workspace is one target's place on a runner.
type Workspace struct {
	Inputs  repository.Inputs
	Context gha.Context
	Target  inventory.Target
	// Settings are the target's with the inputs over them.
	Settings inventory.Effective
	// Dir is a new private folder for planfiles and Terraform's data: gone
	// after Close.
	Dir string

	repository  *repository.Repository
	runtime     *gha.Runtime
	environ     []string
	endpoints   []*awsauth.Endpoint // of Terraform's credentials
	credentials map[string]string   // that Terraform's environment has
	locked      *lockedFolder       // nil until EnterFolder
	prepared    bool                // Terraform's own data folder is this job's
	aside       string              // where the one is that was there before; empty when there was none
	left        bool                // the folder was entered, and left again
	atmosRun    *terraform.Atmos    // nil until Terraform
	read        []readFolder        // of components whose outputs this one reads
	varFile     *lockedFolder       // the name of the file of variables, where the folder is shared
}

// Open makes room for the work on one of the repository's targets; in are the inputs for it.
// Close it after use. Workspaces may be open and used side by side, but those of Atmos begin
// with EnterFolder. A target that Atmos' settings leave out is a *[repository.Skipped].
func Open(ctx context.Context, rp *repository.Repository, name inventory.Name, in repository.Inputs) (*Workspace, error) {
	in.Component, in.Stack = name.Component, name.Stack
	t, err := rp.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	t.Tracked = &rp.Tracked
	effective := t.Settings.With(in.Overrides)
	if err := inventory.RolesApart(t.Settings, inventory.Settings(effective)); err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	if err := fingerprint.CheckDataFolder(ctx, t); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(rp.Context.TempDir, "gitops-")
	if err != nil {
		return nil, problem.With(problem.Runner, fmt.Errorf("make a private folder for planfiles: %w", err))
	}
	w := &Workspace{Inputs: in, Context: rp.Context, Target: t, Settings: effective, Dir: dir, repository: rp, runtime: rp.Runtime, environ: rp.Environ}
	w.runtime.Redact(secrets(slices.Concat(w.environ, variables(t)), w.inRoot(t.Dir))...)
	if t.Atmos != nil {
		if _, err := w.EnterFolder(ctx); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// EnterFolder waits until no other job that has entered the root module's folder, or one of a
// component whose outputs Atmos reads for the target, of this
// process or another on this machine, works in it, but for those that share it; the log says
// that it waits. It lasts until LeaveFolder or Close, and entering again does nothing. Whoever
// applies must enter, and shares it with none: Terraform leaves the states that it can't write
// under one name there.
func (w *Workspace) EnterFolder(ctx context.Context) (waited bool, err error) {
	if w.locked != nil {
		return false, nil
	}
	// All jobs enter in the order of the paths: so no two wait for each other.
	folders := append(w.readFolders(ctx), w.Target.Dir)
	slices.SortFunc(folders, func(a, b string) int { return strings.Compare(realPath(w.inRoot(a)), realPath(w.inRoot(b))) })
	folders = slices.CompactFunc(folders, func(a, b string) bool { return realPath(w.inRoot(a)) == realPath(w.inRoot(b)) })
	for _, dir := range folders {
		waits := func() {
			waited = true
			log := w.runtime.Group("wait: " + w.Target.String())
			fmt.Fprintf(log, "Another target is worked on in %s. Those that work in a folder take turns, but for plans for which Atmos writes the same there.\n", dir)
			_ = log.Close() // a log that nobody can read stops nothing
		}
		if dir == w.Target.Dir {
			w.locked, err = lockFolder(ctx, w.Context.TempDir, w.inRoot(dir), w.entry(ctx), waits)
			if err == nil && w.locked.shared {
				err = w.takeVarFile(ctx, waits)
			}
		} else {
			err = w.enterRead(ctx, dir, waits)
		}
		if err != nil {
			return waited, errors.Join(err, w.leaveRead())
		}
	}
	return waited, nil
}

// entry says how the root module's folder is entered.
func (w *Workspace) entry(ctx context.Context) entry {
	e := entry{clean: w.Target.Atmos != nil}
	if !e.clean || !w.Inputs.Share || !w.sharesData() {
		return e
	}
	if slices.ContainsFunc(w.environ, func(v string) bool { return strings.HasPrefix(v, backendFlag+"=") }) {
		return e // it beats what Atmos says of itself
	}
	e.share = w.Target.Atmos.Sharing.Key
	e.prepare = func() bool {
		return w.Target.Atmos.Sharing.Backend == "" || w.repository.Atmos.GenerateBackend(ctx, w.Target)
	}
	return e
}

// backendFlag is how the environment gives the flag --auto-generate-backend-file of newer
// versions of Atmos.
const backendFlag = "ATMOS_AUTO_GENERATE_BACKEND_FILE"

// sharesData says that the target's data is apart from that of others in the same folder.
// It is the same for its plan and its apply.
func (w *Workspace) sharesData() bool {
	return w.Target.Atmos != nil && w.Target.Atmos.Sharing.Key != ""
}

// takeVarFile waits until no other target has a file of variables of the same name in a
// folder that is shared. That is the same target, or one of a component of the same base name.
// Nobody who has it waits for a folder.
func (w *Workspace) takeVarFile(ctx context.Context, waits func()) (err error) {
	name := filepath.Join(realPath(w.inRoot(w.Target.Dir)), w.Target.Atmos.Sharing.VarFile)
	w.varFile, err = lockFolder(ctx, w.Context.TempDir, name, entry{}, waits)
	return err
}

// Close removes the job's folder with every planfile in it, and Terraform's data
// folder, which may hold the backend's settings, and gives out no more credentials.
func (w *Workspace) Close() error {
	err := os.RemoveAll(w.Dir)
	if !w.left {
		err = errors.Join(err, w.removeData())
	}
	for _, e := range w.endpoints {
		err = errors.Join(err, e.Close())
	}
	return errors.Join(err, w.leaveRead(), w.LeaveFolder())
}

// LeaveFolder lets others in who wait for the root module's folder, before Close. No
// more Terraform is to be run.
func (w *Workspace) LeaveFolder() error {
	if err := w.leaveRead(); err != nil || w.locked == nil {
		return err
	}
	locked := w.locked
	w.locked, w.left = nil, true
	err := w.removeData()
	if w.varFile != nil {
		err = errors.Join(err, w.varFile.Close())
		w.varFile = nil
	}
	return errors.Join(err, locked.Close()) // the data may be the next one's, from then on
}

func (w *Workspace) removeData() (err error) {
	if w.atmosRun != nil && w.atmosRun.Workdir != "" {
		err = cleanWorkdir(w.atmosRun.Workdir, w.dataDir())
	}
	if w.dataDir() == terraformData && !w.prepared {
		return err // none of it is ours, or no more
	}
	w.prepared = false
	return errors.Join(err, os.RemoveAll(w.inRoot(path.Join(w.Target.Dir, w.dataDir()))), w.putBack())
}

// cleanWorkdir removes Terraform's data, and what Atmos writes, from a copy of a component's
// folder that Atmos has made. Atmos would take up its own copy the next time.
func cleanWorkdir(dir, data string) error {
	err := os.RemoveAll(filepath.Join(dir, data))
	entries, readErr := os.ReadDir(dir)
	err = errors.Join(err, readErr)
	for _, entry := range entries {
		if fingerprint.IsGenerated(entry.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}

// Key names the target in the plan store.
func (w *Workspace) Key() planstore.Target {
	return planstore.Target{Repository: w.Context.Repository, Component: w.Target.Component, Stack: w.Target.Stack}
}

// Run names this workflow run in the plan store.
func (w *Workspace) Run() planstore.Run {
	return planstore.Run{ID: w.Context.RunID, Attempt: w.Context.RunAttempt, URL: w.Context.RunURL}
}
