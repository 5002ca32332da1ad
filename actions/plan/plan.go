// Command plan is the plan action: it plans one component in one stack, keeps
// the planfile in the plan store, and shows a reviewer what would change.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Inputs are the action's inputs; action.yml describes them.
type Inputs struct {
	job.Inputs
	Drift         bool
	RefreshOnly   bool // a drift plan of mode refresh-only
	Store         bool
	RetentionDays int
	Comment       bool
	KeepFiles     bool
}

// Deps are what Run works with, so that a test can replace them.
type Deps struct {
	Runtime *gha.Runtime
	Environ []string // of the process: what of it Terraform may see is decided by package terraform
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled ctx.
	Signals <-chan os.Signal
}

// ReadInputs reads the action's inputs. Its error names each that is missing or
// out of its choices.
func ReadInputs(r *gha.Runtime) (Inputs, error) {
	read := r.Inputs()
	in := Inputs{
		Inputs:        job.ReadInputs(r, read, "plan-role"),
		Drift:         read.Bool("drift-detection-mode-enabled", false),
		RefreshOnly:   read.Choice("mode", "plan", "refresh-only") == "refresh-only",
		Store:         read.Bool("plan-storage", true),
		RetentionDays: read.Int("metadata-retention-days", 14, 1, 365),
		Comment:       read.Bool("pr-comment", false),
		KeepFiles:     read.Bool("keep-plan-files", false),
	}
	if err := read.Err(); err != nil {
		return Inputs{}, err
	}
	if in.RefreshOnly && !in.Drift {
		return Inputs{}, errors.New("input `mode` is refresh-only, and `drift-detection-mode-enabled` is not true: only a drift plan can be refresh-only, since what it plans is not for applying")
	}
	return in, in.Check()
}

// Run plans the target, stores the planfile with its record, and reports.
//
// A plan that Terraform could not make is recorded as failed, so that an apply
// of this commit says so, and is an error. An interrupted run leaves no record.
// In drift mode what was found is stored, too, or why nothing was.
func Run(ctx context.Context, in Inputs, d Deps) (result job.Result, err error) {
	p, err := begin(ctx, in, d)
	var skipped *job.Skipped
	if errors.As(err, &skipped) {
		return skipped.Result(d.Runtime, (&planning{}).outputs()), nil
	}
	if err != nil {
		return job.Result{}, err
	}
	defer func() { err = errors.Join(err, p.job.Close()) }()

	planErr := p.plan(ctx)
	switch {
	case planErr != nil && ctx.Err() != nil:
		return job.Result{}, fmt.Errorf("%w: interrupted: nothing was stored: run this job again", planErr)
	case planErr != nil && p.record.Outcome != planstore.OutcomeFailed:
		return job.Result{}, errors.Join(planErr, p.putDriftResult(ctx, planErr))
	}
	var trouble error // beside Terraform's own
	if in.Store {
		stored, err := p.store.Put(ctx, p.record, p.planfile)
		switch {
		case err == nil:
			p.record, p.stored = stored, true
		case planErr == nil:
			return job.Result{}, err
		default:
			trouble = err
		}
	}
	trouble = errors.Join(trouble, p.putDriftResult(ctx, planErr))
	result, err = p.report(ctx, planErr)
	trouble = errors.Join(trouble, err)
	if len(result.Annotations) > 0 && trouble != nil {
		result.Annotations = append(result.Annotations, gha.Annotation{Message: trouble.Error()})
	}
	return result, errors.Join(planErr, trouble)
}

// planning is the work on one target.
type planning struct {
	Inputs
	Deps
	job   *job.Job
	event gha.Event
	store *planstore.Store
	notes []string

	record      planstore.Record
	stored      bool
	planfile    string // empty when there is none
	planJSON    string // empty unless asked for
	changes     *changes.Plan
	diagnostics []terraform.Diagnostic
}

// begin checks everything that can be checked before Terraform runs.
func begin(ctx context.Context, in Inputs, d Deps) (*planning, error) {
	event, err := d.Runtime.Event()
	if err != nil {
		return nil, err
	}
	actx := d.Runtime.Context()
	if actx.EventName == "pull_request_target" {
		return nil, errors.New("plan refuses to run on pull_request_target: it would run a stranger's code with this repository's credentials: use the pull_request event")
	}
	pr := event.PullRequest
	if pr != nil && in.Drift {
		return nil, fmt.Errorf("drift mode is for the default branch, and this is pull request #%d: all that it changes would be taken for drift: run it on a schedule", pr.Number)
	}
	if pr != nil && pr.Fork {
		return nil, fmt.Errorf("pull request #%d comes from a fork: GitHub gives its workflows no ID token and no secrets, so it can't be planned here: a maintainer can push its commits to a branch of this repository", pr.Number)
	}
	commit := in.SHA
	if commit == "" && pr != nil {
		commit = pr.Head.SHA
	}
	if commit == "" {
		commit = actx.SHA
	}
	if !job.IsCommit(commit) {
		return nil, errors.New("no commit to plan: the event has none; give the input `sha`")
	}

	j, err := job.Open(ctx, d.Runtime, d.Environ, in.Inputs)
	if err != nil {
		return nil, err
	}
	p := &planning{Inputs: in, Deps: d, job: j, event: event}
	if err := p.identify(ctx, commit); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return p, nil
}

// identify fills the record with what is known before planning, and opens the store.
func (p *planning) identify(ctx context.Context, commit string) error {
	checkout, err := job.ReadCheckout(ctx, p.job.Context.Workspace)
	if err != nil {
		return err
	}
	if !checkout.Holds(commit) {
		return fmt.Errorf("the workspace holds commit %s, and %s is to be planned: check it out first (`actions/checkout` with `ref: %[2]s`)", job.Short(checkout.Commit), commit)
	}
	if p.Store {
		if p.store, err = p.job.Store(ctx, p.job.Target.Settings.PlanStorageRole, p.Now); err != nil {
			return err
		}
	}
	now := p.Now().UTC()
	p.record = planstore.Record{
		Target:    p.job.Key(),
		Commit:    commit,
		CreatedAt: now,
		Run:       p.job.Run(),
		Actor:     p.job.Context.Actor,
		Kind:      planstore.KindChange,
		ExpiresAt: now.Add(time.Duration(p.RetentionDays) * 24 * time.Hour),
	}
	if p.Drift {
		p.record.Kind, p.record.ExpiresAt = planstore.KindDrift, now.Add(driftExpiry)
	}
	if pr := p.event.PullRequest; pr != nil {
		p.record.PullRequest, p.record.Branch, p.record.BaseCommit = pr.Number, pr.Head.Ref, pr.Base.SHA
	}
	if checkout.IsMergeOf(commit) {
		p.record.BaseCommit = checkout.Parents[0]
		p.notes = append(p.notes, fmt.Sprintf("Planned as merged into %s: the workspace holds that merge.", job.Short(p.record.BaseCommit)))
	}
	return nil
}

// plan runs Terraform. Its error with the record's outcome "failed" is
// Terraform's refusal of the configuration; any other is ours or the runner's.
func (p *planning) plan(ctx context.Context) error {
	t := p.job.Target
	cli, err := p.job.Terraform(ctx, p.job.Target.Settings.PlanRole, p.Now)
	if err != nil {
		return err
	}
	cli.Signals = p.Signals
	log := p.Runtime.Group("terraform plan: " + t.String())
	defer log.Close()
	cli.Log = log

	planfile := filepath.Join(p.job.Dir, "plan.tfplan")
	made, err := p.runTerraform(ctx, cli, planfile)
	if terraform.Unsupported(err) {
		if another, findErr := p.job.AnotherTerraform(ctx, cli, terraform.Version{}); findErr != nil {
			return findErr
		} else if another {
			made, err = p.runTerraform(ctx, cli, planfile)
		}
	}
	p.diagnostics = made.Diagnostics
	p.record.TerraformName, p.record.TerraformVersion = made.Version.Name, made.Version.Number
	if err != nil {
		var failed *terraform.CommandError
		if errors.As(err, &failed) && ctx.Err() == nil {
			p.diagnostics = failed.Diagnostics
			p.record.Outcome = planstore.OutcomeFailed
		}
		return fmt.Errorf("plan %s: %w", t, err)
	}
	// Reading the plan and the configuration are independent; both take a process.
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		if err := p.read(ctx, cli, planfile); err != nil {
			return fmt.Errorf("read the plan of %s: %w", t, err)
		}
		return nil
	})
	both.Go(func() error {
		configuration, err := t.Configuration(ctx, made.Version.Name, made.Version.Number)
		if err != nil {
			return fmt.Errorf("read the configuration of %s: %w", t, err)
		}
		p.record.ConfigurationDigest, p.record.Files = configuration.Digest, configuration.Files
		return nil
	})
	if err := both.Wait(); err != nil {
		return err
	}
	p.planfile = planfile
	p.record.Outcome = planstore.OutcomeNoChanges
	// To apply a refresh-only plan would only make the state say that all is well.
	if !p.RefreshOnly && (made.HasChanges || p.changes.Counts.Any()) {
		p.record.Outcome = planstore.OutcomeChanges
	}
	return nil
}

func (p *planning) runTerraform(ctx context.Context, cli *terraform.CLI, planfile string) (terraform.PlanResult, error) {
	if cli.Atmos == nil { // whose plan begins with an init
		if err := p.job.Init(ctx, cli, nil); err != nil {
			return terraform.PlanResult{}, err
		}
	}
	return cli.Plan(ctx, terraform.PlanOptions{Out: planfile, VarFiles: p.job.VarFiles(), RefreshOnly: p.RefreshOnly})
}

// detailBytes is how much of resources' details is kept for the report, which
// is at most report.SummaryLimit long.
const detailBytes = report.SummaryLimit

// read reads what the planfile would change, and the state it was made on.
func (p *planning) read(ctx context.Context, cli *terraform.CLI, planfile string) error {
	err := cli.ShowJSON(ctx, planfile, func(r io.Reader) (err error) {
		if p.KeepFiles {
			p.planJSON = filepath.Join(p.job.Dir, "plan.json")
			f, openErr := os.OpenFile(p.planJSON, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if openErr != nil {
				return openErr
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			r = io.TeeReader(r, f)
		}
		read := changes.Read
		if p.Drift {
			read = changes.ReadDrift
		}
		p.changes, err = read(r, changes.Limit{Bytes: detailBytes})
		return err
	})
	if err != nil {
		return err
	}
	p.record.Counts = p.changes.Counts
	file, err := terraform.OpenPlanfile(planfile)
	if errors.Is(err, terraform.ErrEncryptedPlanfile) {
		p.notes = append(p.notes, "The planfile is encrypted: the state it was made on is unknown, so times decide whether a later apply supersedes it.")
		return nil
	}
	if err != nil {
		return err
	}
	p.record.State = &planstore.StatePosition{Lineage: file.Lineage, Serial: file.Serial}
	return nil
}
