package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// affected is a component that a branch changes.
type affected struct {
	Component            string      `json:"component"`
	ComponentType        string      `json:"component_type"`
	ComponentPath        string      `json:"component_path"`
	Stack                string      `json:"stack"`
	StackSlug            string      `json:"stack_slug"`
	Affected             string      `json:"affected"`
	AffectedAll          []string    `json:"affected_all"`
	Dependents           []dependent `json:"dependents"`
	IncludedInDependents bool        `json:"included_in_dependents"`
	Settings             section     `json:"settings"`
}

// dependent is a component that depends on an affected one.
type dependent struct {
	Component            string      `json:"component"`
	ComponentType        string      `json:"component_type"`
	ComponentPath        string      `json:"component_path"`
	Tenant               any         `json:"tenant,omitempty"`
	Environment          any         `json:"environment,omitempty"`
	Stage                any         `json:"stage,omitempty"`
	Stack                string      `json:"stack"`
	StackSlug            string      `json:"stack_slug"`
	Dependents           []dependent `json:"dependents"`
	IncludedInDependents bool        `json:"included_in_dependents"`
	Settings             section     `json:"settings"`
}

// describeAffected lists the components that differ from those in the checkout --repo-path. Atmos
// prints them in random order; this program sorts them by name.
func describeAffected(args []string) error {
	a, err := parseDescribe(args, flags{"--repo-path": true, "--base": true, "--include-dependents": false, "--skip": true})
	if err != nil {
		return err
	}
	head, err := openProject()
	if err != nil {
		return err
	}
	repo, sha := a.flags["--repo-path"], a.flags["--base"]
	if (repo == "") == (sha == "") || sha != "" && !modern() {
		return errors.New("stand-in: describe affected needs --repo-path, or, since 1.227, --base")
	}
	head.warn()
	if sha != "" {
		if repo, err = os.MkdirTemp("", "atmos-"); err != nil {
			return err
		}
		defer os.RemoveAll(repo)
		for _, args := range [][]string{{"clone", "--quiet", "--no-checkout", head.base, repo}, {"-C", repo, "checkout", "--quiet", sha}} {
			if _, err := git(head.base, args...); err != nil {
				return err
			}
		}
	}
	prefix, err := git(head.base, "rev-parse", "--show-prefix")
	if err != nil {
		return err
	}
	prefix = strings.TrimSpace(prefix)
	// Both sides are read with this side's atmos.yaml.
	base := *head
	base.base, base.stacks = filepath.Join(repo, prefix), nil
	if modern() && sha == "" {
		origin, err := git(repo, "remote", "get-url", "origin")
		switch host, known := remoteHost(strings.TrimSpace(origin)); {
		case err != nil:
			// Stack manifests are compared with themselves.
			base.stacks = head.stacks
		case !known:
			return fmt.Errorf("repository host '%s' not supported", host)
		}
	}
	if base.stacks == nil {
		if err := base.readStacks(); err != nil {
			return err
		}
	}
	changed, err := changedFiles(filepath.Join(repo, prefix), head.base)
	if err != nil {
		return err
	}
	list := []affected{}
	slices.SortFunc(head.stacks, func(a, b *stack) int { return strings.Compare(a.name, b.name) })
	for _, s := range head.stacks {
		components, err := head.components(s)
		if err != nil {
			return err
		}
		first := len(list)
		for _, c := range components {
			if c.abstract() || c.disabled() {
				continue
			}
			before, _ := base.component(c.name, s.name) // nil: a new one
			if before != nil {
				if err := before.evaluate(a.dynamic()); err != nil {
					return err
				}
			}
			if err := c.evaluate(a.dynamic()); err != nil {
				return err
			}
			if reasons := c.changes(before, prefix, changed); len(reasons) > 0 {
				list = append(list, affected{
					Component: c.name, ComponentType: "terraform", ComponentPath: c.relativePath(),
					Stack: s.name, StackSlug: c.slug(), Affected: reasons[0], AffectedAll: reasons,
				})
			}
		}
		if a.flags["--include-dependents"] == "true" {
			addDependents(list[first:], components)
		}
	}
	return printJSON(list)
}

// remoteHost returns the host of a remote repository's URL, and false if the URL has none.
func remoteHost(url string) (string, bool) {
	_, after, isURL := strings.Cut(url, "://")
	host, _, _ := strings.Cut(after, "/")
	if user, rest, isSSH := strings.Cut(url, "@"); !isURL && isSSH && !strings.Contains(user, "/") {
		host, _, _ = strings.Cut(rest, ":")
	}
	return host, host != ""
}

// changes returns the reasons why a component is affected.
func (c *component) changes(before *component, prefix string, changed []string) []string {
	if before == nil {
		before = &component{}
	}
	var reasons []string
	check := func(reason string, differ bool) {
		if differ {
			reasons = append(reasons, reason)
		}
	}
	folder := path.Join(prefix, c.project.cli.Components.Terraform.BasePath, c.folder)
	within := func(folder string) bool {
		return slices.ContainsFunc(changed, func(file string) bool { return strings.HasPrefix(file, folder+"/") })
	}
	check("stack.metadata", !reflect.DeepEqual(c.metadata, before.metadata))
	check("component.module", slices.ContainsFunc(c.localModules(), func(source string) bool { return within(path.Join(folder, source)) }))
	check("component", within(folder))
	check("stack.vars", !reflect.DeepEqual(c.vars, before.vars))
	check("stack.env", !reflect.DeepEqual(c.env, before.env))
	check("stack.settings", !reflect.DeepEqual(c.settings, before.settings))
	return reasons
}

var localSource = regexp.MustCompile(`(?m)^\s*source\s*=\s*"(\.\.?/[^"]*)"`)

// localModules returns the sources of the local modules that the component's own module calls.
func (c *component) localModules() []string {
	var sources []string
	files, _ := filepath.Glob(filepath.Join(c.path(), "*.tf"))
	for _, file := range files {
		content, _ := os.ReadFile(file)
		for _, source := range localSource.FindAllSubmatch(content, -1) {
			sources = append(sources, string(source[1]))
		}
	}
	return sources
}

// relativePath returns the component's path. It begins with the base path as atmos.yaml has it.
func (c *component) relativePath() string {
	return filepath.Join(c.project.cli.BasePath, c.project.cli.Components.Terraform.BasePath, c.folder)
}

func addDependents(list []affected, components []*component) {
	for i := range list {
		list[i].Dependents = dependents(list[i].Component, components)
	}
	for i := range list {
		list[i].IncludedInDependents = slices.ContainsFunc(list, func(other affected) bool {
			return contains(other.Dependents, list[i].Component)
		})
	}
}

func dependents(on string, components []*component) []dependent {
	list := []dependent{}
	for _, c := range components {
		if c.abstract() || c.disabled() || !c.dependsOn(on) {
			continue
		}
		list = append(list, dependent{
			Component: c.name, ComponentType: "terraform", ComponentPath: c.relativePath(),
			Tenant: c.vars["tenant"], Environment: c.vars["environment"], Stage: c.vars["stage"],
			Stack: c.stack.name, StackSlug: c.slug(), Dependents: dependents(c.name, components),
		})
	}
	return list
}

func (c *component) dependsOn(name string) bool {
	for _, dependency := range at(c.settings, "depends_on") {
		if d, _ := dependency.(section); d["component"] == name && c.name != name {
			return true
		}
	}
	return false
}

func contains(list []dependent, component string) bool {
	return slices.ContainsFunc(list, func(d dependent) bool {
		return d.Component == component || contains(d.Dependents, component)
	})
}

// changedFiles returns the files that differ between the commits of two checkouts. Uncommitted
// changes don't count.
func changedFiles(base, head string) ([]string, error) {
	var trees [2]map[string]string
	for i, dir := range []string{base, head} {
		listing, err := git(dir, "ls-tree", "-r", "--full-tree", "-z", "HEAD")
		if err != nil {
			return nil, err
		}
		trees[i] = map[string]string{}
		for entry := range strings.SplitSeq(listing, "\x00") {
			object, file, _ := strings.Cut(entry, "\t")
			trees[i][file] = object
		}
	}
	var changed []string
	for _, pair := range [][2]map[string]string{{trees[0], trees[1]}, {trees[1], trees[0]}} {
		for file, object := range pair[0] {
			if pair[1][file] != object {
				changed = append(changed, file)
			}
		}
	}
	return changed, nil
}

func git(dir string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s in %s: %w", args[0], dir, err)
	}
	return string(out), nil
}
