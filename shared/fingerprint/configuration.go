// Package fingerprint finds everything in Git that shapes a target's plan, and reduces it to
// one digest. With it apply knows whether it has the configuration that was planned, and plan
// knows which targets a commit affects.
//
// [Of] takes the fingerprint of one target. [OpenCompared] and [Files.Side] compare many
// targets with another commit. Package references finds what the text of Terraform files
// calls and reads; this package follows that through the checkout.
//
// It has more than 2,000 lines in one package, since [Of] and the comparison of two commits must
// agree on what belongs to a target: both follow modules and read files with the same code.
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

// Configuration is the fingerprint of a target. It is the same for each checkout of a commit:
// no absolute path, time or file mode is part of it.
type Configuration struct {
	// Digest is the SHA-256 of everything that counts, in hex.
	Digest string
	// Files has the first 16 hex digits of the SHA-256 of each file that counts, by its path
	// relative to the checkout. A folder that counts as a whole has its path with a slash;
	// ./ is the checkout. Settings have names in parentheses: (path), (workspace),
	// (var-files), (backend-config), (env), (destroy) if it is set, and (terraform version) or
	// (tofu version).
	// With Atmos there are (vars), (env), (backend), (backend type), (providers), (command)
	// and (component) instead of (var-files) and (backend-config).
	Files map[string]string
	// Named are all paths in expressions of the configuration, relative to the checkout,
	// sorted, whether or not there is something.
	Named []string
	// Broad are the expressions that make more files count than they read.
	Broad []Broad

	// loaded are the var files and backend-config files, sorted. A plan shows their values.
	loaded []string
	// Provisions is set if there are provisioners. No plan shows their commands.
	Provisions bool
}

// Broad is an expression with a path of which so little is constant that all files in a folder
// count.
type Broad struct {
	Folder string // "." for the repository
	Why    string // file, line and expression
}

// formatVersion is the beginning of what the digest is taken of. With another version every
// digest is another one, and everything has to be planned again.
const formatVersion = "configuration 2\n"

// Of takes the fingerprint of a target that is planned by tool ("terraform" or "tofu") in
// the given version.
//
// These count: the files of the root module and of the local modules that it calls, directly
// or not; what their expressions may read; the var files and the files of -backend-config;
// the resolved settings. A module's files are those that Git tracks, with the content that
// they have on disk. Git's files were reviewed, and what init, providers and other steps of
// the job leave behind is not among them. So the lock file counts only if Git has it. If Git
// tracks nothing in a folder, or there is no Git, the files on disk count, without those that
// Terraform writes.
//
// These count only if an expression may read them: what Atmos generates in the root module's
// folder, Terraform's data folder, state, crash logs and planfiles; subfolders that are
// modules themselves and are not called; README, .tfvars and .tfbackend files that this
// target does not load; all but Terraform files if the root module is at the repository's
// root; what the target ignores.
//
// A path in an expression begins with path.module, path.root, path.cwd or dots, or is the
// argument of a function that reads a file, or is constant text that names something in the
// root module's folder. The file that it names counts, or all files in the folder that it
// names. If a part of it is not constant, all files count in the folder before that part. A
// folder above the module that has the path counts as a whole. Files that are outside of
// the modules' folders and not in Git do not count, and neither does anything outside of the
// checkout.
//
// A symbolic link counts with its text, and with what it leads to. A link, or a local module,
// that leads out of the checkout is an error. If the workspace lacks a file that Git tracks,
// that is a [*LackingError]. A missing module and a file that does not parse are no errors
// here: Terraform's own messages are better.
//
// files count, too, but not for the digest: Files has them as (var-file PATH). Their paths are
// relative to the checkout.
func Of(ctx context.Context, t inventory.Target, tool, version string, files ...string) (Configuration, error) {
	read, err := Read(ctx, t, files...)
	if err != nil {
		return Configuration{}, err
	}
	return read.Configuration(tool, version), nil
}

// Reading is a configuration without the version of Terraform, which may not be known yet.
type Reading struct {
	target inventory.Target
	found  targetFiles
	extra  map[string]sum
}

// Read is [Of] without the version of Terraform.
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
	extra := read.count()
	for _, name := range files {
		if err := extra.addNamed(name); err != nil && !checkout.IsMissing(err) {
			return fail(fmt.Errorf("%s: %w", problem.Quote(name), err))
		}
	}
	return Reading{t, found, extra.sums}, nil
}

// Holds reports whether a file counts. Its path is relative to the checkout.
func (r Reading) Holds(name string) bool {
	return holds(r.found.sums, name) || holds(r.extra, name)
}

// Configuration is the fingerprint of what was read, with the version of Terraform.
func (r Reading) Configuration(tool, version string) Configuration {
	c := fingerprint(r.found.sums, settingsOf(r.target, tool, version))
	c.Named, c.Broad, c.Provisions = r.found.named, r.found.broad, r.found.provisions
	c.loaded = slices.Sorted(slices.Values(r.target.Files()))
	for name, s := range r.extra {
		c.Files[extraKey+name+")"] = s.short()
	}
	return c
}

// Unshown are those lines of [Configuration.Diff] whose effect a plan does not show, so that
// two plans may be equal all the same: files that are read during the apply, such as scripts.
// With provisioners it is all lines, since their commands may be made of anything.
func (c Configuration) Unshown(recorded map[string]string) (lines []string) {
	for _, line := range c.Diff(recorded) {
		_, name, _ := strings.Cut(line, ": ")
		_, now := c.Files["("+name+")"]
		_, then := recorded["("+name+")"]
		shown := now || then || references.IsFile(name) || slices.Contains(c.loaded, name) || path.Base(name) == lockFile || isAutoLoaded(path.Base(name))
		if c.Provisions || !shown {
			lines = append(lines, line)
		}
	}
	return lines
}

// extraKey begins the key of a file in Configuration.Files that the digest leaves out.
const extraKey = "(var-file "

// Extra are the files in Configuration.Files that the digest leaves out.
func Extra(recorded map[string]string) (names []string) {
	for key := range recorded {
		if name, ok := strings.CutPrefix(key, extraKey); ok {
			names = append(names, strings.TrimSuffix(name, ")"))
		}
	}
	slices.Sort(names)
	return names
}

// JobFiles are the files in the checkout that the job's environment gives to Terraform for a
// plan, by TF_CLI_ARGS and the like.
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

// settingsOf are the resolved values that shape the plan, each as a list of texts.
func settingsOf(t inventory.Target, tool, version string) map[string][]string {
	all := make(map[string][]string)
	if t.Destroy {
		all["destroy"] = []string{"true"}
	}
	if t.Atmos != nil {
		maps.Copy(all, t.Atmos.Resolved)
		maps.Copy(all, map[string][]string{"path": {t.Dir}, "workspace": {t.WorkspaceName()}, tool + " version": {version}})
		return all
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		env = append(env, name, t.Env[name])
	}
	maps.Copy(all, map[string][]string{
		"path":            {t.Dir},
		"workspace":       {t.WorkspaceName()},
		"var-files":       t.VarFiles,
		"backend-config":  t.BackendConfig,
		"env":             env,
		tool + " version": {version},
	})
	return all
}

type sum [sha256.Size]byte

// short is the form that is stored. 64 bits are enough to see a change, and keep the record
// of thousands of files small.
func (s sum) short() string { return hex.EncodeToString(s[:8]) }

// fingerprint writes a line for each setting and file, and hashes the lines. Names are
// quoted, so that none looks like another line.
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

// fileKey is a path as a key of Files: text that can be stored and shown on a line, and that
// is not the name of a setting.
func fileKey(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	if strings.HasPrefix(name, "(") {
		return "./" + name
	}
	return name
}

// Diff says which files and settings differ from those that were recorded earlier, sorted by
// name: "changed: components/network/main.tf", "added: …", "removed: …".
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
