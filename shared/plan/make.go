package plan

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/modules"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// Terraform makes plans: it is a *[workspace.Terraform], or a test's double.
type Terraform interface {
	// PlanInitializes reports whether Plan begins with an init of its own.
	PlanInitializes() bool
	// Init uses the dependency lock file lock if the root module has none.
	Init(ctx context.Context, lock []byte) error
	Plan(ctx context.Context, o terraform.PlanOptions) (terraform.PlanResult, error)
	// ModuleFiles returns the modules that init has installed from outside of the repository.
	ModuleFiles(planned bool) (modules.Files, error)
	ShowJSON(ctx context.Context, planfile string, read func(io.Reader) error) error
	// StateInCheckout returns the path of the state file if the backend keeps it in the checkout.
	StateInCheckout() (string, error)
	// LogTo writes the output of all later commands to log.
	LogTo(log io.Writer)
	// Another switches to another version. It returns false if no other one is found.
	Another(ctx context.Context, planned terraform.Version) (bool, error)
}

// Request says how to plan.
type Request struct {
	Planfile    string // path to write it to
	Destroy     bool
	RefreshOnly bool
	Initialized bool // an init with this Terraform is done
}

// Made is a plan that Terraform has made.
type Made struct {
	terraform.PlanResult
	Planfile string
	Modules  modules.Files // as they were when the plan was made
}

// Make initializes, plans, and writes the planfile. If the configuration does not allow this
// version of Terraform, it looks for one that is allowed, and tries once more.
func Make(ctx context.Context, tf Terraform, r Request) (Made, error) {
	made, err := attempt(ctx, tf, r)
	if !terraform.Unsupported(err) {
		return made, err
	}
	another, findErr := tf.Another(ctx, terraform.Version{})
	switch {
	case findErr != nil:
		return made, findErr
	case !another:
		return made, err
	}
	r.Initialized = false
	return attempt(ctx, tf, r)
}

func attempt(ctx context.Context, tf Terraform, r Request) (made Made, err error) {
	made.Planfile = r.Planfile
	if !tf.PlanInitializes() {
		if !r.Initialized {
			if err := tf.Init(ctx, nil); err != nil {
				return made, err
			}
		}
		if made.Modules, err = tf.ModuleFiles(false); err != nil { // before the plan, which may write there
			return made, err
		}
	}
	made.PlanResult, err = tf.Plan(ctx, terraform.PlanOptions{Out: r.Planfile, Destroy: r.Destroy, RefreshOnly: r.RefreshOnly})
	if err == nil && tf.PlanInitializes() {
		made.Modules, err = tf.ModuleFiles(true)
	}
	return made, err
}

// Detail is how much is kept of what a plan would change.
type Detail struct {
	Bytes  int    // limit for the details of all resources
	Drift  bool   // also compute what tells one drift from another, see [changes.ReadDrift]
	Digest bool   // the digest is needed, also of a plan without changes
	JSON   string // path for a copy of the plan's JSON; empty: no copy
	// Also gets the plan's JSON as it is read; nil: nobody. An error of it is an error of the reading.
	Also io.Writer
	// RefreshOnly says that the plan only compares the infrastructure with the state.
	RefreshOnly bool
	Ignore      []ignore.Rule // only with Drift
}

// Read reads what a plan would change, and the content of its planfile, which is nil if that is
// encrypted. If the plan has no changes, the planfile alone usually tells everything: then
// `show -json` does not run, which would start Terraform and its providers again.
func Read(ctx context.Context, tf Terraform, made Made, d Detail) (plan *changes.Plan, inside *planfile.File, err error) {
	if (!made.HasChanges || d.RefreshOnly) && !d.Digest && d.JSON == "" && d.Also == nil {
		if inside, err = Open(made.Planfile); err != nil {
			return nil, nil, err
		}
		if inside != nil {
			if plan, ok := inside.Unchanged(made.Version.Name); ok {
				return plan, inside, nil
			}
		}
		plan, err = Show(ctx, tf, made.Planfile, d)
		return plan, inside, err
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		plan, err = Show(ctx, tf, made.Planfile, d)
		return err
	})
	both.Go(func() (err error) {
		inside, err = Open(made.Planfile)
		return err
	})
	err = both.Wait()
	return plan, inside, err
}

// Show reads what a planfile would change from the output of `show -json`.
func Show(ctx context.Context, tf Terraform, planfile string, d Detail) (plan *changes.Plan, err error) {
	err = tf.ShowJSON(ctx, planfile, func(r io.Reader) (err error) {
		if d.JSON != "" {
			f, openErr := os.OpenFile(d.JSON, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if openErr != nil {
				return openErr
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			r = io.TeeReader(r, f)
		}
		if d.Also != nil {
			r = io.TeeReader(r, d.Also)
		}
		read := changes.Read
		if d.Drift {
			read = changes.ReadDrift
		}
		plan, err = read(r, changes.Limit{Bytes: d.Bytes, RefreshOnly: d.RefreshOnly, Ignore: d.Ignore})
		return err
	})
	return plan, err
}

// Open reads the content of a planfile. It returns nil if the planfile is encrypted.
func Open(path string) (*planfile.File, error) {
	file, err := planfile.Open(path)
	if errors.Is(err, planfile.ErrEncrypted) {
		return nil, nil //nolint:nilnil // nothing in it can be read
	}
	return file, err
}

// MadeOn returns the lineage and serial of the state that a planfile was made on. It returns nil
// if the planfile is encrypted.
func MadeOn(file *planfile.File) *planstore.StatePosition {
	if file == nil {
		return nil
	}
	return &planstore.StatePosition{Lineage: file.Lineage, Serial: file.Serial}
}
