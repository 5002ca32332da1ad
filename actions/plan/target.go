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
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/modules"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// planning is the work on one target.
type planning struct {
	*session
	job   *job.Job
	store *planstore.Store
	notes []string
	// cautions stand above the numbers; see checkState.
	cautions []string
	// positions are those of the states of the targets that this run plans; nil when it
	// plans one.
	positions *positions

	record      planstore.Record
	stored      bool
	planfile    string // empty when there is none
	planJSON    string // empty unless asked for
	changes     *changes.Plan
	diagnostics []terraform.Diagnostic
	built       job.Built // the files that travel with the plan
	noResources bool      // there was none in the state before the plan
	error       error     // of the plan itself: see session.target
	// waits are the dependencies that have to be applied before this target can be planned.
	waits []inventory.Name

	locking  *planstore.Lock // that was taken, or is another's; nil when none was asked for
	lockedBy string          // says whose it is
}

// one plans the target that the inputs name.
func (s *session) one(ctx context.Context) (job.Result, error) {
	p, err := s.target(ctx, inventory.Name{Component: s.Component, Stack: s.Stack}, nil)
	var skipped *job.Skipped
	if errors.As(err, &skipped) {
		return skipped.Result(s.Runtime, (&planning{session: s}).outputs()), nil
	}
	if p == nil {
		return job.Result{}, err
	}
	result, reportErr := p.report(ctx)
	trouble := errors.Join(err, reportErr, p.job.Close())
	if p.stored {
		s.clearStatus(ctx, p.record.Target)
	}
	if len(result.Annotations) > 0 && trouble != nil {
		result.Annotations = append(result.Annotations, gha.Annotation{Message: problem.Text(trouble)})
	}
	return result, errors.Join(p.error, trouble)
}

// target plans a target and stores the plan. Without a planning there is nothing to
// report; the error beside one is not of the plan itself, whose own is in it. The job of
// a planning is to be closed.
func (s *session) target(ctx context.Context, name inventory.Name, positions *positions) (_ *planning, err error) {
	defer positions.never(name)
	j, err := s.repository.Open(ctx, name, s.Inputs.Inputs)
	if err != nil {
		return nil, err
	}
	p := &planning{session: s, job: j, positions: positions}
	reportable := false
	defer func() {
		if !reportable {
			err = errors.Join(err, j.Close())
		}
	}()
	if err := p.identify(ctx); err != nil {
		return nil, err
	}
	if err := p.lock(ctx); err != nil {
		return nil, err
	}
	p.error = p.plan(ctx)
	if p.error != nil && ctx.Err() != nil {
		return nil, problem.With(problem.Cancelled, fmt.Errorf("%w: interrupted: nothing was stored: run this job again", p.error))
	}
	if err := p.waitForValue(ctx); err != nil {
		return nil, err
	}
	if p.error != nil && p.record.Outcome != planstore.OutcomeFailed {
		return nil, errors.Join(p.error, p.putDriftResult(ctx))
	}
	// A dependency may have to wait for the same folder.
	if err := j.LeaveFolder(); err != nil {
		return nil, err
	}
	if err := p.wait(ctx); err != nil {
		return nil, err
	}
	var trouble error // beside Terraform's own
	if s.Store {
		if p.record.Dependencies, err = positions.of(ctx, j.Target.DependsOn); err != nil {
			return nil, err
		}
		stored, err := p.store.PutWithFiles(ctx, p.record, p.planfile, p.built.Archive)
		switch {
		case err == nil:
			p.record, p.stored = stored, true
		case p.error == nil:
			return nil, err
		default:
			trouble = err
		}
	}
	reportable = true
	return p, errors.Join(trouble, p.putDriftResult(ctx), p.keepLock(ctx))
}

// identify fills the record with what is known before planning, and opens the store.
func (p *planning) identify(ctx context.Context) (err error) {
	if err := p.look(ctx); err != nil {
		return err
	}
	if p.Store {
		if p.store, err = p.openStore(ctx); err != nil {
			return err
		}
	}
	now := p.Now().UTC()
	p.record = planstore.Record{
		Target:      p.job.Key(),
		Commit:      p.commit,
		CreatedAt:   now,
		Run:         p.job.Run(),
		Actor:       p.context.Actor,
		Kind:        planstore.KindChange,
		ExpiresAt:   now.Add(time.Duration(p.RetentionDays) * 24 * time.Hour),
		PullRequest: p.pull.Number, Branch: p.pull.Branch, BaseCommit: p.pull.Base,
	}
	if p.Drift {
		p.record.Kind, p.record.ExpiresAt = planstore.KindDrift, now.Add(driftExpiry)
	}
	if p.checkout.IsMergeOf(p.commit) {
		p.record.BaseCommit = p.checkout.Parents[0]
		p.notes = append(p.notes, fmt.Sprintf("Planned as merged into %s: the workspace holds that merge.", job.Short(p.record.BaseCommit)))
	}
	return nil
}

// openStore opens the target's plan store; many targets share one.
func (p *planning) openStore(ctx context.Context) (*planstore.Store, error) {
	settings := p.job.Target.Settings
	role := p.storageRole(settings)
	if p.positions == nil {
		return p.job.Store(ctx, role, p.Now)
	}
	return p.repository.StoreOf(ctx, settings, role, p.Now)
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

	var building *job.Building
	if p.store != nil && !p.RefreshOnly {
		if building, err = p.job.WatchFiles(ctx); err != nil {
			return err
		}
	}
	planfile := filepath.Join(p.job.Dir, "plan.tfplan")
	var read fingerprint.Reading
	if t.Atmos == nil { // which may bring the component itself as it runs
		if read, err = fingerprint.Read(ctx, t, fingerprint.JobFiles(t, p.Environ)...); err != nil {
			return err
		}
	}
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
	whole := ctx
	var broad []fingerprint.Broad
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		if err := p.read(ctx, cli, planfile); err != nil {
			return fmt.Errorf("read the plan of %s: %w", t, err)
		}
		return nil
	})
	both.Go(func() error {
		if t.Atmos != nil {
			var err error
			if read, err = fingerprint.Read(ctx, t, fingerprint.JobFiles(t, p.Environ)...); err != nil {
				return fmt.Errorf("read the configuration of %s: %w", t, err)
			}
		}
		configuration := read.Configuration(made.Version.Name, made.Version.Number)
		p.record.ConfigurationDigest, p.record.Files = configuration.Digest, configuration.Files
		broad = configuration.Broad
		return nil
	})
	if err := both.Wait(); err != nil {
		return err
	}
	if err := p.checkState(whole, cli); err != nil {
		return err
	}
	for _, b := range broad {
		p.notes = append(p.notes, tooBroad(b))
	}
	p.planfile = planfile
	p.record.Outcome = planstore.OutcomeNoChanges
	// To apply a refresh-only plan would only make the state say that all is well.
	if !p.RefreshOnly && (made.HasChanges || p.changes.Counts.Any()) {
		p.record.Outcome = planstore.OutcomeChanges
	}
	if building != nil && p.record.Outcome == planstore.OutcomeChanges {
		if p.built, err = building.Pack(whole, cli); err != nil {
			return err
		}
	}
	for _, pattern := range p.built.Unmatched {
		p.notes = append(p.notes, fmt.Sprintf("No file that Git does not track fits `%s` of plan-files.", pattern))
	}
	return nil
}

func (p *planning) runTerraform(ctx context.Context, cli *terraform.CLI, planfile string) (terraform.PlanResult, error) {
	var modules modules.Files
	atmos := cli.Atmos != nil // whose plan begins with an init
	if !atmos {
		if err := p.job.Init(ctx, cli, nil); err != nil {
			return terraform.PlanResult{}, err
		}
		var err error
		if modules, err = cli.ModuleFiles(false); err != nil { // before the plan, which may write there
			return terraform.PlanResult{}, err
		}
	}
	made, err := p.job.Plan(ctx, cli, terraform.PlanOptions{Out: planfile, RefreshOnly: p.RefreshOnly})
	if err == nil && atmos {
		modules, err = cli.ModuleFiles(true)
	}
	if err == nil {
		p.record.ModulesDigest, p.record.ModuleFiles = modules.Digest, modules.Bounded(planstore.MaxModuleFiles)
	}
	return made, err
}

// tooBroad says for which expression files count that have nothing to do with the target.
func tooBroad(b fingerprint.Broad) string {
	all := "every file of the repository counts"
	if b.Folder != "." {
		all = "every file in " + b.Folder + " counts"
	}
	return fmt.Sprintf("For this target, %s, since nothing constant says which file is read: %s. Name a folder in the expression, or list under `ignore` in gitops.yaml what it does not read.", all, b.Why)
}

// detailBytes is how much of resources' details is kept for the report, which
// is at most report.SummaryLimit long.
const detailBytes = markdown.SummaryLimit

// read reads what the planfile would change, and the state it was made on.
func (p *planning) read(ctx context.Context, cli *terraform.CLI, path string) error {
	err := cli.ShowJSON(ctx, path, func(r io.Reader) (err error) {
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
	file, err := planfile.Open(path)
	if errors.Is(err, planfile.ErrEncrypted) {
		p.positions.tell(p.job.Target.Name(), nil, p.changes.Counts.Any())
		p.notes = append(p.notes, "The planfile is encrypted: the state it was made on is unknown, so times decide whether a later apply supersedes it.")
		return nil
	}
	if err != nil {
		return err
	}
	p.noResources = file.NoResources
	p.record.Mode, p.record.Targets, p.record.Replace = string(file.Mode()), file.Targets(), file.Replace()
	p.record.State = &planstore.StatePosition{Lineage: file.Lineage, Serial: file.Serial}
	p.positions.tell(p.job.Target.Name(), p.record.State, p.changes.Counts.Any())
	return nil
}
