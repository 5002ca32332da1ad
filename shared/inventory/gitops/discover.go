package gitops

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

const (
	// implied is the name of the component in the root module at the repository's root, if
	// gitops.yaml names no other.
	implied = "root"
	// onlyStack is the name of the stack if there are none in gitops.yaml.
	onlyStack = "default"
	// anyFolders stands for any number of folders in `path`.
	anyFolders = "**"
	// discoveredPath is `path` with `discover`: the whole path of the folder is the component's name.
	discoveredPath = anyFolders + "/{component}"
)

// Discovery is what was found in a checkout by `discover`.
type Discovery struct {
	Found []Discovered
	// Left are folders that look like root modules and belong to no target, sorted.
	Left []LeftOut
	// Unmatched are the patterns that match no folder with Terraform files, or, without an
	// exclamation mark, no root module.
	Unmatched []string
}

// Discovered is a target in a folder that was found.
type Discovered struct {
	inventory.Name
	Folder string
}

// LeftOut is a folder that belongs to no target.
type LeftOut struct {
	Folder string
	Why    string
	Asked  bool // a pattern of `discover` excludes it
}

// Discovery is what was found besides what gitops.yaml lists; nil if it lists everything.
func (c *Config) Discovery() *Discovery { return c.discovery }

// fillIn adds the components and stacks that gitops.yaml leaves to be found, or to be implied.
func (c *Config) fillIn(ctx context.Context, tracked *git.Tracked) error {
	if err := c.checkPaths(); err != nil {
		return err
	}
	if c.doc.Components == nil {
		c.doc.Components = make(map[string]component)
	}
	var err error
	switch {
	case c.doc.Discover != nil:
		err = c.discover(ctx, tracked)
	case len(c.doc.Components) == 0:
		err = c.implyRoot(ctx, tracked)
	}
	if err != nil {
		return err
	}
	if len(c.doc.Stacks) == 0 {
		if at, used := c.stackUsed(); used {
			return c.fault(at, nil, "%s needs a stack, and the key `stacks` is missing", at.named())
		}
		c.doc.Stacks = map[string]stack{onlyStack: {}}
	}
	c.nameEveryStack()
	return nil
}

// implyRoot adds the component of a gitops.yaml that has none, and names the other root modules.
func (c *Config) implyRoot(ctx context.Context, tracked *git.Tracked) error {
	top := place{line: 1, column: 1}
	comp := component{At: top, Path: c.doc.Path.or(text{value: ".", set: true, at: top})}
	if strings.Contains(comp.Path.value, "{component}") {
		return c.fault(comp.Path.at, nil, "%s has {component}, and there are no `components`: list them, or set `discover`", comp.Path.at.named())
	}
	c.doc.Components[implied] = comp
	modules, err := findRootModules(ctx, c.checkout, tracked)
	if err != nil {
		return err
	}
	c.discovery, c.found = new(Discovery), make(map[string]bool)
	fits := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(strings.Trim(comp.Path.value, "/")), regexp.QuoteMeta("{stack}"), "[^/]+") + "$")
	for _, folder := range slices.Sorted(maps.Keys(modules.folders)) {
		switch {
		case fits.MatchString(folder):
			c.found[folder] = true
		case modules.is(folder):
			c.discovery.Left = append(c.discovery.Left, LeftOut{Folder: folder, Why: "gitops.yaml has neither `components` nor `discover`"})
		}
	}
	return nil
}

// stackUsed is the place of a text that needs a stack's name.
func (c *Config) stackUsed() (place, bool) {
	layers := []layer{c.doc.layer}
	texts := []text{c.doc.Path}
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		texts, layers = append(texts, comp.Path), append(layers, comp.layer)
		for _, s := range comp.Stacks {
			texts = append(texts, text{value: "{stack}", at: s.name.at})
		}
	}
	for _, l := range layers {
		texts = append(texts, slices.Concat([]text{l.Workspace, l.Environment}, l.VarFiles, l.BackendConfig, l.PlanFiles, slices.Collect(maps.Values(l.Env)))...)
	}
	for _, t := range texts {
		if strings.Contains(t.value, "{stack}") {
			return t.at, true
		}
	}
	return place{}, false
}

// discover adds a component for each root module that the patterns match, in the stack that its
// path names. What is listed keeps its settings.
func (c *Config) discover(ctx context.Context, tracked *git.Tracked) error {
	names := c.pathNames()
	modules, err := findRootModules(ctx, c.checkout, tracked)
	if err != nil {
		return err
	}
	c.discovery, c.found = new(Discovery), make(map[string]bool)
	listed := c.listedFolders()
	places := make(map[string]memberships) // by component: those that were found
	matched := make(map[int]bool)
	for _, folder := range slices.Sorted(maps.Keys(modules.folders)) {
		by, in := c.matchedBy(folder)
		for _, i := range by {
			if strings.HasPrefix(c.doc.Discover[i].value, "!") {
				matched[i] = true
			}
		}
		if file, unread := modules.unread[folder]; in && unread {
			return problem.With(problem.Checkout, c.fault(c.doc.Discover[by[0]].at, nil, "%s can't be read, so whether its folder is a root module can't be told: add it to `sparse-checkout` of actions/checkout, or leave that input out", problem.Quote(file)))
		}
		is := modules.is(folder)
		if is {
			for _, i := range by {
				matched[i] = true
			}
		}
		left := func(format string, args ...any) {
			c.discovery.Left = append(c.discovery.Left, LeftOut{Folder: folder, Why: fmt.Sprintf(format, args...), Asked: len(by) > 0 && !in})
		}
		switch {
		case listed[folder]:
		case !is && in && !modules.isCalled(folder):
			left("it has no backend, cloud or provider block, and no module calls it")
		case !is:
		case !in && len(by) > 0:
			left("%s excludes it", problem.Quote(c.doc.Discover[by[len(by)-1]].value))
		case !in:
			left("no pattern of `discover` matches it")
		default:
			name, why := c.nameOf(folder, names)
			if why != "" {
				left("%s", why)
				continue
			}
			at := c.doc.Discover[by[0]].at
			if _, known := c.doc.Components[name.Component]; !known {
				comp := component{At: at}
				if folder == "." {
					comp.Path = text{value: ".", set: true, at: at}
				}
				c.doc.Components[name.Component] = comp
			}
			places[name.Component] = append(places[name.Component], membership{name: text{value: name.Stack, set: true, at: at}})
			c.found[folder] = true
		}
	}
	for i, p := range c.doc.Discover {
		if !matched[i] {
			c.discovery.Unmatched = append(c.discovery.Unmatched, p.value)
		}
	}
	if err := c.placeComponents(places); err != nil {
		return err
	}
	if len(c.doc.Components) == 0 {
		return c.fault(c.doc.Discover[0].at, nil, "`discover` finds no root module: a root module is a folder with a `backend` or `cloud` block, or with a `provider` block if no other module calls it")
	}
	return nil
}

// matchedBy are the patterns, by index, that match a folder. in tells that the last of them does
// not exclude it.
func (c *Config) matchedBy(folder string) (by []int, in bool) {
	for i, p := range c.doc.Discover {
		glob, out := strings.CutPrefix(p.value, "!")
		glob = strings.Trim(glob, "/")
		ok, _ := doublestar.Match(glob, folder) // checkPaths has validated it
		if ok || folder == "." && glob == anyFolders {
			if in = !out; in || len(by) > 0 {
				by = append(by, i)
			}
		}
	}
	return by, in
}

// placeComponents has each component be in the stacks in which its folder was found, unless
// gitops.yaml says which stacks it is in.
func (c *Config) placeComponents(found map[string]memberships) error {
	if !strings.Contains(c.rootPath().value, "{stack}") {
		return nil // it is in every stack
	}
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		every := slices.IndexFunc(comp.Stacks, func(s membership) bool { return s.name.value == everyOther })
		switch {
		case comp.Path.set:
			continue
		case comp.Stacks == nil && len(found[name]) == 0:
			return c.fault(comp.At, nil, "`discover` finds no root module of component %s: set `path` of the component, or remove it", problem.Quote(name))
		case comp.Stacks == nil:
			comp.Stacks = found[name]
		case every >= 0:
			rest := comp.Stacks[every].in
			comp.Stacks = slices.Delete(slices.Clone(comp.Stacks), every, every+1)
			for _, s := range found[name] {
				if !comp.isIn(s.name.value) {
					comp.Stacks = append(comp.Stacks, membership{s.name, rest})
				}
			}
		}
		c.doc.Components[name] = comp
	}
	for _, places := range found {
		for _, s := range places {
			if c.doc.Stacks == nil {
				c.doc.Stacks = make(map[string]stack)
			}
			if c.lacksStack(s.name.value) {
				c.doc.Stacks[s.name.value] = stack{At: s.name.at}
			}
		}
	}
	return nil
}

// rootPath is the template of the folders that are found.
func (c *Config) rootPath() text {
	return c.doc.Path.or(text{value: discoveredPath, at: place{name: "path"}})
}

// nameOf is the name of the target in a folder; why says why there is none.
func (c *Config) nameOf(folder string, names *regexp.Regexp) (name inventory.Name, why string) {
	deep := ""
	switch found := names.FindStringSubmatch(folder); {
	case folder == "." && !c.doc.Path.set:
		name.Component = implied
	case found == nil:
		return name, fmt.Sprintf("its path does not fit %s", problem.Quote(c.doc.Path.value))
	default:
		for i, group := range names.SubexpNames() {
			at := map[string]*string{"component": &name.Component, "stack": &name.Stack, "deep": &deep}[strings.TrimRight(group, "_")]
			if at == nil {
				continue
			}
			if *at != "" && *at != found[i] {
				return name, fmt.Sprintf("its path does not fit %s", problem.Quote(c.doc.Path.value))
			}
			*at = found[i]
		}
	}
	name.Component = path.Join(deep, name.Component)
	comp, listed := c.doc.Components[name.Component]
	switch {
	case len(name.Component) > inventory.MaxName || len(name.Stack) > inventory.MaxName || !inventory.IsPrintable(name.Component+name.Stack):
		return name, "its path can't be a name: at most 200 bytes of printable text"
	case strings.Contains(name.Component+name.Stack, `\`):
		return name, "its path can't be a name: it has a backslash"
	case c.doc.Stacks != nil && name.Stack != "" && c.lacksStack(name.Stack):
		return name, fmt.Sprintf("`stacks` does not list %s", problem.Quote(name.Stack))
	case listed && comp.Path.set:
		return name, fmt.Sprintf("component %s has another `path`", problem.Quote(name.Component))
	case listed && comp.Stacks != nil && name.Stack != "" && !comp.isIn(name.Stack) && !comp.isIn(everyOther):
		return name, fmt.Sprintf("component %s is not in stack %s", problem.Quote(name.Component), problem.Quote(name.Stack))
	}
	return name, ""
}

// pathNames finds the names of component and stack in the path of a folder.
func (c *Config) pathNames() *regexp.Regexp {
	template := c.rootPath()
	var all strings.Builder
	all.WriteString("^")
	segments := strings.Split(strings.Trim(template.value, "/"), "/")
	for i, segment := range segments {
		if segment == anyFolders {
			all.WriteString("(?:(?P<deep>.+)/)?") // checkPaths has seen that another segment follows
			continue
		}
		quoted := regexp.QuoteMeta(segment)
		for _, name := range []string{"component", "stack"} {
			for placeholder := regexp.QuoteMeta("{" + name + "}"); strings.Contains(quoted, placeholder); {
				group := name + strings.Repeat("_", strings.Count(all.String()+quoted, "(?P<"+name)) // no two groups have one name
				quoted = strings.Replace(quoted, placeholder, "(?P<"+group+">[^/]+)", 1)
			}
		}
		all.WriteString(quoted)
		if i < len(segments)-1 {
			all.WriteString("/")
		}
	}
	all.WriteString("$")
	return regexp.MustCompile(all.String())
}

// listedFolders are the folders of the components that have a path of their own.
func (c *Config) listedFolders() map[string]bool {
	all := make(map[string]bool)
	for name, comp := range c.doc.Components {
		if !comp.Path.set {
			continue
		}
		for _, stack := range c.stacksOf(comp) {
			if t, err := c.resolver(name, stack).target(); err == nil {
				all[t.Dir] = true
			}
		}
		if dir, err := c.resolver(name, "").expandPath(comp.Path, ""); err == nil {
			all[dir] = true
		}
	}
	return all
}
