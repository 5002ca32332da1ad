package atmos

import (
	"encoding/json"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// policy says which policies hold for a component. Atmos merges mappings of several levels, and
// replaces lists.
type policy struct {
	Path     []scalar `json:"path"`
	Include  []scalar `json:"include"`
	Exclude  []scalar `json:"exclude"`
	Override struct {
		Teams []scalar `json:"teams"`
	} `json:"override"`
}

// approvals are the people who have to approve a component's plans.
type approvals struct {
	Count         *approvalCount `json:"count"`
	Teams         []scalar       `json:"teams"`
	Users         []scalar       `json:"users"`
	NewerThanPlan *bool          `json:"newer-than-plan"`
	CodeOwners    bool           `json:"codeowners"`
}

type approvalCount int

func (n *approvalCount) UnmarshalJSON(content []byte) error {
	var count int
	if err := json.Unmarshal(content, &count); err != nil || count < 0 || count > inventory.MaxApprovals {
		return fmt.Errorf("approvals.count: write a whole number from 0 to %d instead of %s", inventory.MaxApprovals, content)
	}
	*n = approvalCount(count)
	return nil
}

func (g gitops) policy() inventory.Policy {
	p := inventory.Policy{Path: plainTexts(g.Policy.Path), Include: plainTexts(g.Policy.Include), Exclude: plainTexts(g.Policy.Exclude), Override: plainTexts(g.Policy.Override.Teams)}
	if g.Policy.Path != nil && p.Path == nil {
		p.Path = []string{}
	}
	return p
}

// approvals are those that are configured. If people are listed, and nothing says how many, one is
// enough: also if the list is empty, which is not how a requirement is removed.
func (g gitops) approvals() inventory.ApprovalSettings {
	a := inventory.ApprovalSettings{Teams: plainTexts(g.Approvals.Teams), Users: plainTexts(g.Approvals.Users), CodeOwners: g.Approvals.CodeOwners}
	a.Older = g.Approvals.NewerThanPlan != nil && !*g.Approvals.NewerThanPlan
	switch {
	case g.Approvals.Count != nil:
		a.Count = int(*g.Approvals.Count)
	case g.Approvals.Teams != nil || g.Approvals.Users != nil:
		a.Count = 1
	}
	return a
}

func (g gitops) checkPolicy() error {
	p, a := g.policy(), g.approvals()
	for _, list := range []struct {
		key    string
		values []string
		check  func(string) error
	}{
		{"policy.path", p.Path, inventory.CheckGlob},
		{"policy.include", p.Include, inventory.CheckGlob},
		{"policy.exclude", p.Exclude, inventory.CheckGlob},
		{"policy.override.teams", p.Override, inventory.CheckTeam},
		{"approvals.teams", a.Teams, inventory.CheckTeam},
		{"approvals.users", a.Users, inventory.CheckUser},
	} {
		for _, value := range list.values {
			if err := list.check(value); err != nil {
				return fmt.Errorf("settings.integrations.github.gitops.%s: %q can't be used: %w", list.key, value, err)
			}
		}
	}
	if err := a.Check(); err != nil {
		return fmt.Errorf("settings.integrations.github.gitops.approvals can't be met: %w", err)
	}
	return nil
}

func plainTexts(list []scalar) (all []string) {
	for _, s := range list {
		all = append(all, string(s))
	}
	return all
}
