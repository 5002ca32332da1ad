package gitops

import (
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// checkPolicy checks what the top level says of policies.
func (c *Config) checkPolicy() error {
	p := c.doc.Policy
	for _, at := range p.Path {
		if placeholder.MatchString(at.value) {
			return c.fault(at.at, nil, "%s, %s, can't have a placeholder, since the policies are read once for all targets: choose those of a target by `include` and `exclude`", at.at.named(), problem.Quote(at.value))
		}
	}
	if err := c.checkGlobs(slices.Concat(p.Path, p.Include, p.Exclude)); err != nil {
		return err
	}
	return c.checkPeople(p.Override.Teams, nil)
}

// Placed is the same fault with its place in the file.
func (c *Config) Placed(name inventory.Name, f *inventory.PolicyFault) error {
	texts := c.doc.Policy.Path
	if f.Key == "include" {
		texts = c.resolver(name.Component, name.Stack).includes()
	}
	for _, t := range texts {
		if t.value == f.Value || f.Key == "include" && expandGlob(t.value, name) == f.Value {
			return c.fault(t.at, nil, "%s, %s, %s", t.at.named(), problem.Quote(f.Value), f.Message)
		}
	}
	return f
}

// checkApprovals refuses approvals that nobody can give.
func (r resolver) checkApprovals() error {
	err := r.approvals().Check()
	if err == nil {
		return nil
	}
	var at place
	for _, l := range r.layers() {
		if l.Approvals.Count.set {
			at = l.Approvals.Count.at
		}
	}
	return r.fault(at, err, "%s can't be met for %s", at.named(), problem.Shorten(inventory.Name{Component: r.componentName, Stack: r.stackName}.String()))
}

func (c *Config) checkPeople(teams, users []text) error {
	for _, t := range teams {
		if err := inventory.CheckTeam(t.value); err != nil {
			return c.fault(t.at, err, "%s, %s, can't be used", t.at.named(), problem.Quote(t.value))
		}
	}
	for _, u := range users {
		if err := inventory.CheckUser(u.value); err != nil {
			return c.fault(u.at, err, "%s, %s, can't be used", u.at.named(), problem.Quote(u.value))
		}
	}
	return nil
}

func (r resolver) policy() inventory.Policy {
	top := r.doc.Policy
	p := inventory.Policy{Path: values(top.Path), Override: values(top.Override.Teams)}
	if top.Path != nil && p.Path == nil {
		p.Path = []string{}
	}
	p.Include = r.expanded(r.includes())
	p.Exclude = r.expanded(slices.Concat(top.Exclude, r.texts(func(l *layer) []text { return l.Policy.Exclude })))
	return p
}

// includes are those of the top level, and of the target's other layers.
func (r resolver) includes() []text {
	return slices.Concat(r.doc.Policy.Include, r.texts(func(l *layer) []text { return l.Policy.Include }))
}

// approvals merges what the layers say. If a layer lists people, and none says how many, one is enough:
// also if the list is empty, which is not how a requirement is removed.
func (r resolver) approvals() (a inventory.ApprovalSettings) {
	counted, listed := false, false
	for _, l := range r.layers() {
		if l.Approvals.Teams != nil || l.Approvals.Users != nil {
			a.Teams, a.Users, listed = values(l.Approvals.Teams), values(l.Approvals.Users), true
		}
		if n := l.Approvals.Count; n.set {
			a.Count, counted = n.value, true
		}
		if f := l.Approvals.NewerThanPlan; f.set {
			a.Older = !f.value
		}
		if f := l.Approvals.CodeOwners; f.set {
			a.CodeOwners = f.value
		}
	}
	if !counted && listed {
		a.Count = 1
	}
	return a
}

// expanded are globs with the target's names in them. What a name has of a glob's own characters
// matches itself.
func (r resolver) expanded(globs []text) (all []string) {
	for _, g := range globs {
		all = append(all, expandGlob(g.value, inventory.Name{Component: r.componentName, Stack: r.stackName}))
	}
	return all
}

func expandGlob(glob string, n inventory.Name) string {
	return expand(glob, literal(n.Component), literal(n.Stack))
}

func literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "{", `\{`, "}", `\}`, ",", `\,`).Replace(name)
}

func values(texts []text) (all []string) {
	for _, t := range texts {
		all = append(all, t.value)
	}
	return all
}
