package inventory

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Policy says which policies hold for a target.
type Policy struct {
	// Path are folders and globs of files, relative to the checkout; nil: the default folder. If it
	// is empty and not nil, there are no policies.
	Path []string
	// Include and Exclude are globs of policy files: see [MatchesFile]. Without Include all hold.
	Include, Exclude []string
	// Override are the teams (org/slug) whose members may let a denied plan through.
	Override []string
}

// PolicyFault is what is wrong with a value of `policy.path` or `policy.include`. The source of the
// settings knows the place.
type PolicyFault struct {
	Key, Value string // path or include, and the value with the target's names in it
	Message    string // what is wrong, and what to do: "matches no policy: correct it"
}

func (f *PolicyFault) Error() string {
	return fmt.Sprintf("policy.%s, %s, %s", f.Key, problem.Quote(f.Value), f.Message)
}

// Code is [problem.Config].
func (f *PolicyFault) Code() problem.Code { return problem.Config }

// ApprovalSettings say who has to approve a plan, as the settings have it. Policies may require more.
type ApprovalSettings struct {
	Count        int      // of different people; 0: the settings require none
	Teams, Users []string // who counts; both empty: whoever may write to the repository
	// Older says that an approval of the planned commit counts even if it is older than the plan.
	Older bool
	// CodeOwners requires an owner of each changed file, by the repository's CODEOWNERS.
	CodeOwners bool
}

// Any reports whether anything is required.
func (a ApprovalSettings) Any() bool { return a.Count > 0 || a.CodeOwners }

// Requirements are what the settings themselves require, without that of code owners. source is
// where the settings are, for people.
func (a ApprovalSettings) Requirements(source string) []approvals.Requirement {
	if a.Count == 0 {
		return nil
	}
	return []approvals.Requirement{{Teams: a.Teams, Users: a.Users, Count: a.Count, Older: a.Older, Source: source}}
}

// Check refuses a count that nobody can reach: see [approvals.Requirement.Check].
func (a ApprovalSettings) Check() error {
	return approvals.Requirement{Teams: a.Teams, Users: a.Users, Count: a.Count}.Check()
}

// MaxApprovals is how many people a target's settings may require.
const MaxApprovals = 20

// https://docs.github.com/en/rest/teams/teams and
// https://docs.github.com/en/enterprise-cloud@latest/admin/concepts/identity-and-access-management/enterprise-managed-users
var (
	teamPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$`)
	userPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?$`)
)

// CheckTeam refuses what is not the name of a team of GitHub, org/slug.
func CheckTeam(team string) error {
	switch bare := strings.TrimPrefix(team, "@"); {
	case teamPattern.MatchString(team):
		return nil
	case teamPattern.MatchString(bare):
		return fmt.Errorf("write the team without @: %s", bare)
	}
	return errors.New("a team is written org/slug, as in its address, github.com/orgs/acme/teams/platform: acme/platform")
}

// CheckUser refuses what is not the login of a user of GitHub.
func CheckUser(user string) error {
	switch bare := strings.TrimPrefix(user, "@"); {
	case userPattern.MatchString(user):
		return nil
	case userPattern.MatchString(bare):
		return fmt.Errorf("write the user without @: %s", bare)
	case teamPattern.MatchString(bare):
		return errors.New("a team belongs under `teams`")
	}
	return errors.New("a user is a login of GitHub, such as octocat or renovate[bot]")
}

// CheckGlob refuses what is no glob of files, and a glob that matches everything.
func CheckGlob(pattern string) error {
	switch bare := strings.Trim(pattern, "/"); {
	case !doublestar.ValidatePattern(bare):
		return errors.New("it is not a valid glob: write `*` for a part of a name, `**` for folders, and close brackets and braces")
	case strings.HasPrefix(pattern, "!"), strings.Trim(bare, "*/") == "":
		return errors.New("it can't be used: say which files are meant")
	case slices.Contains(strings.Split(bare, "/"), ".."):
		return errors.New("it leads out of the folder: begin it with / for the repository's root")
	}
	return nil
}

// MatchesFile reports whether a glob matches a file, whose name is relative to the checkout. A glob
// without a slash matches a name in any folder. Others are relative to the checkout or to folder,
// and those that begin with a slash to the checkout alone. A glob that matches a folder matches
// everything in it.
func MatchesFile(pattern, folder, name string) bool {
	at := strings.TrimPrefix(strings.TrimSuffix(pattern, "/"), "/")
	names := []string{name}
	switch {
	case !strings.Contains(pattern, "/"):
		names = append(names, strings.Split(name, "/")...)
	case !strings.HasPrefix(pattern, "/") && folder != "." && checkout.IsIn(name, folder):
		names = append(names, checkout.RelativeTo(folder, name))
	}
	return slices.ContainsFunc(names, func(one string) bool {
		exact, _ := doublestar.Match(at, one)
		below, _ := doublestar.Match(at+"/**", one)
		return exact || below
	})
}
