package planstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/approvals"
)

// Limits of the requirements that a record or a claim keeps: they inform people, and no apply
// rests on them. An organization's name has at most 39 bytes, and so has a login.
const (
	maxRequirements = 20
	maxNames        = 20  // of teams, and of users
	maxWho          = 150 // bytes
	maxReasonText   = 500 // bytes
	maxSource       = 200 // bytes
)

// boundRequirements returns what a record or a claim keeps of requirements.
func boundRequirements(all []approvals.Requirement) (kept []approvals.Requirement) {
	for _, r := range all[:min(len(all), maxRequirements)] {
		r.Teams, r.Users = boundNames(r.Teams), boundNames(r.Users)
		r.Count, r.Reason, r.Source = max(r.Count, 1), cut(r.Reason, maxReasonText), cut(r.Source, maxSource)
		kept = append(kept, r)
	}
	return kept
}

func boundNames(names []string) (kept []string) {
	for _, name := range names {
		if checkWho(name) == nil && len(kept) < maxNames {
			kept = append(kept, name)
		}
	}
	return kept
}

func checkWho(name string) error {
	if name == "" || len(name) > maxWho || strings.Contains(name, "\n") || !utf8.ValidString(name) {
		return fmt.Errorf("%.80q can't be the name of a team or user", name)
	}
	return nil
}

// cut returns the first bytes of a text, which are UTF-8.
func cut(text string, most int) string {
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "")
}

// checkRequirements refuses requirements that would not be read again as they are.
func checkRequirements(all []approvals.Requirement) error {
	if len(all) > maxRequirements {
		return fmt.Errorf("a record keeps %d requirements, and has %d", maxRequirements, len(all))
	}
	for _, r := range all {
		for _, names := range [][]string{r.Teams, r.Users} {
			for _, name := range names {
				if err := checkWho(name); err != nil {
					return err
				}
			}
		}
		if r.Count < 1 {
			return errors.New("a requirement is of one approval at least")
		}
	}
	return nil
}

// requirementItems are the requirements of a record, by their place from "0". An item that is sealed has no
// lists.
type requirementItems map[string]requirementItem

type requirementItem struct {
	Teams  string `json:"teams,omitempty"` // one per line
	Users  string `json:"users,omitempty"`
	Count  int    `json:"count"`
	Reason string `json:"reason,omitempty"`
	Source string `json:"source,omitempty"`
	Older  int    `json:"older,omitempty"` // 1: an older approval counts
	Write  int    `json:"write,omitempty"` // 1: who approves must be able to write
}

func newRequirementItems(all []approvals.Requirement) requirementItems {
	items := requirementItems{}
	for i, r := range all {
		item := requirementItem{
			Teams: joinLines(r.Teams), Users: joinLines(r.Users), Count: r.Count, Reason: r.Reason, Source: r.Source,
		}
		if r.Older {
			item.Older = 1
		}
		if r.Write {
			item.Write = 1
		}
		items[strconv.Itoa(i)] = item
	}
	return items
}

func (items requirementItems) requirements() (all []approvals.Requirement) {
	for i := range len(items) {
		item := items[strconv.Itoa(i)]
		all = append(all, approvals.Requirement{
			Teams: splitLines(item.Teams), Users: splitLines(item.Users), Count: item.Count,
			Reason: item.Reason, Source: item.Source, Older: item.Older == 1, Write: item.Write == 1,
		})
	}
	return all
}
