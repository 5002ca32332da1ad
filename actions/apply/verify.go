package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/target"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// verify proves that the planfile is the one that was reviewed, and that it fits
// what was merged. After it, Terraform is ready to apply.
func (a *applying) verify(ctx context.Context) error {
	err := a.prepare(ctx)
	var version *versionError
	if errors.As(err, &version) || terraform.Unsupported(err) {
		// The planfile's own version may be to be had, where the settings allow it.
		if another, findErr := a.job.AnotherTerraform(ctx, a.cli, terraform.Version{Name: a.stored.Record.TerraformName, Number: a.stored.Record.TerraformVersion}); findErr == nil && another {
			err = a.prepare(ctx)
		}
	}
	if errors.As(err, &version) {
		return a.refuse(version, "Install the same version in both workflows, or plan the pull request again with this one.")
	}
	if err != nil {
		return err
	}
	if err := a.cli.CheckApply(a.planfile); err != nil { // before the claim: nothing is used up
		return fmt.Errorf("apply %s: %w", a.job.Target, err)
	}
	switch {
	case a.Verification == None:
		a.view.Verification = "Not verified: the configuration was not compared with the planned one (verification: none)."
		return nil
	case a.Verification == Replan:
		return a.replan(ctx)
	case a.inside == nil:
		a.view.Verification = "The planfile is encrypted: the configuration was compared with the plan record only."
		return nil
	}
	different, err := a.inside.CompareConfig(a.cli.Dir, a.cli.DataDir, a.stored.Record.TerraformName)
	if err != nil {
		return fmt.Errorf("compare the planfile of %s with the checkout: %w", a.job.Target, err)
	}
	return a.refuseDifference(different)
}

// prepare fetches the planfile and initializes Terraform, and meanwhile checks
// what needs neither.
func (a *applying) prepare(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return a.checkVersion(ctx) })
	compare := a.Verification == Strict
	if compare && a.cli.Atmos == nil {
		all.Go(func() error { return a.compareRecord(ctx) })
	}
	all.Go(func() error {
		if err := a.fetch(ctx); err != nil {
			return err
		}
		var lock []byte
		if a.inside != nil {
			lock = a.inside.LockFile
		}
		if err := a.job.Init(ctx, a.cli, lock); err != nil {
			return fmt.Errorf("apply %s: %w", a.job.Target, err)
		}
		if compare && a.cli.Atmos != nil { // which may bring the component itself with the init
			return a.compareRecord(ctx)
		}
		return nil
	})
	return all.Wait()
}

// fetch brings the planfile, verified by its digest.
func (a *applying) fetch(ctx context.Context) error {
	a.planfile = filepath.Join(a.job.Dir, "plan.tfplan")
	err := a.store.Fetch(ctx, a.stored.Record, a.planfile)
	if errors.Is(err, planstore.ErrDigestMismatch) {
		return a.refuse(err, "The stored planfile is not the one that was reviewed: find out who wrote it, then plan the pull request again.")
	}
	if err != nil {
		return err
	}
	a.inside, err = terraform.OpenPlanfile(a.planfile)
	if errors.Is(err, terraform.ErrEncryptedPlanfile) {
		a.inside, err = nil, nil
	}
	return err
}

// checkVersion refuses another program or version than the plan's: a planfile is
// only good for that one.
func (a *applying) checkVersion(ctx context.Context) error {
	record := a.stored.Record
	version, err := a.cli.Version(ctx)
	if err != nil {
		return err
	}
	if version.Name == record.TerraformName && version.Number == record.TerraformVersion {
		return nil
	}
	return &versionError{planned: terraform.Version{Name: record.TerraformName, Number: record.TerraformVersion}, found: version}
}

// versionError says that a planfile was made by another version than the one found.
type versionError struct{ planned, found terraform.Version }

func (e *versionError) Error() string {
	return fmt.Sprintf("it was planned with %s and the runner has %s", e.planned, e.found)
}

// compareRecord compares the merged configuration with the one the record says was planned.
func (a *applying) compareRecord(ctx context.Context) error {
	record := a.stored.Record
	now, err := a.job.Target.Configuration(ctx, record.TerraformName, record.TerraformVersion)
	if err != nil {
		return fmt.Errorf("read the configuration of %s: %w", a.job.Target, err)
	}
	if now.Digest == record.ConfigurationDigest {
		return nil
	}
	different := now.Diff(record.Files)
	if len(record.Files) == 0 || len(different) == 0 {
		different = []string{"the record does not list the files"}
	}
	return a.refuseDifference(different)
}

func (a *applying) refuseDifference(different []string) error {
	if len(different) == 0 {
		return nil
	}
	return a.refuse(
		errors.New("the merged configuration differs from the planned one"),
		"The base branch moved after the plan was made. Plan again on top of it: update the pull request's branch before merging, or apply with verification: replan.",
		different...)
}

// replan plans anew, and takes the new planfile if it would change exactly what
// the reviewed one would.
func (a *applying) replan(ctx context.Context) error {
	fresh := filepath.Join(a.job.Dir, "replan.tfplan")
	if _, err := a.cli.Plan(ctx, terraform.PlanOptions{Out: fresh, VarFiles: a.job.VarFiles()}); err != nil {
		return fmt.Errorf("plan %s again: %w", a.job.Target, err)
	}
	reviewed, err := a.read(ctx, a.planfile)
	if err != nil {
		return fmt.Errorf("read the reviewed plan of %s: %w", a.job.Target, err)
	}
	now, err := a.read(ctx, fresh)
	if err != nil {
		return fmt.Errorf("read the new plan of %s: %w", a.job.Target, err)
	}
	if now.Digest != reviewed.Digest {
		return a.refuse(
			errors.New("planned again, it would change something else than what was reviewed"),
			"Plan the pull request again and review the difference.",
			differences(reviewed, now)...)
	}
	a.planfile = fresh
	a.view.Verification = "Planned again before the apply: the new plan changes exactly what was reviewed (verification: replan)."
	return nil
}

// differences names the resources that two plans treat differently.
func differences(reviewed, now *changes.Plan) []string {
	actions := func(p *changes.Plan) map[string]changes.Resource {
		all := map[string]changes.Resource{}
		for _, r := range p.Resources {
			all[r.Address+r.Deposed] = r
		}
		return all
	}
	before, after := actions(reviewed), actions(now)
	var list []string
	for _, key := range slices.Sorted(maps.Keys(before)) {
		switch r, still := after[key]; {
		case !still:
			list = append(list, fmt.Sprintf("%s: reviewed %s, now nothing", key, before[key].Action))
		case r.Action != before[key].Action:
			list = append(list, fmt.Sprintf("%s: reviewed %s, now %s", key, before[key].Action, r.Action))
		case !reflect.DeepEqual(r, before[key]):
			list = append(list, fmt.Sprintf("%s: %s with other values", key, r.Action))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, was := before[key]; !was {
			list = append(list, fmt.Sprintf("%s: reviewed nothing, now %s", key, after[key].Action))
		}
	}
	if len(list) == 0 {
		list = []string{"values that are sensitive, or beyond what is shown here"}
	}
	return list
}

func (a *applying) read(ctx context.Context, planfile string) (plan *changes.Plan, err error) {
	err = a.cli.ShowJSON(ctx, planfile, func(r io.Reader) (err error) {
		plan, err = changes.Read(r, changes.Limit{Bytes: report.SummaryLimit / 4})
		return err
	})
	return plan, err
}

// describe copies what is known of the plan into the summary.
func (a *applying) describe() {
	r := a.stored.Record
	a.view.Commit, a.view.PullRequest, a.view.Digest, a.view.RecordID = r.Commit, r.PullRequest, r.Digest, r.ID()
	a.view.Planned, a.view.BaseCommit, a.view.CreatedAt = r.Counts, r.BaseCommit, r.CreatedAt
	a.view.RunURL, a.view.Actor = a.job.Context.RunURL, a.job.Context.Actor
	a.view.TerraformName, a.view.TerraformVersion = r.TerraformName, r.TerraformVersion
	if a.Debug {
		a.view.Settings = a.job.Origins()
	}
}

// rescueState stores the state that Terraform could not persist, before the
// runner vanishes with it; path is empty when there is none. Where it can't be
// stored, the file is left where it is and the error says so.
func (a *applying) rescueState(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	location, err := a.store.PutErroredState(ctx, a.stored.Record, a.job.Run(), path)
	if err != nil {
		return fmt.Errorf("%w: Terraform could not write it to its backend, and it is in %s on this runner: save it before the runner is gone", err, path)
	}
	a.view.ErroredState = &report.ErroredState{
		StoredAt: location,
		Commands: pushCommands(location, a.stored.Record.TerraformName, a.job.Target),
	}
	return os.Remove(path)
}

// pushCommands bring a rescued state back to its backend, from a checkout of the
// repository. program is what wrote it, terraform or tofu.
func pushCommands(location, program string, t target.Target) []string {
	fetch := "cp "
	if strings.HasPrefix(location, "s3://") {
		fetch = "aws s3 cp "
	}
	commands := []string{"cd " + quote(t.Dir), fetch + quote(location) + " errored.tfstate"}
	if t.Atmos != nil { // writes the backend, and selects the workspace
		workspace := fmt.Sprintf("atmos terraform workspace %s -s %s", quote(t.Component), quote(t.Stack))
		return []string{workspace, commands[0], commands[1], program + " state push errored.tfstate", "rm errored.tfstate"}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		commands = append(commands, "export "+name+"="+quote(t.Env[name]))
	}
	initialize := program + " init"
	for _, setting := range t.BackendConfig {
		if !strings.Contains(setting, "=") { // a file, relative to the checkout
			if relative, err := filepath.Rel(t.Dir, setting); err == nil {
				setting = relative
			}
		}
		initialize += " -backend-config=" + quote(setting)
	}
	commands = append(commands, initialize)
	if t.Workspace != "" {
		commands = append(commands, program+" workspace select -or-create "+quote(t.Workspace))
	}
	return append(commands, program+" state push errored.tfstate", "rm errored.tfstate")
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
