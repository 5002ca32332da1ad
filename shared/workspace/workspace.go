// Package workspace prepares the place on the runner where one target is planned or applied.
// That is the lock on its root module's folder, Terraform's data folder, each role's credentials
// and the Terraform to run. Close cleans up.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

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
	// Settings are the target's settings, overridden by the inputs.
	Settings inventory.Effective
	// Dir is a new private folder for planfiles and Terraform's data. Close removes it.
	Dir string

	repository  *repository.Repository
	runtime     *gha.Runtime
	environ     []string
	kept        []io.Closer                // what keeps Terraform's credentials valid: endpoints and files
	ambient     func(variable string) bool // credentials of the job that Terraform's own replace
	credentials map[string]string          // in Terraform's environment
	locked      *lockedFolder              // nil until EnterFolder
	prepared    bool                       // this job owns Terraform's data folder
	aside       string                     // where setAside moved the earlier data folder; empty: there was none
	left        bool                       // LeaveFolder was called
	atmosRun    *terraform.Atmos           // nil until Terraform
	read        []readFolder               // of components whose outputs Atmos reads
	varFile     *lockedFolder              // lock on the name of Atmos' variable file, if the folder is shared
}

// Open prepares the work on one of the repository's targets; in are its inputs. Close the
// Workspace after use. Several may be open and in use at once. For a target of Atmos, Open waits
// as EnterFolder does. It returns a *[repository.Skipped] if Atmos' settings exclude the target.
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
	w.runtime.Redact(w.secrets()...)
	if t.Atmos != nil {
		if _, err := w.EnterFolder(ctx); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// EnterFolder locks the root module's folder and the folders of the components whose outputs
// Atmos reads for the target. It waits until no other job on this machine, in this process or
// another, works in any of them, except jobs that may share the folder. The log says that it
// waits. The locks last until LeaveFolder or Close; entering again does nothing. An apply must
// enter, and never shares: Terraform writes a state that it can't upload to the same file there
// for every target.
func (w *Workspace) EnterFolder(ctx context.Context) (waited bool, err error) {
	if w.locked != nil {
		return false, nil
	}
	// All jobs lock in the order of the paths, so that no two wait for each other.
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
		return e // it has precedence over atmos.yaml, from which the sharing key follows
	}
	e.share = w.Target.Atmos.Sharing.Key
	e.prepare = func() bool {
		return w.Target.Atmos.Sharing.Backend == "" || w.repository.GenerateBackend(ctx, w.Target)
	}
	return e
}

// backendFlag sets --auto-generate-backend-file of newer versions of Atmos through the environment.
const backendFlag = "ATMOS_AUTO_GENERATE_BACKEND_FILE"

// sharesData reports whether the target's data is kept apart from other targets' data in the same
// folder. It is the same for plan and apply.
func (w *Workspace) sharesData() bool {
	return w.Target.Atmos != nil && w.Target.Atmos.Sharing.Key != ""
}

// takeVarFile waits until no other target uses the same name for its variable file in a shared
// folder: another job of this target, or a component of the same base name. It can't deadlock,
// since a job that holds the name never waits for a folder.
func (w *Workspace) takeVarFile(ctx context.Context, waits func()) (err error) {
	name := filepath.Join(realPath(w.inRoot(w.Target.Dir)), w.Target.Atmos.Sharing.VarFile)
	w.varFile, err = lockFolder(ctx, w.Context.TempDir, name, entry{}, waits)
	return err
}

// Close removes the private folder with every planfile in it, and Terraform's data folder, which
// may hold the backend's settings. It stops giving out credentials and releases the locks.
func (w *Workspace) Close() error {
	var err error
	for _, k := range w.kept {
		err = errors.Join(err, k.Close())
	}
	err = errors.Join(err, os.RemoveAll(w.Dir))
	if !w.left {
		err = errors.Join(err, w.removeData())
	}
	return errors.Join(err, w.leaveRead(), w.LeaveFolder())
}

// LeaveFolder releases the root module's folder before Close. No Terraform may run after it.
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
	return errors.Join(err, locked.Close()) // last: the next step may write its data there from then on
}

func (w *Workspace) removeData() (err error) {
	if w.atmosRun != nil && w.atmosRun.Workdir != "" {
		err = cleanWorkdir(w.atmosRun.Workdir, w.dataDir())
	}
	if w.dataDir() == terraformData && !w.prepared {
		return err // it is not ours, or no longer
	}
	w.prepared = false
	return errors.Join(err, os.RemoveAll(w.inRoot(path.Join(w.Target.Dir, w.dataDir()))), w.putBack())
}

// cleanWorkdir removes Terraform's data, and the files that Atmos writes, from the copy that Atmos
// made of a component's folder. Atmos uses that copy again the next time.
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

// Key returns the target's key in the plan store.
func (w *Workspace) Key() planstore.Target {
	return planstore.Target{Repository: w.Context.Repository, Component: w.Target.Component, Stack: w.Target.Stack}
}

// Run returns how the plan store identifies this workflow run.
func (w *Workspace) Run() planstore.Run {
	return planstore.Run{ID: w.Context.RunID, Attempt: w.Context.RunAttempt, URL: w.Context.RunURL}
}
