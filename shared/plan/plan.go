// Package plan plans one target. It runs Terraform, reads the changes that the plan would make,
// stores the planfile with its record, and returns an [Outcome].
//
// [Make] and [Read] are also used by package apply, which may have to plan a target again.
package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

// Options are the same for all targets of a run.
type Options struct {
	Repository *repository.Repository
	Inputs     repository.Inputs
	Pulls      *pulls.Requests

	Commit   string      // to plan; the workspace holds it, or a merge of it
	Checkout git.Head    // the workspace's commit
	Pull     PullRequest // the zero value: none

	Drift       bool
	RefreshOnly bool          // compare with the state, and not with Git; only for a drift plan
	KeepFiles   bool          // keep the planfile and its JSON after the run
	Lock        bool          // take the target's lock for the pull request
	Retention   time.Duration // how long a plan can be applied; a drift plan: DriftExpiry
	// Store opens the plan store of a target with these settings; nil: nothing is stored.
	Store func(context.Context, inventory.Effective) (*planstore.Store, error)
	// Terraform returns the Terraform that plans a target. If it is nil, the real one is used.
	Terraform func(context.Context, *workspace.Workspace) (Terraform, error)

	Positions *Positions // state positions of the targets that this run plans
	// Facts is what policies may know of the run and its pull request; the rest is asked when it is
	// needed. Its pull request is nil if there is none, and has no author if the event does not say.
	Facts  policy.Facts
	Before *Before // the pull request's plans before this run; nil: not asked

	Runtime *gha.Runtime
	Environ []string // of this process; package terraform decides which variables Terraform gets
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled the context.
	Signals <-chan os.Signal
}

// PullRequest is the pull request whose plan is made.
type PullRequest struct {
	Number       int
	Head, Branch string // the head's commit, and its branch
	Base         string // the base branch's commit
	Into         string // the base branch's name
}

// shownBytes limits the details of resources that are kept. A job summary has room for 1 MiB.
const shownBytes = 1 << 20

// planner plans one target.
type planner struct {
	o         Options
	workspace *workspace.Workspace
	store     *planstore.Store
	tf        Terraform
	planfile  string // empty until there is one
	json      string // empty unless asked for
	built     workspace.Built
	empty     bool            // the state had no resources before the plan
	locked    *planstore.Lock // the lock that was taken, or another pull request's; nil: none was asked for

	policies      policy.Set
	configuration fingerprint.Configuration
	failure       error // why planning failed

	Outcome
}

// Run plans a target and stores the plan. A plan that Terraform could not make is recorded
// as failed, so that an apply of this commit says so. A cancelled run records nothing.
func Run(ctx context.Context, name inventory.Name, o Options) (out Outcome) {
	defer o.Positions.never(name)
	if o.Terraform == nil {
		o.Terraform = o.realTerraform
	}
	p := &planner{o: o}
	p.Name, p.Decision, p.RefreshOnly = name, NotPlanned, o.RefreshOnly
	err := p.run(ctx)
	if p.workspace != nil {
		closeErr := p.workspace.Close()
		if err != nil {
			err = errors.Join(err, closeErr)
		} else {
			p.Trouble = errors.Join(p.Trouble, closeErr)
		}
	}
	var skipped *repository.Skipped
	switch {
	case errors.As(err, &skipped):
		p.Decision = Skipped
	case err != nil:
		p.Decision = NotPlanned
	case p.failure != nil:
		p.Decision, err = Failed, p.failure
	case len(p.Waits) > 0:
		p.Decision = Waiting
	case p.o.Drift && p.Drifted(), !p.o.Drift && p.HasChanges():
		p.Decision = Changed
	default:
		p.Decision = Unchanged
	}
	p.Err = err
	return p.Outcome
}

func (p *planner) run(ctx context.Context) (err error) {
	if p.workspace, err = workspace.Open(ctx, p.o.Repository, p.Name, p.o.Inputs); err != nil {
		return err
	}
	if err := p.identify(ctx); err != nil {
		return err
	}
	if err := p.openRules(ctx); err != nil {
		return err
	}
	if err := p.lock(ctx); err != nil {
		return err
	}
	p.failure = p.plan(ctx)
	if p.failure != nil && ctx.Err() != nil {
		return problem.With(problem.Cancelled, fmt.Errorf("%w: interrupted: nothing was stored: run this job again", p.failure))
	}
	if err := p.waitForValue(ctx); err != nil {
		return err
	}
	if p.failure != nil && p.Record.Outcome != planstore.OutcomeFailed {
		return p.failure
	}
	// A dependency may be waiting for the lock on the same folder.
	if err := p.workspace.LeaveFolder(); err != nil {
		return err
	}
	if err := p.wait(ctx); err != nil {
		return err
	}
	if p.failure == nil && len(p.Waits) == 0 {
		if err := p.approvals(ctx); err != nil {
			return err
		}
	}
	if err := p.put(ctx); err != nil {
		return err
	}
	p.Trouble = errors.Join(p.Trouble, p.keepLock(ctx))
	if p.o.KeepFiles && p.planfile != "" {
		return p.keepFiles()
	}
	return nil
}

// put stores the plan. If planning failed, an error here is reported as Trouble beside that.
func (p *planner) put(ctx context.Context) (err error) {
	if p.store == nil {
		return nil
	}
	if p.Record.Dependencies, err = p.o.Positions.of(ctx, p.DependsOn); err != nil {
		return err
	}
	stored, err := p.store.PutWithFiles(ctx, p.Record, p.planfile, p.built.Archive)
	switch {
	case err == nil:
		p.Record, p.Stored = stored, true
	case p.failure == nil:
		return err
	default:
		p.Trouble = err
	}
	return nil
}

// identify fills in the fields that are known before planning, and opens the store.
func (p *planner) identify(ctx context.Context) (err error) {
	t := p.workspace.Target
	p.Dir, p.DependsOn, p.AtmosVersion = t.Dir, t.DependsOn, p.workspace.AtmosVersion()
	p.Environment = p.workspace.Settings.Environment
	program, _ := t.Program()
	p.Reproduce = t.PlanCommands(program, p.o.RefreshOnly)
	if p.o.Inputs.Debug {
		p.Settings = p.workspace.Origins()
	}
	if p.o.Store != nil {
		if p.store, err = p.o.Store(ctx, p.workspace.Settings); err != nil {
			return err
		}
		p.Outcome.Store = p.store
	}
	now := p.o.Now().UTC()
	p.Record = planstore.Record{
		Target:      p.workspace.Key(),
		Commit:      p.o.Commit,
		CreatedAt:   now,
		Run:         p.workspace.Run(),
		Actor:       p.workspace.Context.Actor,
		Kind:        planstore.KindChange,
		ExpiresAt:   now.Add(p.o.Retention),
		PullRequest: p.o.Pull.Number, Branch: p.o.Pull.Branch, BaseCommit: p.o.Pull.Base,
	}
	if p.o.Drift {
		p.Record.Kind, p.Record.ExpiresAt = planstore.KindDrift, now.Add(DriftExpiry)
		p.Ignored = notKnown(t.DriftIgnore)
	}
	if p.o.Checkout.IsMergeOf(p.o.Commit) {
		p.Record.BaseCommit = p.o.Checkout.Parents[0]
		p.note("Planned as merged into %s: that merge is checked out.", git.Short(p.Record.BaseCommit))
	}
	return nil
}

// plan runs Terraform. If it sets the record's outcome to "failed", the error is Terraform's
// about the configuration. Any other error is the runner's or a fault in these actions.
func (p *planner) plan(ctx context.Context) (err error) {
	t := p.workspace.Target
	if p.tf, err = p.o.Terraform(ctx, p.workspace); err != nil {
		return err
	}
	log := p.o.Runtime.Group("terraform plan: " + t.String())
	defer log.Close()
	p.tf.LogTo(log)

	last := p.askForLastApply(ctx)
	defer func() { _ = last.Wait() }() // nothing outlives the run
	var building *workspace.Building
	if p.store != nil && !p.o.RefreshOnly {
		if building, err = p.workspace.WatchFiles(ctx); err != nil {
			return err
		}
	}
	var read fingerprint.Reading
	if t.Atmos == nil { // Atmos may write the component's files only when it runs
		if read, err = fingerprint.Read(ctx, t, fingerprint.JobFiles(t, p.o.Environ)...); err != nil {
			return err
		}
	}
	planfile := filepath.Join(p.workspace.Dir, "plan.tfplan")
	made, err := Make(ctx, p.tf, Request{Planfile: planfile, Destroy: t.Destroy && !p.o.RefreshOnly, RefreshOnly: p.o.RefreshOnly})
	p.Diagnostics = made.Diagnostics
	p.Record.TerraformName, p.Record.TerraformVersion = made.Version.Name, made.Version.Number
	p.Record.ModulesDigest, p.Record.ModuleFiles = made.Modules.Digest, made.Modules.Bounded(planstore.MaxModuleFiles)
	if err != nil {
		var failed *terraform.CommandError
		if errors.As(err, &failed) && ctx.Err() == nil {
			p.Diagnostics = failed.Diagnostics
			p.Record.Outcome = planstore.OutcomeFailed
		}
		return fmt.Errorf("plan %s: %w", t, err)
	}
	judges, also, err := p.evaluate(ctx, made)
	if err != nil {
		return err
	}
	defer judges.cancel()
	// Both start a process, and neither needs the other's result.
	both, bothCtx := errgroup.WithContext(ctx)
	both.Go(func() error {
		if err := p.read(bothCtx, made, also); err != nil {
			return fmt.Errorf("read the plan of %s: %w", t, err)
		}
		return nil
	})
	both.Go(func() error {
		if t.Atmos != nil {
			var err error
			if read, err = fingerprint.Read(bothCtx, t, fingerprint.JobFiles(t, p.o.Environ)...); err != nil {
				return fmt.Errorf("read the configuration of %s: %w", t, err)
			}
		}
		return nil
	})
	if err := both.Wait(); err != nil {
		return err
	}
	configuration := read.Configuration(made.Version.Name, made.Version.Number)
	p.configuration, p.Record.ConfigurationDigest, p.Record.Files = configuration, configuration.Digest, configuration.Files
	if err := p.checkState(last); err != nil {
		return err
	}
	for _, b := range configuration.Broad {
		p.note("%s", tooBroad(b))
	}
	p.planfile = planfile
	p.Record.Outcome = planstore.OutcomeNoChanges
	// Applying a refresh-only plan would hide the drift: it writes the drifted values to the state.
	if !p.o.RefreshOnly && (made.HasChanges || p.Changes.Counts.Any()) {
		p.Record.Outcome = planstore.OutcomeChanges
	}
	if err := p.judge(ctx, judges); err != nil {
		return err
	}
	if building != nil && p.Record.Outcome == planstore.OutcomeChanges {
		state, err := p.tf.StateInCheckout()
		if err == nil {
			p.built, err = building.Pack(ctx, state)
		}
		if err != nil {
			return fmt.Errorf("plan %s: %w", t, err)
		}
		p.Built = p.built.Files
	}
	for _, pattern := range p.built.Unmatched {
		p.note("No untracked file matches `%s` of plan-files.", pattern)
	}
	return nil
}

func (o Options) realTerraform(ctx context.Context, w *workspace.Workspace) (Terraform, error) {
	tf, err := w.Terraform(ctx, w.Settings.PlanRole, w.Settings.PlanClouds, o.Now)
	if err != nil {
		return nil, err
	}
	tf.Signals = o.Signals
	return tf, nil
}

// tooBroad explains which unrelated files count as the target's, and which expression causes it.
func tooBroad(b fingerprint.Broad) string {
	all := "every file of the repository counts"
	if b.Folder != "." {
		all = "every file in " + b.Folder + " counts"
	}
	return fmt.Sprintf("For this target, %s, since no constant part of the path says which file is read: %s. Name a folder in the expression, or list under `ignore` in gitops.yaml the files that it does not read.", all, b.Why)
}

// read reads the changes of a plan, and the state that it was made on.
func (p *planner) read(ctx context.Context, made Made, also io.Writer) error {
	detail := Detail{Bytes: shownBytes, Also: also, Drift: p.o.Drift, RefreshOnly: p.o.RefreshOnly, Ignore: p.workspace.Target.DriftIgnore}
	if p.o.KeepFiles {
		p.json = filepath.Join(p.workspace.Dir, "plan.json")
		detail.JSON = p.json
	}
	plan, file, err := Read(ctx, p.tf, made, detail)
	if err != nil {
		return err
	}
	p.Changes, p.Record.Counts, p.Record.ChangesDigest = plan, plan.Counts, plan.Digest
	if p.o.Drift {
		if p.Ignored, err = uses(p.workspace.Target.DriftIgnore, plan, made.Planfile); err != nil {
			return err
		}
	}
	if file == nil {
		p.note("The planfile is encrypted, so its state is unknown: times decide whether a later apply supersedes this plan.")
		if p.workspace.Target.Destroy && !p.o.RefreshOnly {
			p.Record.Mode = string(planfile.ModeDestroy)
		}
	} else {
		p.empty = file.NoResources
		p.Record.Mode, p.Record.Targets, p.Record.Replace = string(file.Mode()), file.Targets(), file.Replace()
		p.Record.State = MadeOn(file)
	}
	p.o.Positions.tell(p.Name, p.Record.State, p.Changes.Counts.Any())
	return nil
}

// keepFiles moves the planfile and its JSON to a folder that later steps of the job can read. Both
// contain secrets in clear text, so it does so only if the workflow asks for it.
func (p *planner) keepFiles() error {
	dir, err := os.MkdirTemp(p.workspace.Context.TempDir, "gitops-kept-")
	if err != nil {
		return fmt.Errorf("keep the planfile: %w", err)
	}
	p.Outcome.Planfile, p.Outcome.JSON = filepath.Join(dir, filepath.Base(p.planfile)), filepath.Join(dir, filepath.Base(p.json))
	if err := errors.Join(os.Rename(p.planfile, p.Outcome.Planfile), os.Rename(p.json, p.Outcome.JSON)); err != nil {
		return fmt.Errorf("keep the planfile: %w", err)
	}
	return nil
}

func (p *planner) unknown(format string, args ...any) {
	p.Unknown = append(p.Unknown, fmt.Sprintf(format, args...))
}

func (p *planner) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}
