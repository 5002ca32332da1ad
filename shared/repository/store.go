package repository

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/dynamo"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// storeKey identifies a plan store and the credentials that open it.
type storeKey struct{ region, bucket, table, url, role, audience string }

// Effective returns settings that are overridden by the inputs.
func (rp *Repository) Effective(s inventory.Settings) inventory.Effective {
	return s.With(rp.inputs.Overrides)
}

// StoreOf opens the plan store that these settings name, with the credentials of role. It returns
// the same store for the same settings and role. The session name of the credentials contains the
// run, and the target if the inputs name one. It may be called concurrently.
func (rp *Repository) StoreOf(ctx context.Context, s inventory.Effective, role string, now func() time.Time) (*planstore.Store, error) {
	return rp.stores.Get(storeKey{s.Region, s.Bucket, s.Table, s.StorageURL, role, s.Audience}, func() (*planstore.Store, error) {
		of, session := "this repository", []string(nil)
		if one := (inventory.Name{Component: rp.inputs.Component, Stack: rp.inputs.Stack}); one.Component != "" {
			of, session = one.String(), []string{one.Component, one.Stack}
		}
		request := rp.Request(s, role, awsauth.SessionName(rp.Context.Repository, rp.Context.RunID, session...))
		return openStore(ctx, s, request, place{of, rp.Context.Workspace, rp.Source.Name}, now)
	})
}

// Stores opens the plan stores of the listed targets, each once. roleOf chooses the role that
// opens a store.
func (rp *Repository) Stores(ctx context.Context, listed []inventory.Listed, roleOf func(inventory.Effective) string, now func() time.Time) (stores []*planstore.Store, err error) {
	for _, l := range listed {
		s := rp.Effective(l.Settings)
		store, err := rp.StoreOf(ctx, s, roleOf(s), now)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(stores, store) {
			stores = append(stores, store)
		}
	}
	return stores, nil
}

// Store opens the one plan store of all targets, for drift detection.
func (rp *Repository) Store(ctx context.Context, now func() time.Time) (*planstore.Store, error) {
	s := rp.Effective(inventory.Settings{})
	if s.StorageURL == "" && (s.Bucket == "" || s.Table == "" || s.Region == "" || s.DriftStorageRole == "") {
		all, err := rp.Targets(ctx)
		if err != nil {
			return nil, err
		}
		if s, err = rp.shared(all); err != nil {
			return nil, err
		}
	}
	request := rp.Request(s, s.DriftStorageRole, awsauth.SessionName(rp.Context.Repository, rp.Context.RunID, "drift-detection"))
	return openStore(ctx, s, request, place{"this repository", rp.Context.Workspace, rp.Source.Name}, now)
}

// shared returns the settings of the plan store if they are the same for all targets.
func (rp *Repository) shared(all []inventory.Listed) (one inventory.Effective, err error) {
	var key storeKey
	for i, t := range all {
		e := rp.Effective(t.Settings)
		s := inventory.Effective{
			Region: e.Region, Bucket: e.Bucket, Table: e.Table, StorageURL: e.StorageURL,
			DriftStorageRole: e.DriftStorageRole, Audience: e.Audience,
		}
		k := storeKey{s.Region, s.Bucket, s.Table, s.StorageURL, s.DriftStorageRole, s.Audience}
		if i > 0 && k != key {
			return one, problem.With(problem.StoreSettings, fmt.Errorf("%s in %s has another plan store than %s in %s: run drift-detection once for each, with the inputs `bucket`, `table`, `region` and `storage-role`", t.Component, t.Stack, all[0].Component, all[0].Stack))
		}
		one, key = s, k
	}
	return one, nil
}

// place describes a plan store for messages: the target or repository that it is for, the
// workspace, and the source of its settings.
type place struct{ of, workspace, source string }

func openStore(ctx context.Context, s inventory.Effective, request awsauth.Request, at place, now func() time.Time) (*planstore.Store, error) {
	switch {
	case s.StorageURL != "":
		if strings.Contains(strings.TrimPrefix(s.StorageURL, "file://"), "://") {
			return nil, problem.With(problem.StoreSettings, fmt.Errorf("storage-url %q: give a folder, such as /mnt/plans or file:///mnt/plans; for S3 use `bucket` and `table`", s.StorageURL))
		}
		backend, err := folder.Open(StoreFolder(s.StorageURL, at.workspace))
		if err != nil {
			return nil, err
		}
		return planstore.New(backend, now), nil
	case s.Bucket != "" && s.Table != "":
		cfg, err := awsauth.Config(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("open the plan store of %s: %w", at.of, err)
		}
		return planstore.New(dynamo.Open(cfg, s.Bucket, s.Table), now), nil
	default:
		return nil, problem.With(problem.StoreSettings, fmt.Errorf("no plan store for %s: set artifact-storage.bucket and artifact-storage.table (or artifact-storage.url, a folder) in %s, or the inputs of these names", at.of, at.source))
	}
}

// StoreFolder returns the absolute path of the folder that a storage-url names.
func StoreFolder(url, workspace string) string {
	folder := strings.TrimPrefix(url, "file://")
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(workspace, folder)
	}
	return folder
}

// Request returns a request for the credentials of a role, with this session name. If role is
// empty, it is for the ambient credentials.
func (rp *Repository) Request(s inventory.Effective, role, session string) awsauth.Request {
	audience := s.Audience
	if audience == "" {
		audience = awsauth.Audience
	}
	return awsauth.Request{
		Region: s.Region, Role: role, SessionName: session,
		Token: func(ctx context.Context) (string, error) { return rp.Runtime.IDToken(ctx, audience) },
	}
}
