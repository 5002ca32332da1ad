package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/target"
)

// Repository is what is known of all targets together.
type Repository struct {
	Context gha.Context

	inputs  Inputs
	runtime *gha.Runtime
	environ []string
	list    func(context.Context) ([]target.Listed, error)
	source  source
}

// OpenRepository finds how the workspace's targets are configured: by Atmos, or in
// gitops.yaml.
func OpenRepository(r *gha.Runtime, environ []string, in Inputs) (*Repository, error) {
	actx := r.Context()
	if actx.Workspace == "" || actx.Repository == "" {
		return nil, errors.New("GITHUB_WORKSPACE or GITHUB_REPOSITORY is not set: run this as a step of a GitHub Actions workflow")
	}
	rp := &Repository{Context: actx, inputs: in, runtime: r, environ: environ}
	if in.Config == "" {
		env, found, err := target.FindAtmos(actx.Workspace, in.AtmosConfig, environ)
		if err != nil {
			return nil, err
		}
		if found {
			atmos, from, err := openAtmos(environ, env, in, actx.Workspace)
			if err != nil {
				return nil, err
			}
			rp.source, rp.list = from, atmos.Targets
			return rp, nil
		}
		in.Config = gitopsFile
	}
	rp.source = source{name: in.Config}
	rp.list = func(context.Context) ([]target.Listed, error) {
		config, err := target.Load(actx.Workspace, in.Config)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no %s in the workspace, and no atmos.yaml: add an `actions/checkout` step before this one, or name the file with the input `config`: %w", filepath.Base(in.Config), err)
		} else if err != nil {
			return nil, err
		}
		return config.Targets(), nil
	}
	return rp, nil
}

// Targets lists all targets of the repository.
func (rp *Repository) Targets(ctx context.Context) ([]target.Listed, error) {
	all, err := rp.list(ctx)
	tell(rp.runtime, "atmos describe stacks", err)
	return all, err
}

// Store opens the plan store that all targets have, for drift detection.
func (rp *Repository) Store(ctx context.Context, now func() time.Time) (*planstore.Store, error) {
	var s target.Settings
	override(&s, rp.inputs)
	if s.StorageURL == "" && (s.Bucket == "" || s.Table == "" || s.Region == "" || s.DriftStorageRole == "") {
		all, err := rp.Targets(ctx)
		if err != nil {
			return nil, err
		}
		if s, err = shared(all, rp.inputs); err != nil {
			return nil, err
		}
	}
	request := requestRole(rp.runtime, s, s.DriftStorageRole, awsauth.SessionName(rp.Context.Repository, rp.Context.RunID, "drift-detection"))
	return openStore(ctx, s, request, place{"this repository", rp.Context.Workspace, rp.source.name}, now)
}

// shared are the settings of the plan store that all targets have in common.
func shared(all []target.Listed, in Inputs) (target.Settings, error) {
	var one target.Settings
	for i, t := range all {
		override(&t.Settings, in)
		s := target.Settings{
			Region: t.Settings.Region, Bucket: t.Settings.Bucket, Table: t.Settings.Table, StorageURL: t.Settings.StorageURL,
			DriftStorageRole: t.Settings.DriftStorageRole, Audience: t.Settings.Audience,
		}
		if i > 0 && s != one {
			return one, fmt.Errorf("%s in %s has another plan store than %s in %s: run drift-detection once for each, with the inputs `bucket`, `table`, `region` and `storage-role`", t.Component, t.Stack, all[0].Component, all[0].Stack)
		}
		one = s
	}
	return one, nil
}
