package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// defaultPolicies is the folder of policies if the settings name none. It counts only if it has
// policies: other files are often in folders with this name.
const defaultPolicies = "policies"

// Limits of what is read as policies, so that a mistake in a glob is an error and not a crash.
const (
	maxPolicyFile  = 4 << 20  // bytes
	maxPolicyBytes = 32 << 20 // of all files together
	maxPolicyFiles = 5000
	maxPolicyDepth = 64 // folders
)

// Policies returns the policies of the workspace that hold for a target; none is no error. The
// files are read once for all targets.
//
// An error is a path or an `include` of the settings that matches nothing, a file that can't be read,
// or one that Git tracks and the workspace lacks: a missing policy must not let a plan pass.
func (rp *Repository) Policies(ctx context.Context, name inventory.Name, p inventory.Policy) (policy.Set, error) {
	all, err := rp.policyFiles(ctx, p.Path)
	var held policy.Set
	if err == nil {
		held, err = all.heldBy(p)
	}
	return held, rp.placed(ctx, name, err)
}

// placed is an error with its place in the settings, if it is one of them.
func (rp *Repository) placed(ctx context.Context, name inventory.Name, err error) error {
	var fault *inventory.PolicyFault
	if errors.As(err, &fault) {
		return rp.targets.placed(ctx, name, fault)
	}
	return err
}

func (rp *Repository) policyFiles(ctx context.Context, paths []string) (policyFiles, error) {
	return rp.policies.Get(pathsKey(paths), func() (policyFiles, error) {
		index, err := rp.Tracked.Index(ctx, rp.Context.Workspace)
		if err != nil {
			return nil, err
		}
		return findPolicies(rp.Context.Workspace, paths, index, false)
	})
}

func pathsKey(paths []string) string {
	if paths != nil && len(paths) == 0 {
		return "\x00none"
	}
	return strings.Join(paths, "\x00")
}

// policyFile is a policy or its data.
type policyFile struct {
	policy.File
	root     string // the folder that the settings name, or in which a glob begins
	resolved string // the path without symbolic links
	main     bool   // it has rules that are evaluated; others are data, or modules that those import
	tracked  bool   // by Git, and not in a submodule
}

// policyFiles are all policies of a commit, sorted by path.
type policyFiles []policyFile

// heldBy leaves out what a target's settings do not include. Data and imported modules always stay:
// without them a rule might silently find nothing.
func (all policyFiles) heldBy(p inventory.Policy) (set policy.Set, err error) {
	if len(all) == 0 {
		if len(p.Include) > 0 {
			return nil, &inventory.PolicyFault{Key: "include", Value: p.Include[0], Message: fmt.Sprintf("matches nothing, since there are no policies: add .rego files to the folder %s, or name another folder with policy.path", problem.Quote(defaultPolicies))}
		}
		return nil, nil
	}
	matches := func(f policyFile) func(string) bool {
		return func(pattern string) bool { return inventory.MatchesFile(pattern, f.root, f.Path) }
	}
	for _, pattern := range p.Include {
		if !all.has(pattern) {
			return nil, &inventory.PolicyFault{Key: "include", Value: pattern, Message: "matches no .rego file of package main below policy.path: correct it, or remove it"}
		}
	}
	held, left := 0, 0
	for _, f := range all {
		switch {
		case !f.main:
		case len(p.Include) > 0 && !slices.ContainsFunc(p.Include, matches(f)) || slices.ContainsFunc(p.Exclude, matches(f)):
			left++
			continue
		default:
			held++
		}
		set = append(set, f.File)
	}
	if held == 0 && left > 0 {
		return nil, nil
	}
	for i := range set {
		set[i].Spare = left > 0
	}
	return set, nil
}

// findPolicies reads the policies in a folder, in which a repository is checked out. index is what
// Git tracks there. At a base, what the paths name may be missing.
func findPolicies(folder string, paths []string, index *git.Index, base bool) (policyFiles, error) {
	tree, err := checkout.Open(folder)
	if err != nil {
		return nil, err
	}
	f := finder{tree: tree, index: index, base: base, found: map[string]policyFile{}, resolved: map[string]string{}}
	explicit := len(paths) > 0 && !base
	if paths == nil {
		paths = []string{defaultPolicies}
	}
	for _, at := range paths {
		if err := f.find(at, explicit); err != nil {
			return nil, err
		}
	}
	var all policyFiles
	rego := false
	for _, found := range f.found {
		rego = rego || isRego(found.Path) && (!policy.IsTest(found.Path) || evaluatedRule.Match(found.Content))
		all = append(all, found)
	}
	if !rego {
		if explicit {
			return nil, &inventory.PolicyFault{Key: "path", Value: paths[0], Message: "has no policy (.rego): correct it, or write `path: []` if there are to be none"}
		}
		return nil, nil
	}
	slices.SortFunc(all, func(a, b policyFile) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// finder collects the policies of several paths.
type finder struct {
	tree     checkout.Tree
	index    *git.Index
	base     bool
	found    map[string]policyFile // by name; data of a second folder of the settings by its folder, too
	resolved map[string]string     // the names of files by what they resolve to: a link is no second policy
	size     int
}

// find reads what a path of the settings names: a folder, a file, or a glob of both.
func (f *finder) find(at string, explicit bool) error {
	pattern := path.Clean(strings.Trim(at, "/"))
	root, _ := doublestar.SplitPattern(pattern)
	if !hasMeta(pattern) {
		root = pattern
	}
	in := func(name string) bool { return lies(name, pattern) }
	for _, submodule := range f.index.Absent {
		if !f.base && (checkout.IsIn(root, submodule) || in(path.Join(submodule, "x.rego"))) {
			return problem.With(problem.Checkout, fmt.Errorf("policies in %s may be in the submodule %s, which is not checked out: check out with `submodules: true`", problem.Quote(at), problem.Quote(submodule)))
		}
	}
	if link := f.brokenLink(root); link != "" && !f.base {
		return problem.With(problem.Checkout, fmt.Errorf("the policies in %s are in Git, and not in the workspace: the link %s leads to something that is not checked out (see `sparse-checkout` and `submodules` of actions/checkout)", problem.Quote(at), problem.Quote(link)))
	}
	before := len(f.found)
	if err := f.walk(root, root, in, nil); err != nil {
		return err
	}
	for _, name := range f.index.Names {
		if !isPolicy(name, root) || !in(name) || policy.IsTest(name) {
			continue
		}
		if _, is := f.found[name]; is || f.isSecond(name) {
			continue
		}
		if f.index.Objects[name].Sparse {
			return problem.With(problem.Checkout, fmt.Errorf("the policy %s is in Git, and the sparse checkout leaves it out: add its folder to `sparse-checkout`", problem.Quote(name)))
		}
		return problem.With(problem.Checkout, fmt.Errorf("the policy %s is in Git, and not in the workspace: an earlier step may have deleted it", problem.Quote(name)))
	}
	if explicit && len(f.found) == before && !slices.ContainsFunc(f.paths(), in) {
		return &inventory.PolicyFault{Key: "path", Value: at, Message: "matches no policy (.rego) and no data (.yaml, .yml, .json): correct it, or check out what it names before this step"}
	}
	return nil
}

// brokenLink is the symbolic link in Git on the way to a name, if it leads to nothing or is not there; else
// empty. What Git has behind it is not known.
func (f *finder) brokenLink(name string) string {
	for ; name != "." && name != "/"; name = path.Dir(name) {
		if !f.index.Objects[name].Link {
			continue
		}
		if _, _, err := f.tree.Resolve(name); err != nil && checkout.IsMissing(err) {
			return name
		}
	}
	return ""
}

func (f *finder) paths() (all []string) {
	for _, found := range f.found {
		all = append(all, found.Path)
	}
	return all
}

// isSecond reports whether a name leads to a file that was found under another name.
func (f *finder) isSecond(name string) bool {
	resolved, _, err := f.tree.Resolve(name)
	return err == nil && f.resolved[resolved] != ""
}

// lies reports whether a path of the settings names a file, or a folder above it.
func lies(name, pattern string) bool {
	for ; name != "."; name = path.Dir(name) {
		if ok, _ := doublestar.Match(pattern, name); ok {
			return true
		}
	}
	return pattern == "."
}

// walk reads what in accepts at and below a name. It follows symbolic links, which must not lead out
// of the checkout.
func (f *finder) walk(name, root string, in func(string) bool, above []string) error {
	resolved, info, err := f.tree.Resolve(name)
	switch {
	case err != nil && checkout.IsMissing(err) && len(above) == 0:
		return nil // the caller says what is missing
	case err != nil && !f.matters(name, root):
		return nil //nolint:nilerr // it is no policy
	case err != nil:
		return problem.With(problem.Config, fmt.Errorf("read the policies in %s: %w", problem.Quote(name), err))
	case !info.IsDir():
		if isPolicy(name, root) && in(name) {
			return f.read(name, resolved, root)
		}
		return nil
	case slices.Contains(above, resolved):
		return nil // a link to a folder above
	case len(above) > maxPolicyDepth:
		return problem.With(problem.Config, fmt.Errorf("read the policies in %s: there are more than %d folders in each other", problem.Quote(root), maxPolicyDepth))
	}
	entries, err := os.ReadDir(f.tree.Path(resolved))
	if err != nil {
		return problem.With(problem.Config, fmt.Errorf("read the policies in %s: %w", problem.Quote(name), checkout.Cause(err)))
	}
	for _, e := range entries {
		if e.Name() == ".git" || e.Name() == ".terraform" {
			continue
		}
		below := path.Join(name, e.Name())
		if e.Type().IsRegular() && !isPolicy(below, root) {
			continue
		}
		if err := f.walk(below, root, in, append(above[:len(above):len(above)], resolved)); err != nil {
			return err
		}
	}
	return nil
}

// matters reports whether a link that can't be followed may lead to policies: to a folder, or to
// something that Git tracks and that is not there.
func (f *finder) matters(name, root string) bool {
	info, err := os.Stat(f.tree.Path(name))
	return isPolicy(name, root) || err == nil && info.IsDir() || err != nil && f.index.Has(name)
}

func (f *finder) read(name, resolved, root string) error {
	if root == name {
		root = path.Dir(name)
	}
	key, place := name, resolved
	if !isRego(name) {
		// The same data may be in several folders, by links or by several paths of the settings. A rule that
		// doesn't find it where it looks is silent.
		if root != "." { // below that, all data is in one place
			place += "\x00" + checkout.RelativeTo(root, path.Dir(name)+"/")
		}
		if first, is := f.found[name]; is && first.root != root {
			key += "\x00" + root
		}
	}
	if first, is := f.resolved[place]; is && first != name {
		return nil
	}
	if _, is := f.found[key]; is {
		return nil
	}
	content, err := f.tree.ReadFile(name, maxPolicyFile)
	if err != nil {
		return problem.With(problem.Config, fmt.Errorf("read the policy %s: %w", problem.Quote(name), err))
	}
	f.size += len(content)
	switch {
	case f.size > maxPolicyBytes:
		err = fmt.Errorf("they have more than %d MiB", maxPolicyBytes>>20)
	case len(f.found) == maxPolicyFiles:
		err = fmt.Errorf("they are more than %d files", maxPolicyFiles)
	}
	if err != nil {
		return problem.With(problem.Config, fmt.Errorf("read the policies in %s: %w: correct policy.path", problem.Quote(root), err))
	}
	if !policy.IsTest(name) { // a link to it, with another name, is a policy
		f.resolved[place] = name
	}
	f.found[key] = policyFile{
		File: policy.File{Path: name, Content: content, Root: root}, root: root, resolved: resolved,
		main: isRego(name) && !policy.IsTest(name) && mayBeEvaluated(content), tracked: f.index.Has(name) && !slices.ContainsFunc(f.index.Present, func(submodule string) bool { return checkout.IsIn(name, submodule) }),
	}
	return nil
}

// packageClause finds the first package of a policy. Later ones are text.
var packageClause = regexp.MustCompile(`(?m)^\x{FEFF}?[ \t]*package\s+([^\s#;]+)`)

// evaluatedRule finds a rule among tests that the evaluator may deny. Lines of a test's body are indented.
var evaluatedRule = regexp.MustCompile(`(?m)^` + policy.RuleNames + `[ \t]*(contains\b|if\b|\[|\{|:?=)`)

// mayBeEvaluated reports whether a policy may be of the package whose rules are evaluated. If that
// can't be seen, it may: the evaluator decides, and denies what it can't read.
func mayBeEvaluated(content []byte) bool {
	clause := packageClause.FindSubmatch(content)
	return clause == nil || string(clause[1]) == "main"
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[{\`) }

func isRego(name string) bool { return path.Ext(name) == ".rego" }

// isPolicy reports whether a file is a policy, its tests, or its data. Hidden files in the policies'
// folder, such as .pre-commit-config.yaml, are no data.
func isPolicy(name, root string) bool {
	switch path.Ext(name) {
	case ".rego":
		return true
	case ".yaml", ".yml", ".json":
		return !strings.Contains("/"+checkout.RelativeTo(root, name), "/.")
	}
	return false
}
