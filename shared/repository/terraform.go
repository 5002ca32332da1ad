package repository

import (
	"context"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
)

// programKey is what of install.Options differs between targets.
type programKey struct {
	name, command, constraint, planned, dir string
	lazy                                    bool
}

// Locate is install.Locate, once for all targets that want the same.
func (rp *Repository) Locate(ctx context.Context, wanted install.Options) (string, error) {
	key := programKey{wanted.Name, wanted.Command, wanted.Constraint, wanted.Planned, wanted.Dir, wanted.Lazy}
	if key.constraint != "" {
		key.dir = "" // then the folder has no say
	}
	return rp.programs.Get(key, func() (string, error) {
		wanted.Log = notices{rp.Runtime}
		return install.Locate(ctx, wanted)
	})
}

// notices makes a notice of each line.
type notices struct{ runtime *gha.Runtime }

func (n notices) Write(line []byte) (int, error) {
	n.runtime.Notice(gha.Annotation{Message: strings.TrimSpace(string(line))})
	return len(line), nil
}

// Version asks the executable, once for all targets that run the same one.
func (rp *Repository) Version(ctx context.Context, cli *terraform.CLI) (terraform.Version, error) {
	return rp.versions.Get(cli.Path, func() (terraform.Version, error) { return cli.Version(ctx) })
}
