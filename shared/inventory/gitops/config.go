// Package gitops reads the targets of a repository without Atmos from gitops.yaml. The
// reference for people is this folder's README.md, and for editors gitops.schema.json.
//
// [Load] reads and checks the file; [Config.Target] resolves one target and sees that its
// root module and its files are there; [Affected] compares two checkouts.
package gitops

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Config is the gitops.yaml of a checkout. It does not change after [Load].
type Config struct {
	checkout checkout.Tree
	file     string
	doc      document
	given    map[string]bool // all files that targets name: see Target.Given
	targets  map[string]int  // how many targets a root module folder has

	listed []inventory.Listed
	after  map[inventory.Name][]inventory.Name // what each target waits for

	// The same as in doc, since a copy for each target would be large.
	components map[string]*component
	stacks     map[string]*stack

	discovery *Discovery
	found     map[string]bool // folders of root modules that are not listed
}

// Load reads and checks file, the gitops.yaml of the checkout in the folder root. file is
// relative to root, or absolute and inside of it. Its symbolic links must not lead out of
// root, and it has 1 MiB at most.
//
// Load checks the file itself, for all targets. [Config.Target] looks at the folders and
// files that a target names, so that a missing one does not stop the other targets. What is
// wrong in the file is an [*Error]. If there is no file, the error wraps [fs.ErrNotExist].
//
// With `discover` it looks for root modules in the files of the same checkout. tracked may have
// asked Git what it tracks there; nil asks Git.
func Load(ctx context.Context, root, file string, tracked *git.Tracked) (*Config, error) {
	co, err := checkout.Open(root)
	if err != nil {
		return nil, err
	}
	name, err := co.Name(file)
	if err != nil {
		return nil, problem.With(problem.Config, fmt.Errorf("read the configuration %s: %w", problem.Quote(file), err))
	}
	content, err := co.ReadFile(name, maxFileBytes)
	if err != nil {
		return nil, problem.With(problem.Config, fmt.Errorf("read the configuration %s: %w", problem.Quote(file), err))
	}
	return parse(ctx, co, name, content, tracked)
}

// File is the path of the file, relative to the checkout, with slashes.
func (c *Config) File() string { return c.file }

func parse(ctx context.Context, co checkout.Tree, file string, content []byte, tracked *git.Tracked) (*Config, error) {
	doc, err := decode(file, content)
	if err != nil {
		return nil, err
	}
	c := &Config{checkout: co, file: file, doc: doc}
	if err := c.fillIn(ctx, tracked); err != nil {
		return nil, err
	}
	c.components, c.stacks = make(map[string]*component, len(c.doc.Components)), make(map[string]*stack, len(c.doc.Stacks))
	for name, comp := range c.doc.Components {
		c.components[name] = &comp
	}
	for name, st := range c.doc.Stacks {
		c.stacks[name] = &st
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// fault is an Error about the key or value at a place.
func (c *Config) fault(at place, cause error, format string, args ...any) error {
	return &Error{File: c.file, Line: at.line, Column: at.column, Key: at.key(), Message: fmt.Sprintf(format, args...), Err: cause}
}

func (c *Config) componentNames() []string { return slices.Sorted(maps.Keys(c.doc.Components)) }

func (c *Config) stackNames() []string { return slices.Sorted(maps.Keys(c.doc.Stacks)) }

// stacksOf are the stacks that a component is in: all, unless it lists them.
func (c *Config) stacksOf(comp component) []string {
	if comp.Stacks == nil {
		return c.stackNames()
	}
	var names []string
	for _, s := range comp.Stacks {
		names = append(names, s.name.value)
	}
	return names
}

func (comp component) isIn(stack string) bool {
	return comp.Stacks == nil || slices.ContainsFunc(comp.Stacks, func(s membership) bool { return s.name.value == stack })
}

// in is what the component has in a stack; nil if that is nothing.
func (comp *component) in(stack string) *inStack {
	for _, s := range comp.Stacks {
		if s.name.value == stack {
			return s.in
		}
	}
	return nil
}

// nameEveryStack replaces everyOther, in the stacks of components, by the names of these stacks.
func (c *Config) nameEveryStack() {
	for name, comp := range c.doc.Components {
		i := slices.IndexFunc(comp.Stacks, func(s membership) bool { return s.name.value == everyOther })
		if i < 0 {
			continue
		}
		every := comp.Stacks[i]
		comp.Stacks = slices.Delete(slices.Clone(comp.Stacks), i, i+1)
		for _, stack := range c.stackNames() {
			if !comp.isIn(stack) {
				every.name.value = stack
				comp.Stacks = append(comp.Stacks, every)
			}
		}
		c.doc.Components[name] = comp
	}
}
