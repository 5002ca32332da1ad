package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// verify proves that the planfile is the reviewed one, and that it fits the merged commit. After it,
// Terraform is ready to apply.
func (w *Work) verify(ctx context.Context) error {
	err := w.prepare(ctx)
	var version *versionError
	if errors.As(err, &version) || terraform.Unsupported(err) {
		// Try the version that made the planfile, if the settings allow it.
		if another, findErr := w.tf.Another(ctx, terraform.Version{Name: w.stored.Record.TerraformName, Number: w.stored.Record.TerraformVersion}); findErr == nil && another {
			err = w.prepare(ctx)
		}
	}
	if errors.As(err, &version) {
		return w.Refuse(version, w.advice().version)
	}
	if err != nil {
		return err
	}
	if w.inside != nil { // the record was checked before; it may be forged
		if err := w.checkState(&planstore.StatePosition{Lineage: w.inside.Lineage, Serial: w.inside.Serial}, w.inside.NoResources); err != nil {
			return err
		}
	}
	if err := w.tf.CheckApply(w.planfile); err != nil { // before the claim, so that the plan can still be applied later
		return fmt.Errorf("apply %s: %w", w.Workspace.Target, err)
	}
	if w.inside == nil {
		// A drift plan's planfile is from a role that no pull request can assume, and
		// drift-remediation has no input for the verification: plan again instead of refusing.
		switch drift := w.stored.Record.Kind == planstore.KindDrift; {
		case w.options.Verification == Replan, w.anew != "", drift && w.options.Verification == Strict:
			if err := w.placeFiles(ctx); err != nil {
				return err
			}
			return w.replan(ctx)
		case w.options.Verification == Strict:
			return w.refuseEncrypted()
		}
	} else {
		if err := w.compare(); err != nil {
			return err
		}
		if err := w.checkForged(ctx); err != nil {
			return err
		}
	}
	if err := w.placeFiles(ctx); err != nil {
		return err
	}
	if w.options.Verification == Replan || w.anew != "" || len(w.moved) > 0 {
		return w.replan(ctx)
	}
	w.tellVerified()
	return nil
}

// compare compares the configuration in the planfile with the checkout.
func (w *Work) compare() error {
	if w.options.Verification != Strict {
		return nil
	}
	different, err := w.tf.CompareConfig(w.inside, w.stored.Record.TerraformName)
	if err != nil {
		return fmt.Errorf("compare the planfile of %s with the checkout: %w", w.Workspace.Target, err)
	}
	return w.refuseDifference(different)
}

// prepare fetches the planfile and runs Terraform's init. At the same time it makes the checks that
// need neither.
func (w *Work) prepare(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	compare := w.options.Verification == Strict
	if compare && !w.tf.PlanInitializes() {
		all.Go(func() error { return w.compareRecord(ctx) })
	}
	all.Go(func() error {
		if err := w.fetch(ctx); err != nil {
			return err
		}
		var lock []byte
		if w.inside != nil {
			lock = w.inside.LockFile
		}
		err := w.tf.Init(ctx, lock)
		// Init tells the version, and another version may be the reason why it failed.
		var other *versionError
		if versionErr := w.checkVersion(ctx); err == nil || errors.As(versionErr, &other) {
			err = versionErr
		}
		if err != nil {
			return fmt.Errorf("apply %s: %w", w.Workspace.Target, err)
		}
		if compare && w.tf.PlanInitializes() { // Atmos may write the component's files only in its init
			if err := w.compareRecord(ctx); err != nil {
				return err
			}
		}
		return w.compareModules()
	})
	return all.Wait()
}

// fetch downloads the planfile and verifies its digest.
func (w *Work) fetch(ctx context.Context) error {
	w.planfile = filepath.Join(w.Workspace.Dir, "plan.tfplan")
	// With another version of Terraform, prepare runs a second time.
	if err := os.Remove(w.planfile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	storedAt, err := w.store.Fetch(ctx, w.stored.Record, w.planfile)
	if errors.Is(err, planstore.ErrDigestMismatch) {
		return w.Refuse(err, w.advice().tampered)
	}
	if err != nil {
		return err
	}
	w.storedAt = storedAt
	w.inside, err = plan.Open(w.planfile)
	return err
}

// checkVersion refuses another program or version than the plan's, since only that one can apply
// the planfile.
func (w *Work) checkVersion(ctx context.Context) error {
	record := w.stored.Record
	version, err := w.tf.Version(ctx)
	if err != nil {
		return err
	}
	if version.Name == record.TerraformName && version.Number == record.TerraformVersion {
		return nil
	}
	return &versionError{planned: terraform.Version{Name: record.TerraformName, Number: record.TerraformVersion}, found: version}
}

// versionError says that another version made the planfile than the one that was found.
type versionError struct{ planned, found terraform.Version }

// Code returns problem.TerraformVersion.
func (e *versionError) Code() problem.Code { return problem.TerraformVersion }

func (e *versionError) Error() string {
	return fmt.Sprintf("it was planned with %s, but the runner has %s", e.planned, e.found)
}

// compareRecord compares the merged configuration with the one in the plan's record.
func (w *Work) compareRecord(ctx context.Context) error {
	record := w.stored.Record
	if err := w.refuseOlder(); err != nil {
		return err
	}
	now, err := fingerprint.Of(ctx, w.Workspace.Target, record.TerraformName, record.TerraformVersion, fingerprint.Extra(record.Files)...)
	if err != nil {
		return fmt.Errorf("read the configuration of %s: %w", w.Workspace.Target, err)
	}
	different := now.Diff(record.Files)
	if now.Digest == record.ConfigurationDigest && (len(record.Files) == 0 || len(different) == 0) {
		return nil
	}
	if len(record.Files) == 0 || len(different) == 0 {
		different = []string{"the record does not list the files"}
	}
	return w.refuseDifference(different)
}

// refuseOlder refuses a plan of an older version of these actions, whose record is incomplete.
func (w *Work) refuseOlder() error {
	if w.stored.Record.ModulesDigest != "" {
		return nil
	}
	return w.Refuse(
		problem.With(problem.MovedConfiguration, errors.New("the plan was made by an older version of these actions, which recorded fewer files than are compared now")),
		w.advice().again)
}

// compareModules compares the modules that init has installed from outside of the repository with
// those of the plan. The planfile contains only their .tf files. Other files, such as scripts, are
// read during the apply, and a new plan doesn't show them either.
func (w *Work) compareModules() error {
	record := w.stored.Record
	if w.options.Verification == None {
		return nil
	}
	if err := w.refuseOlder(); err != nil {
		return err
	}
	now, err := w.tf.ModuleFiles(false)
	if err != nil {
		return fmt.Errorf("compare the modules of %s with those used by the plan: %w", w.Workspace.Target, err)
	}
	if now.Digest == record.ModulesDigest {
		return nil
	}
	different := fingerprint.Differences(now.As(record.ModuleFiles), record.ModuleFiles)
	if len(record.ModuleFiles) == 0 && len(now.Files) > 0 || len(different) == 0 {
		different = []string{"modules from outside the repository, whose files the record does not list"}
	}
	return w.Refuse(
		problem.With(problem.MovedConfiguration, errors.New("files of modules from outside the repository differ from those used by the plan")),
		w.advice().modules,
		different...)
}

func (w *Work) refuseDifference(different []string) error {
	if len(different) == 0 {
		return nil
	}
	return w.Refuse(
		problem.With(problem.MovedConfiguration, errors.New("the merged configuration differs from the planned one")),
		w.advice().moved,
		different...)
}
