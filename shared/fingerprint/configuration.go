// Package fingerprint reduces everything in Git that shapes a target's plan to one digest,
// so that apply can tell whether the configuration it has is the one that was planned, and
// plan can tell which targets a commit affects.
//
// [Of] takes the fingerprint of one target; [OpenCompared] and [Files.Side] compare many
// with those of another commit. Package references says what the Terraform files of a module
// call and read; this one follows that through the checkout, and asks Git what it tracks.
package fingerprint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Configuration is the fingerprint of everything in Git that shapes a
// target's plan. It is the same for the same commit wherever and whenever it
// is checked out: no absolute path, time or mode is part of it.
type Configuration struct {
	// Digest is the SHA-256 of the whole, in hex.
	Digest string
	// Files has, for each file that counts, the first 16 hex digits of its
	// SHA-256, by its path relative to the checkout's root; or, for a folder that
	// counts as one, by its path with a slash, ./ for the checkout. Settings are there
	// too, their values hashed like files, under names in parentheses:
	// (path), (workspace), (var-files), (backend-config), (env), and
	// (terraform version) or (tofu version). For Atmos: (vars), (env), (backend),
	// (backend type), (providers), (command) and (component), as it resolves them,
	// instead of (var-files) and (backend-config).
	Files map[string]string
	// Named are all paths that expressions of the configuration have, relative to the
	// checkout, sorted: of files or folders, whether there is something or not.
	Named []string
	// Broad are expressions for which more counts than they may read.
	Broad []Broad

	// Loaded are the files that Terraform is given, whose values a plan shows, sorted.
	Loaded []string
	// Provisions is set where there are provisioners, whose commands no plan shows.
	Provisions bool
}

// Broad is an expression that says so little of what it reads that all in a folder counts.
type Broad struct {
	Folder string // "." for the repository
	Why    string // file, line and expression
}

// formatVersion begins what the digest is taken over. Another version makes
// every digest differ, so that plans made before have to be made anew.
const formatVersion = "configuration 2\n"

// Of takes the fingerprint of a target, to be planned by tool
// ("terraform" or "tofu") in the given version.
//
// It covers the files of the root module and of the local modules that it
// calls, as far as they call each other, all that their expressions may read, the
// var files and the files of -backend-config, and the resolved settings. What
// counts as a module's file is what Git tracks, since that is what was reviewed,
// and since it leaves out by itself what init, providers and other steps of the
// job leave behind: the lock file counts exactly where Git has it. It is read as
// it is on disk. A folder of which Git tracks nothing counts as it is on disk,
// except for what Terraform itself writes; so does everything where there is no Git.
//
// Not counted, unless an expression may read them: what Atmos generates in the root
// module's folder, Terraform's data folder, state, crash logs and planfiles;
// subfolders that are modules themselves and are not called; README, .tfvars and
// .tfbackend files that this target does not load; of a root module at the
// repository's root all but its Terraform files; and what the target ignores.
//
// A path in an expression is what begins with path.module, path.root, path.cwd or
// dots, what a function reads, such as file, and constant text that names something
// in the root module's folder. It counts with the file that it names, all in the
// folder that it names, or that is named before it goes on with what is not constant.
// A folder above the module that has it counts as one. Outside of the modules'
// folders, what is not in Git does not count, where there is Git, nor what is out of
// the checkout.
//
// A symbolic link counts with its text and with what it leads to; one that
// leads out of the checkout is an error, as is a local module outside. What Git
// tracks and the workspace lacks is a [*LackingError]. A module that is not there,
// or a file that does not parse, is none: Terraform will say it better.
//
// files are further ones that count, by their paths relative to the checkout, but not
// for the digest: Files has them as (var-file PATH).
func Of(ctx context.Context, t inventory.Target, tool, version string, files ...string) (Configuration, error) {
	read, err := Read(ctx, t, files...)
	if err != nil {
		return Configuration{}, err
	}
	return read.Configuration(tool, version), nil
}

// Reading is all that a configuration consists of but for the version of Terraform, which
// may not be known yet.
type Reading struct {
	target inventory.Target
	found  targetFiles
	extra  map[string]sum
}

// Read is [Of] before it is known what Terraform is used.
func Read(ctx context.Context, t inventory.Target, files ...string) (Reading, error) {
	fail := func(err error) (Reading, error) {
		var lacking *LackingError
		if errors.As(err, &lacking) {
			return Reading{}, fmt.Errorf("fingerprint the configuration of %s: %w", t, err)
		}
		return Reading{}, problem.With(problem.RootModule, fmt.Errorf("fingerprint the configuration of %s: %w", t, err))
	}
	co, err := checkout.Open(t.Root)
	if err != nil {
		return fail(err)
	}
	read, err := OpenFiles(ctx, co, t.Tracked)
	if err != nil {
		return fail(err)
	}
	found, err := read.of(t)
	if err != nil {
		return fail(err)
	}
	extra := read.tree()
	for _, name := range files {
		if err := extra.addNamed(name); err != nil && !checkout.IsMissing(err) {
			return fail(fmt.Errorf("%s: %w", problem.Quote(name), err))
		}
	}
	return Reading{t, found, extra.sums}, nil
}

// Configuration is the fingerprint of what was read, with a version of Terraform.
func (r Reading) Configuration(tool, version string) Configuration {
	c := fingerprint(r.found.sums, settingsOf(r.target, tool, version))
	c.Named, c.Broad, c.Provisions = r.found.named, r.found.broad, r.found.provisions
	c.Loaded = slices.Sorted(slices.Values(r.target.Files()))
	for name, s := range r.extra {
		c.Files[extraKey+name+")"] = s.short()
	}
	return c
}

// Unshown is what of [Configuration.Diff] a plan does not show, however equal its changes
// are: files that are read when it is applied, such as scripts, and, where there are
// provisioners, all that their commands may be made of.
func (c Configuration) Unshown(recorded map[string]string) (lines []string) {
	for _, line := range c.Diff(recorded) {
		_, name, _ := strings.Cut(line, ": ")
		_, now := c.Files["("+name+")"]
		_, then := recorded["("+name+")"]
		shown := now || then || references.IsFile(name) || slices.Contains(c.Loaded, name) || path.Base(name) == lockFile || isAutoLoaded(path.Base(name))
		if c.Provisions || !shown {
			lines = append(lines, line)
		}
	}
	return lines
}

// extraKey begins the key of a file in Configuration.Files that is none of the digest's.
const extraKey = "(var-file "

// Extra are the files among those of Configuration.Files that are none of the digest's.
func Extra(recorded map[string]string) (names []string) {
	for key := range recorded {
		if name, ok := strings.CutPrefix(key, extraKey); ok {
			names = append(names, strings.TrimSuffix(name, ")"))
		}
	}
	slices.Sort(names)
	return names
}

// JobFiles are the files of the checkout that the job's own environment gives to Terraform
// when it plans: see [varFilesIn].
func JobFiles(t inventory.Target, environ []string) (names []string) {
	co, err := checkout.Open(t.Root)
	if err != nil {
		return nil // Of says it
	}
	for _, file := range varFilesIn(environ) {
		if name, ok := fileInCheckout(t, co, file); ok {
			names = append(names, name)
		}
	}
	return names
}

// settingsOf are the resolved values that shape the plan, each as a list of
// strings.
func settingsOf(t inventory.Target, tool, version string) map[string][]string {
	if t.Atmos != nil {
		all := maps.Clone(t.Atmos.Resolved)
		maps.Copy(all, map[string][]string{"path": {t.Dir}, "workspace": {t.WorkspaceName()}, tool + " version": {version}})
		return all
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		env = append(env, name, t.Env[name])
	}
	return map[string][]string{
		"path":            {t.Dir},
		"workspace":       {t.WorkspaceName()},
		"var-files":       t.VarFiles,
		"backend-config":  t.BackendConfig,
		"env":             env,
		tool + " version": {version},
	}
}

type sum [sha256.Size]byte

// short is what people compare: 64 bits are enough to see a change, and keep
// a record of thousands of files small.
func (s sum) short() string { return hex.EncodeToString(s[:8]) }

// fingerprint writes one line for each setting and file, quoted so that no
// name can look like another line, and hashes the lines.
func fingerprint(files map[string]sum, settings map[string][]string) Configuration {
	c := Configuration{Files: make(map[string]string, len(files)+len(settings))}
	whole := sha256.New()
	fmt.Fprint(whole, formatVersion)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		s := sum(sha256.Sum256(fmt.Appendf(nil, "%q", settings[name])))
		fmt.Fprintf(whole, "setting %q %x\n", name, s)
		c.Files["("+name+")"] = s.short()
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(whole, "file %q %x\n", name, files[name])
		c.Files[fileKey(name)] = files[name].short()
	}
	c.Digest = hex.EncodeToString(whole.Sum(nil))
	return c
}

// fileKey is a path as a key of Files: one that can be stored as text, shown
// on a line, and not mistaken for a setting.
func fileKey(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	if strings.HasPrefix(name, "(") {
		return "./" + name
	}
	return name
}

// Diff says in which files and settings c differs from Files as recorded
// earlier: "changed: components/network/main.tf", "added: …", "removed: …",
// sorted by name. It is empty when nothing differs.
func (c Configuration) Diff(recorded map[string]string) []string {
	return Differences(c.Files, recorded)
}

// Differences is [Configuration.Diff] of two lists of files with their hashes.
func Differences(files, recorded map[string]string) []string {
	names := make(map[string]bool)
	for name := range files {
		names[name] = true
	}
	for name := range recorded {
		names[name] = true
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		now, is := files[name]
		then, was := recorded[name]
		shown := name
		if strings.HasPrefix(name, "(") {
			shown = strings.Trim(name, "()")
		}
		switch {
		case !was:
			lines = append(lines, "added: "+shown)
		case !is:
			lines = append(lines, "removed: "+shown)
		case now != then:
			lines = append(lines, "changed: "+shown)
		}
	}
	return lines
}
