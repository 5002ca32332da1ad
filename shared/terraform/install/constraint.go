package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	goversion "github.com/hashicorp/go-version"
	"github.com/hashicorp/terraform-config-inspect/tfconfig"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// wanted says which versions are allowed, and who says so. Its zero value allows any.
//
// Whoever opens a pull request may write the text that it is read from. So only exact, as
// its String prints it, may become part of a path or a URL.
type wanted struct {
	text string // what is wanted, for people, in one line
	by   string // who wants it, for people
	lazy bool   // Terraform itself checks it, too: required_version

	exact *goversion.Version    // only this version; if nil:
	among goversion.Constraints // all that satisfy these; empty for "latest"
}

// latest is the newest release.
const latest = "latest"

func (w wanted) anything() bool { return w.text == "" }

// latest reports whether the newest release is wanted, and which that is is still unknown.
func (w wanted) latest() bool { return w.text == latest && w.exact == nil }

func (w wanted) check(v *goversion.Version) bool {
	if w.exact != nil {
		return w.exact.Equal(v)
	}
	return w.among.Check(v)
}

// wanted finds out which versions are allowed; [Locate] has the order.
func (o Options) wanted() (wanted, error) {
	want, err := o.wantedByUser()
	if err != nil || want.anything() {
		return want, err
	}
	planned, err := goversion.NewSemver(o.Planned)
	if err != nil {
		return want, nil //nolint:nilerr // there is no planfile, or another tool made it
	}
	// For required_version, Terraform itself treats a pre-release like its release.
	if want.check(planned) || want.lazy && want.check(planned.Core()) {
		want.exact = planned
		want.text = planned.String()
		want.by = "the planfile"
	}
	return want, nil
}

func (o Options) wantedByUser() (wanted, error) {
	setting, file := "terraform-version", ".terraform-version"
	if o.Name == terraform.OpenTofu {
		setting, file = "opentofu-version", ".opentofu-version"
	}
	if text := strings.TrimSpace(o.Constraint); text != "" {
		want, err := parseWanted(text, "the setting "+setting)
		if err != nil {
			return wanted{}, problem.With(problem.TerraformVersion, fmt.Errorf("the setting %s is %.80q, which is not a version, a constraint or latest: %w", setting, text, err))
		}
		return want, nil
	}
	path, text, err := nearestFile(o.Root, o.Dir, file)
	if err != nil {
		return wanted{}, fmt.Errorf("find out which %s is wanted: %w", o.Name, err)
	}
	if path != "" {
		return parseVersionFile(path, text)
	}
	// What can't be read here, Terraform can't read either, and its error says more.
	module, _ := tfconfig.LoadModule(o.Dir)
	want, err := parseWanted(strings.Join(module.RequiredCore, ", "), "required_version of the root module")
	if err != nil {
		return wanted{}, nil //nolint:nilerr // as above
	}
	want.lazy = true
	return want, nil
}

// parseWanted reads an exact version, a constraint, or "latest".
func parseWanted(text, by string) (wanted, error) {
	want := wanted{text: strings.Join(strings.Fields(text), " "), by: by}
	if want.text == latest {
		return want, nil
	}
	var err error
	if want.exact, err = goversion.NewSemver(strings.TrimSpace(strings.TrimPrefix(want.text, "="))); err == nil {
		return want, nil
	}
	want.among, err = goversion.NewConstraint(want.text)
	return want, err
}

// parseVersionFile reads the file as tfenv does: the first line that is not empty or a
// comment counts. https://github.com/tfutils/tfenv#terraform-version-file
func parseVersionFile(path, text string) (wanted, error) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		want := wanted{text: line, by: path}
		if line == latest {
			return want, nil
		}
		exact, err := goversion.NewSemver(line)
		if err != nil {
			return wanted{}, problem.With(problem.TerraformVersion, fmt.Errorf("%s says %.80q, which is not supported: write an exact version such as 1.9.8, or latest, into it, or put a constraint into the settings, which come first", path, line))
		}
		want.exact, want.text = exact, exact.String()
		return want, nil
	}
	return wanted{}, problem.With(problem.TerraformVersion, fmt.Errorf("%s has no version: write an exact version such as 1.9.8, or latest, into it, or remove it", path))
}

// maxVersionFile is more than a version with its comments needs, in bytes.
const maxVersionFile = 4 << 10

// nearestFile reads a file of this name in dir or the nearest folder above it, up to
// root. It returns no path when there is none, else one relative to root. A link
// that leaves root is not followed.
func nearestFile(root, dir, name string) (path, text string, err error) {
	dir, err = filepath.Rel(root, dir)
	if err != nil || !filepath.IsLocal(dir) {
		return "", "", errors.New("the root module is not in the checkout")
	}
	checkout, err := os.OpenRoot(root)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = checkout.Close() }()
	for {
		path = filepath.Join(dir, name)
		info, err := checkout.Stat(path)
		switch {
		case err == nil && (!info.Mode().IsRegular() || info.Size() > maxVersionFile):
			return "", "", fmt.Errorf("%s is not a small file", path)
		case err == nil:
			content, err := checkout.ReadFile(path)
			return filepath.ToSlash(path), string(content), err
		case !errors.Is(err, fs.ErrNotExist):
			return "", "", err
		case dir == ".":
			return "", "", nil
		}
		dir = filepath.Dir(dir)
	}
}
