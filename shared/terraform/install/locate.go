// Package install finds the Terraform or OpenTofu that a root module is to be run with, and
// downloads Terraform when the runner does not have it ([Locate]). Which version will do is
// in constraint.go, HashiCorp's site in releases.go, and where downloads are kept, for later
// jobs, in tool_cache.go.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	goversion "github.com/hashicorp/go-version"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Options say which executable is looked for, and where.
type Options struct {
	// Name is Terraform or OpenTofu.
	Name string
	// Command is what the user has said to run in its place: another name on PATH,
	// or a path, relative to Root. Nothing is then installed. Empty is Name.
	Command string
	// Environ is the runner's environment, as os.Environ gives it. Its PATH is
	// searched; relative folders in it are not.
	Environ []string
	// Constraint is the setting: a version, a constraint such as "~> 1.9" or
	// ">= 1.5, < 2.0", both as hashicorp/go-version reads them ("1.9" is 1.9.0
	// alone), or "latest". When empty, the checkout decides: see [Locate].
	Constraint string
	// Planned is the number of the version that made the planfile to be applied.
	// Where a constraint allows it, it alone will do: a release between plan and
	// apply must not make the planfile useless. Empty when there is none.
	Planned string
	// Lazy leaves required_version to Terraform itself, where there is one on PATH:
	// to ask that for its version is a process, and it seldom does not fit. Where it
	// does not, see [terraform.Unsupported], and ask again without Lazy.
	Lazy bool
	// Root is the root of the checkout and Dir the root module in it. Both are
	// absolute.
	Root, Dir string
	// ToolCache is RUNNER_TOOL_CACHE. When empty, a folder in the user's cache.
	ToolCache string
	// Log receives one line when something is installed, or taken for another
	// reason than that it was asked for. nil drops it.
	Log io.Writer
	// Releases is where Terraform is downloaded from.
	Releases Releases
}

// Locate returns the absolute path of the executable to run. Which versions will do
// is decided by the first of these that says anything:
//
//   - Constraint;
//   - the file .terraform-version (for OpenTofu .opentofu-version) in Dir or the
//     nearest folder above it, up to Root: an exact version, or "latest";
//   - required_version of the root module in Dir.
//
// When none does, it is what is on PATH, and no process is started. Else it is what
// is on PATH if that will do, which is one process to know; else the newest that
// will do in the tool cache; else, for Terraform, the newest release that will do,
// which is put there. OpenTofu is never installed. A constraint never chooses a
// pre-release, but takes one that is on PATH when it allows it.
//
// "latest" asks for the list of releases first. Where that cannot be had, what is on
// PATH is taken, else the newest in the tool cache. For OpenTofu it is what is on
// PATH.
//
// What is downloaded has a checksum that HashiCorp signed; nothing else is kept or
// started. What is on PATH or in the tool cache is trusted, as everything else on
// the runner.
//
// The wrapper scripts of hashicorp/setup-terraform and opentofu/setup-opentofu are
// seen through: the path is that of the program itself.
func Locate(ctx context.Context, o Options) (path string, err error) {
	want, err := o.wanted()
	if err != nil {
		return "", err
	}
	found := o.onPath()
	if o.Lazy && want.lazy && found != "" {
		return found, nil
	}
	if want.anything() || want.latest() && o.Name == terraform.OpenTofu {
		if found == "" {
			hint := ""
			if o.command() == o.Name {
				hint = fmt.Sprintf(", such as %s with %s_wrapper: false", o.setup(), o.Name)
			}
			return "", problem.With(problem.TerraformVersion, fmt.Errorf("%s is not on PATH: install it in a step before this one%s", o.command(), hint))
		}
		return found, nil
	}
	if want.latest() {
		newest, err := o.Releases.newest(ctx, nil)
		if err != nil {
			return o.withoutReleases(ctx, want, found, err)
		}
		want.exact = newest
	}

	has := o.nothing()
	if found != "" {
		installed, number, err := o.version(ctx, found)
		if err != nil {
			return "", err
		}
		if want.check(number) {
			return found, nil
		}
		has = installed.String()
		if installed.Name != o.Name {
			// One is not replaced by the other: they share states.
			return "", o.unmet(want, has+" by the name of "+o.command())
		}
	}
	if o.Name == terraform.OpenTofu || o.command() != o.Name {
		return "", o.unmet(want, has)
	}
	path, err = o.fromToolCache(ctx, want)
	if err != nil {
		return "", fmt.Errorf("%w; it could not be downloaded: %w", o.unmet(want, has), err)
	}
	return path, nil
}

// withoutReleases finds what comes nearest to the latest release when that is not
// known.
func (o Options) withoutReleases(ctx context.Context, want wanted, found string, cause error) (string, error) {
	if ctx.Err() != nil {
		return "", cause
	}
	if cache, err := o.toolCache(); err == nil && found == "" && o.command() == o.Name {
		found = cache.newest(want)
	}
	if found == "" {
		return "", fmt.Errorf("%w; the list of releases could not be read: %w", o.unmet(want, o.nothing()), cause)
	}
	o.logf("Which %s is the latest is not known, so this one is taken: %s (%v)", o.Name, found, cause)
	return found, nil
}

// version starts the executable at path to learn what it is.
func (o Options) version(ctx context.Context, path string) (terraform.Version, *goversion.Version, error) {
	dir := o.Dir // for version managers, which look for their files in it
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = o.Root // Atmos may have the root module still to fetch
	}
	cli := &terraform.CLI{Path: path, Dir: dir, Env: terraform.Environ(o.Environ, nil, nil)}
	v, err := cli.Version(ctx)
	if err != nil {
		return terraform.Version{}, nil, err
	}
	number, err := goversion.NewVersion(v.Number)
	if err != nil {
		return terraform.Version{}, nil, problem.With(problem.TerraformVersion, fmt.Errorf("%s says its version is %.80q: %w", path, v.Number, err))
	}
	return v, number, nil
}

// unmet is the error for a version that the runner does not have.
func (o Options) unmet(want wanted, has string) error {
	return problem.With(problem.TerraformVersion, fmt.Errorf("%s %s is wanted by %s, and the runner has %s: install it in a step before this one, such as %s", o.Name, want.text, want.by, has, o.setup()))
}

// nothing is what unmet says of a runner that has none.
func (o Options) nothing() string { return "no " + o.command() + " on PATH" }

// onPath returns the executable that the runner has, or nothing.
func (o Options) onPath() string {
	if name := o.command(); strings.ContainsRune(name, filepath.Separator) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(o.Root, name)
		}
		return executable(name)
	}
	for _, dir := range filepath.SplitList(envlist.Value(o.Environ, "PATH")) {
		if !filepath.IsAbs(dir) {
			continue // would be in the checkout
		}
		if path := executable(filepath.Join(dir, o.command())); path != "" {
			return path
		}
	}
	return ""
}

// executable returns path, or what the wrapper script at path runs; nothing when no
// executable is there. The wrapper that hashicorp/setup-terraform and
// opentofu/setup-opentofu install unless told not to passes no signal on, hides the
// exit status of a plan with changes, and adds to the output. It keeps the program
// itself beside it:
// https://github.com/hashicorp/setup-terraform/blob/main/lib/setup-terraform.js
func executable(path string) string {
	path, err := exec.LookPath(path)
	if err != nil {
		return ""
	}
	if program, err := exec.LookPath(path + "-bin"); err == nil {
		return program
	}
	return path
}

func (o Options) command() string {
	if o.Command != "" {
		return o.Command
	}
	return o.Name
}

// setup is the action that installs what Name says.
func (o Options) setup() string {
	if o.Name == terraform.OpenTofu {
		return "opentofu/setup-opentofu"
	}
	return "hashicorp/setup-terraform"
}

func (o Options) toolCache() (toolCache, error) {
	dir := o.ToolCache
	if dir == "" {
		cache := envlist.Value(o.Environ, "XDG_CACHE_HOME")
		if home := envlist.Value(o.Environ, "HOME"); !filepath.IsAbs(cache) && filepath.IsAbs(home) {
			cache = filepath.Join(home, ".cache")
		}
		if !filepath.IsAbs(cache) {
			return toolCache{}, errors.New("there is no folder for it: RUNNER_TOOL_CACHE and HOME are not set")
		}
		dir = filepath.Join(cache, "terraform-gitops", "tools")
	}
	return toolCache{dir: filepath.Join(dir, o.Name), name: o.Name}, nil
}

func (o Options) logf(format string, args ...any) {
	if o.Log != nil {
		// A log that cannot be written is no reason to fail.
		_, _ = fmt.Fprintf(o.Log, format+"\n", args...)
	}
}
