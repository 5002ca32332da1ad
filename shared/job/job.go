// Package job prepares what every action needs to work on one target: the
// target as the repository configures it, the commit that the workspace holds,
// the plan store, the credentials of each role, and the Terraform to run.
//
// Settings come from Atmos or from gitops.yaml; an input of the action beats a
// setting.
package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Inputs are the inputs that the actions have in common.
type Inputs struct {
	Component, Stack string
	SHA              string // the commit whose plan is meant; empty: from the event
	Config           string // gitops.yaml, relative to the workspace; empty: Atmos' configuration, or gitops.yaml
	Path             string // of the repository in the workspace; empty: the workspace itself
	AtmosConfig      string // atmos.yaml or its folder; empty: where Atmos itself looks
	Identity         string // of Atmos' auth; empty: as Atmos chooses

	Overrides    inventory.Overrides // of the targets' settings
	roleInput    string              // which input overrides Terraform's role: plan-role or apply-role
	RoleDuration time.Duration       // of the credentials of Terraform's role; 0: STS's own

	// Share has a target of Atmos share its folder with others, where it can: one of many that
	// are planned. It costs another run of Atmos, and what is applied shares with none.
	Share bool

	Token string // GitHub token; empty: GitHub is not asked
	Debug bool
}

// ReadInputs reads the common inputs; what is wrong with them is in read.Err and
// in [Inputs.Check]. Component and Stack are both empty when no one target is meant.
// roleInput names the input that overrides the role Terraform runs under.
func ReadInputs(r *gha.Runtime, read *gha.Inputs, roleInput string) Inputs {
	in := ReadRepositoryInputs(r, read)
	in.Component, in.Stack = r.Input("component"), r.Input("stack")
	in.SHA = strings.ToLower(r.Input("sha"))
	in.readTerraform(r, read, roleInput)
	return in
}

// ReadTerraformInputs is ReadInputs for an action that learns otherwise which target
// is meant.
func ReadTerraformInputs(r *gha.Runtime, read *gha.Inputs, roleInput string) Inputs {
	in := ReadRepositoryInputs(r, read)
	in.readTerraform(r, read, roleInput)
	return in
}

func (in *Inputs) readTerraform(r *gha.Runtime, read *gha.Inputs, roleInput string) {
	in.Identity = r.Input("identity")
	in.Overrides.TerraformRole, in.roleInput = r.Input(roleInput), roleInput
	// As STS takes them; what the role allows is for STS to say.
	in.RoleDuration = time.Duration(read.Int("role-duration-seconds", 0, 900, 43200)) * time.Second
}

// ReadRepositoryInputs reads those of the common inputs that are of no one target.
func ReadRepositoryInputs(r *gha.Runtime, read *gha.Inputs) Inputs {
	r.Redact(r.Input("token"))
	return Inputs{
		Path:        r.Input("path"),
		Config:      r.Input("config"),
		AtmosConfig: r.Input("atmos-config-path"),
		Overrides: inventory.Overrides{
			Region: r.Input("region"), Bucket: r.Input("bucket"), Table: r.Input("table"), StorageURL: r.Input("storage-url"),
			StorageRole: r.Input("storage-role"), Audience: r.Input("audience"),
		},
		Token: r.Input("token"),
		Debug: read.Bool("debug", false),
	}
}

// Check refuses inputs that have no meaning, alone or together.
func (in Inputs) Check() error {
	if (in.Component == "") != (in.Stack == "") {
		return problem.With(problem.Input, errors.New("inputs `component` and `stack` name one target together: give both, or neither for all targets that are meant"))
	}
	if in.SHA != "" && !git.IsCommit(in.SHA) {
		return problem.With(problem.Input, fmt.Errorf("input `sha` is %q: give a full commit SHA, 40 or 64 hexadecimal digits", in.SHA))
	}
	if in.Config != "" && in.AtmosConfig != "" {
		return problem.With(problem.Input, errors.New("inputs `config` and `atmos-config-path` are both given: choose gitops.yaml or Atmos"))
	}
	return in.Overrides.Check()
}

// Job is one target's job on a runner.
type Job struct {
	Inputs  Inputs
	Context gha.Context
	Target  inventory.Target
	// Settings are the target's with the inputs over them.
	Settings inventory.Effective
	// Dir is a new private folder for planfiles and Terraform's data: gone
	// after Close.
	Dir string

	repository  *Repository
	runtime     *gha.Runtime
	environ     []string
	endpoints   []*awsauth.Endpoint // of Terraform's credentials
	credentials map[string]string   // that Terraform's environment has
	source      source
	locked      *lockedFolder    // nil until EnterFolder
	prepared    bool             // Terraform's own data folder is this job's
	aside       string           // where the one is that was there before; empty when there was none
	left        bool             // the folder was entered, and left again
	read        []readFolder     // of components whose outputs this one reads
	atmosRun    *terraform.Atmos // nil until Terraform
	varFile     *lockedFolder    // the name of the file of variables, where the folder is shared
}

// Open finds the target that the inputs name in the workspace, by Atmos or in
// gitops.yaml. Close it after use. A target that Atmos' settings leave out is a
// *[Skipped].
func Open(ctx context.Context, r *gha.Runtime, environ []string, in Inputs) (*Job, error) {
	rp, err := OpenRepository(r, environ, in)
	if err != nil {
		return nil, err
	}
	return rp.Open(ctx, inventory.Name{Component: in.Component, Stack: in.Stack}, in)
}

// Open is [Open] for one of the repository's targets; in are the inputs for it. Jobs
// may be open and used side by side, but those of Atmos begin with EnterFolder.
func (rp *Repository) Open(ctx context.Context, name inventory.Name, in Inputs) (*Job, error) {
	in.Component, in.Stack = name.Component, name.Stack
	t, err := rp.find(ctx, name)
	if err != nil {
		return nil, err
	}
	t.Tracked = &rp.tracked
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
	j := &Job{Inputs: in, Context: rp.Context, Target: t, Settings: effective, Dir: dir, repository: rp, runtime: rp.runtime, environ: rp.environ, source: rp.source}
	j.runtime.Redact(secrets(slices.Concat(j.environ, variables(t)), j.inRoot(t.Dir))...)
	if t.Atmos != nil {
		if _, err := j.EnterFolder(ctx); err != nil {
			return nil, errors.Join(err, j.Close())
		}
	}
	return j, nil
}

// EnterFolder waits until no other job that has entered the root module's folder, or one of a
// component whose outputs Atmos reads for the target, of this
// process or another on this machine, works in it, but for those that share it; the log says
// that it waits. It lasts until LeaveFolder or Close, and entering again does nothing. Whoever
// applies must enter, and shares it with none: Terraform leaves the states that it can't write
// under one name there.
func (j *Job) EnterFolder(ctx context.Context) (waited bool, err error) {
	if j.locked != nil {
		return false, nil
	}
	// All jobs enter in the order of the paths: so no two wait for each other.
	folders := append(j.readFolders(ctx), j.Target.Dir)
	slices.SortFunc(folders, func(a, b string) int { return strings.Compare(realPath(j.inRoot(a)), realPath(j.inRoot(b))) })
	folders = slices.CompactFunc(folders, func(a, b string) bool { return realPath(j.inRoot(a)) == realPath(j.inRoot(b)) })
	for _, dir := range folders {
		waits := func() {
			waited = true
			log := j.runtime.Group("wait: " + j.Target.String())
			fmt.Fprintf(log, "Another target is worked on in %s. Those that work in a folder take turns, but for plans for which Atmos writes the same there.\n", dir)
			_ = log.Close() // a log that nobody can read stops nothing
		}
		if dir == j.Target.Dir {
			j.locked, err = lockFolder(ctx, j.Context.TempDir, j.inRoot(dir), j.entry(ctx), waits)
			if err == nil && j.locked.shared {
				err = j.takeVarFile(ctx, waits)
			}
		} else {
			err = j.enterRead(ctx, dir, waits)
		}
		if err != nil {
			return waited, errors.Join(err, j.leaveRead())
		}
	}
	return waited, nil
}

// entry says how the root module's folder is entered.
func (j *Job) entry(ctx context.Context) entry {
	e := entry{clean: j.Target.Atmos != nil}
	if !e.clean || !j.Inputs.Share || !j.sharesData() {
		return e
	}
	if slices.ContainsFunc(j.environ, func(v string) bool { return strings.HasPrefix(v, backendFlag+"=") }) {
		return e // it beats what Atmos says of itself
	}
	e.share = j.Target.Atmos.Sharing.Key
	e.prepare = func() bool {
		return j.Target.Atmos.Sharing.Backend == "" || j.repository.atmos.GenerateBackend(ctx, j.Target)
	}
	return e
}

// backendFlag is how the environment gives the flag --auto-generate-backend-file of newer
// versions of Atmos.
const backendFlag = "ATMOS_AUTO_GENERATE_BACKEND_FILE"

// sharesData says that the target's data is apart from that of others in the same folder.
// It is the same for its plan and its apply.
func (j *Job) sharesData() bool { return j.Target.Atmos != nil && j.Target.Atmos.Sharing.Key != "" }

// takeVarFile waits until no other target has a file of variables of the same name in a
// folder that is shared. That is the same target, or one of a component of the same base name.
// Nobody who has it waits for a folder.
func (j *Job) takeVarFile(ctx context.Context, waits func()) (err error) {
	name := filepath.Join(realPath(j.inRoot(j.Target.Dir)), j.Target.Atmos.Sharing.VarFile)
	j.varFile, err = lockFolder(ctx, j.Context.TempDir, name, entry{}, waits)
	return err
}

// Close removes the job's folder with every planfile in it, and Terraform's data
// folder, which may hold the backend's settings, and gives out no more credentials.
func (j *Job) Close() error {
	err := os.RemoveAll(j.Dir)
	if !j.left {
		err = errors.Join(err, j.removeData())
	}
	for _, e := range j.endpoints {
		err = errors.Join(err, e.Close())
	}
	return errors.Join(err, j.leaveRead(), j.LeaveFolder())
}

// LeaveFolder lets others in who wait for the root module's folder, before Close. No
// more Terraform is to be run.
func (j *Job) LeaveFolder() error {
	if err := j.leaveRead(); err != nil || j.locked == nil {
		return err
	}
	locked := j.locked
	j.locked, j.left = nil, true
	err := j.removeData()
	if j.varFile != nil {
		err = errors.Join(err, j.varFile.Close())
		j.varFile = nil
	}
	return errors.Join(err, locked.Close()) // the data may be the next one's, from then on
}

func (j *Job) removeData() (err error) {
	if j.atmosRun != nil && j.atmosRun.Workdir != "" {
		err = cleanWorkdir(j.atmosRun.Workdir, j.dataDir())
	}
	if j.dataDir() == terraformData && !j.prepared {
		return err // none of it is ours, or no more
	}
	j.prepared = false
	return errors.Join(err, os.RemoveAll(j.inRoot(path.Join(j.Target.Dir, j.dataDir()))), j.putBack())
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
func (j *Job) Key() planstore.Target {
	return planstore.Target{Repository: j.Context.Repository, Component: j.Target.Component, Stack: j.Target.Stack}
}

// GitHub is [Repository.GitHub].
func (j *Job) GitHub() (*github.Client, error) { return j.repository.GitHub() }

// Run names this workflow run in the plan store.
func (j *Job) Run() planstore.Run {
	return planstore.Run{ID: j.Context.RunID, Attempt: j.Context.RunAttempt, URL: j.Context.RunURL}
}
