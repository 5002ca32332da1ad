// Package install finds the Terraform or OpenTofu that a root module is to be run with, and
// downloads it when the runner does not have it ([Locate]). Which version will do is
// in constraint.go, HashiCorp's site in releases.go, OpenTofu's in opentofu.go, and where downloads are kept, for later
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
	// Command is what the user wants to run instead: another name on PATH, or a path,
	// relative to Root. Then nothing is installed. Empty means Name.
	Command string
	// Environ is the runner's environment, as os.Environ gives it. Its PATH is
	// searched; relative folders in it are not.
	Environ []string
	// Constraint is the setting: a version, a constraint such as "~> 1.9" or
	// ">= 1.5, < 2.0", both as hashicorp/go-version reads them ("1.9" is 1.9.0
	// alone), or "latest". When empty, the checkout decides: see [Locate].
	Constraint string
	// Planned is the version that made the planfile that will be applied. If the
	// constraint allows this version, only this one is used: a release between plan
	// and apply must not make the planfile useless. Empty if there is no planfile.
	Planned string
	// Lazy takes the Terraform on PATH without comparing it with required_version.
	// Asking for its version starts a process, and it nearly always fits. If it does
	// not, Terraform says so ([terraform.Unsupported]): then ask again without Lazy.
	Lazy bool
	// Root is the root of the checkout and Dir the root module in it. Both are
	// absolute.
	Root, Dir string
	// ToolCache is RUNNER_TOOL_CACHE. When empty, a folder in the user's cache.
	ToolCache string
	// Log receives a line if something is installed, or if another version is used
	// than was asked for. nil drops it.
	Log io.Writer
	// Releases is where Terraform is downloaded from, and OpenTofu where OpenTofu is.
	Releases Releases
	OpenTofu OpenTofuReleases
}

// Locate returns the absolute path of the executable to run. The first of these that is set
// decides which versions are allowed:
//
//   - Constraint;
//   - the file .terraform-version (for OpenTofu .opentofu-version) in Dir or the
//     nearest folder above it, up to Root: an exact version, or "latest";
//   - required_version of the root module in Dir.
//
// If none is set, Locate returns what is on PATH, and starts no process. Otherwise it
// returns the first of these that is allowed:
//
//   - the executable on PATH, which is started once to ask for its version;
//   - the newest version in the tool cache;
//   - the newest release, which is downloaded into the tool cache.
//
// A constraint never chooses a pre-release, but a pre-release on PATH is used if the
// constraint allows it.
//
// "latest" needs the list of releases. If that cannot be read, Locate returns what is on
// PATH, or else the newest in the tool cache.
//
// A download must have a checksum that HashiCorp, or for OpenTofu OpenTofu, has signed; nothing else is kept or
// started. What is on PATH or in the tool cache is trusted, like everything on the runner.
//
// hashicorp/setup-terraform and opentofu/setup-opentofu install a wrapper script. Locate
// returns the path of the program that it runs.
func Locate(ctx context.Context, o Options) (path string, err error) {
	want, err := o.wanted()
	if err != nil {
		return "", err
	}
	found := o.onPath()
	if o.Lazy && want.lazy && found != "" {
		return found, nil
	}
	if want.anything() {
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
		newest, err := o.site().newest(ctx, nil)
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
			// Terraform and OpenTofu never replace each other: they would share states.
			return "", o.unmet(want, has+" by the name of "+o.command())
		}
	}
	if o.command() != o.Name {
		return "", o.unmet(want, has)
	}
	path, err = o.fromToolCache(ctx, want)
	if err != nil {
		return "", fmt.Errorf("%w; it could not be downloaded: %w", o.unmet(want, has), err)
	}
	return path, nil
}

// withoutReleases finds a replacement for the latest release when nobody knows which that
// is.
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
	o.logf("The latest %s is not known, so this one is used: %s (%v)", o.Name, found, cause)
	return found, nil
}

// version starts the executable at path to learn what it is.
func (o Options) version(ctx context.Context, path string) (terraform.Version, *goversion.Version, error) {
	dir := o.Dir // version managers look for their files there
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = o.Root // Atmos may still have to fetch the root module
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

// unmet is the error if the runner does not have a wanted version.
func (o Options) unmet(want wanted, has string) error {
	return problem.With(problem.TerraformVersion, fmt.Errorf("%s %s is wanted by %s, and the runner has %s: install it in a step before this one, such as %s", o.Name, want.text, want.by, has, o.setup()))
}

// nothing is what unmet says if the runner has no version.
func (o Options) nothing() string { return "no " + o.command() + " on PATH" }

// onPath returns the path of the executable that the runner has, or nothing.
func (o Options) onPath() string {
	if name := o.command(); strings.ContainsRune(name, filepath.Separator) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(o.Root, name)
		}
		return executable(name)
	}
	for _, dir := range filepath.SplitList(envlist.Value(o.Environ, "PATH")) {
		if !filepath.IsAbs(dir) {
			continue // it would lie in the checkout
		}
		if path := executable(filepath.Join(dir, o.command())); path != "" {
			return path
		}
	}
	return ""
}

// executable returns path, or what the wrapper script at path runs; nothing if there is no
// executable. hashicorp/setup-terraform and opentofu/setup-opentofu install a wrapper by
// default. It passes no signals on, hides the exit status of a plan with changes, and adds
// to the output. The program itself lies beside it:
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

// setup is the action that installs Terraform or OpenTofu.
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
		// If the log cannot be written, that is no reason to fail.
		_, _ = fmt.Fprintf(o.Log, format+"\n", args...)
	}
}
