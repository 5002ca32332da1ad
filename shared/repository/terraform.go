package repository

import (
	"context"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
)

// programKey holds the fields of install.Options that differ between targets.
type programKey struct {
	name, command, constraint, planned, dir string
	lazy                                    bool
}

// Locate calls install.Locate once for all targets with the same wishes.
func (rp *Repository) Locate(ctx context.Context, wanted install.Options) (string, error) {
	key := programKey{wanted.Name, wanted.Command, wanted.Constraint, wanted.Planned, wanted.Dir, wanted.Lazy}
	if key.constraint != "" {
		key.dir = "" // the version doesn't depend on the folder then
	}
	return rp.programs.Get(key, func() (string, error) {
		wanted.Log = notices{rp.Runtime}
		return install.Locate(ctx, wanted)
	})
}

// notices writes each line as a notice.
type notices struct{ runtime *gha.Runtime }

func (n notices) Write(line []byte) (int, error) {
	n.runtime.Notice(gha.Annotation{Message: strings.TrimSpace(string(line))})
	return len(line), nil
}

// Version asks an executable for its version, once for all targets that run it.
func (rp *Repository) Version(ctx context.Context, cli *terraform.CLI) (terraform.Version, error) {
	return rp.versions.Get(cli.Path, func() (terraform.Version, error) { return cli.Version(ctx) })
}
