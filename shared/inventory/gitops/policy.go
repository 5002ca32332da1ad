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
	filters := []policyFilter{top.policyFilter}
	for _, l := range r.layers() {
		filters = append(filters, l.Policy)
	}
	p := inventory.Policy{Path: values(top.Path), Override: values(top.Override.Teams)}
	if top.Path != nil && p.Path == nil {
		p.Path = []string{}
	}
	for _, f := range filters {
		p.Include = append(p.Include, r.expanded(f.Include)...)
		p.Exclude = append(p.Exclude, r.expanded(f.Exclude)...)
	}
	return p
}

// approvals merges what the layers say. If a layer names people, and none says how many, one is
// enough.
func (r resolver) approvals() (a inventory.ApprovalSettings) {
	counted := false
	for _, l := range r.layers() {
		if l.Approvals.Teams != nil || l.Approvals.Users != nil {
			a.Teams, a.Users = values(l.Approvals.Teams), values(l.Approvals.Users)
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
	if !counted && len(a.Teams)+len(a.Users) > 0 {
		a.Count = 1
	}
	return a
}

// expanded are globs with the target's names in them. What a name has of a glob's own characters
// matches itself.
func (r resolver) expanded(globs []text) (all []string) {
	for _, g := range globs {
		all = append(all, expand(g.value, literal(r.componentName), literal(r.stackName)))
	}
	return all
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
