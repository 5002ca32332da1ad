// Package locate finds the Terraform that the demo and the tests run.
package locate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	goversion "github.com/hashicorp/go-version"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
)

// Options say where to look for Terraform.
type Options struct {
	// AtLeast is the oldest version that will do, such as "1.6".
	AtLeast string
	// Tools is the folder that Terraform is downloaded into: absolute, and there.
	Tools string
	// Environ is this process' environment; its PATH is searched.
	Environ []string
	// Releases is where Terraform is downloaded from; the zero value is HashiCorp's.
	Releases install.Releases
	// Say prints a line for the user when something takes long.
	Say func(line string)
}

// Found is a Terraform that is new enough.
type Found struct {
	Path    string // absolute
	Version string // such as "1.11.4"
}

// Terraform finds a Terraform that is new enough. It takes the one on PATH, even a pre-release. If
// that is too old or missing, it takes the newest one in Tools. If there is none either, it downloads
// the newest release, whose checksum HashiCorp has signed. A program on PATH that doesn't print its
// version counts as missing, such as a version manager without a selected version.
func Terraform(ctx context.Context, o Options) (Found, error) {
	oldest, err := goversion.NewVersion(o.AtLeast)
	if err != nil {
		return Found{}, err
	}
	has := "is not on PATH"
	wanted := install.Options{Name: terraform.Terraform, Root: o.Tools, Dir: o.Tools, ToolCache: o.Tools, Environ: o.Environ, Releases: o.Releases}
	if path, err := install.Locate(ctx, wanted); err == nil {
		version, number, err := ask(ctx, o, path)
		switch {
		case err != nil:
			has = "on PATH does not tell its version"
		case version.Name != terraform.Terraform:
			has = fmt.Sprintf("on PATH is %s", version)
		case number.Core().LessThan(oldest):
			has = fmt.Sprintf("on PATH is %s, and %s or newer is needed", version.Number, o.AtLeast)
		default:
			return Found{Path: path, Version: version.Number}, nil
		}
	}

	wanted.Environ = nil // ignore PATH
	wanted.Constraint = ">= " + o.AtLeast
	if there, err := filepath.Glob(filepath.Join(o.Tools, terraform.Terraform, "*", "*.complete")); err != nil || len(there) == 0 {
		o.Say(fmt.Sprintf("Terraform %s: downloading it (30 MB) into %s.", has, filepath.Join(o.Tools, terraform.Terraform)))
	}
	path, err := install.Locate(ctx, wanted)
	if err != nil {
		return Found{}, fmt.Errorf("terraform %s, and cannot be downloaded: %w: install Terraform %s or newer", has, cause(err), o.AtLeast)
	}
	version, _, err := ask(ctx, o, path)
	if err != nil {
		return Found{}, err
	}
	return Found{Path: path, Version: version.Number}, nil
}

func ask(ctx context.Context, o Options, path string) (terraform.Version, *goversion.Version, error) {
	cli := terraform.CLI{Path: path, Dir: o.Tools, Env: terraform.Environ(o.Environ, nil, nil)}
	version, err := cli.Version(ctx)
	if err != nil {
		return terraform.Version{}, nil, err
	}
	number, err := goversion.NewVersion(version.Number)
	return version, number, err
}

// cause returns why a download failed, without the advice that is meant for users of an action.
func cause(err error) error {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		all := several.Unwrap()
		err = all[len(all)-1]
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
