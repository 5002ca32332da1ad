package evaluator

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/policy"
)

var (
	teamName = regexp.MustCompile(`^@?([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)$`)
	userName = regexp.MustCompile(`^@?([A-Za-z0-9_-]+(?:\[bot\])?)$`)
)

// require adds a requirement that a rule gives.
func (e *evaluation) require(q query, v ast.Value) {
	r, err := e.requirement(v)
	if err != nil {
		e.deny(q.rule, fmt.Sprintf("%s: %v", q.name, err))
		return
	}
	r.Source = fmt.Sprintf("%s:%d", q.rule.File, q.rule.Line)
	switch {
	case slices.ContainsFunc(e.verdict.Required, func(other approvals.Requirement) bool { return reflect.DeepEqual(r, other) }):
	case len(e.verdict.Required) == policy.MaxRequired:
		e.deny(q.rule, fmt.Sprintf("more than %d approvals are required", policy.MaxRequired))
	default:
		e.verdict.Required = append(e.verdict.Required, r)
	}
}

// requirement reads `{"team": "acme/dba", "count": 1, "reason": "…"}`. Anything that it does not know
// is an error: a misspelled name would make the requirement weaker.
func (e *evaluation) requirement(v ast.Value) (r approvals.Requirement, err error) {
	object, ok := v.(ast.Object)
	if !ok {
		return r, fmt.Errorf("it gives %s, and not an object such as {\"team\": \"acme/dba\", \"reason\": \"…\"}", ast.ValueName(v))
	}
	r.Count = 1
	err = object.Iter(func(key, value *ast.Term) (err error) {
		switch name := text(key.Value); name {
		case "team":
			var team []string
			team, err = names(name, ast.NewArray(value), teamName)
			r.Teams = append(r.Teams, team...)
		case "teams":
			var teams []string
			teams, err = names(name, value.Value, teamName)
			r.Teams = append(r.Teams, teams...)
		case "user":
			var user []string
			user, err = names(name, ast.NewArray(value), userName)
			r.Users = append(r.Users, user...)
		case "users":
			var users []string
			users, err = names(name, value.Value, userName)
			r.Users = append(r.Users, users...)
		case "count":
			n, _ := value.Value.(ast.Number)
			var ok bool
			if r.Count, ok = n.Int(); !ok || r.Count < 1 || r.Count > 100 {
				err = errors.New("count is no number from 1 to 100")
			}
		case "reason", "msg":
			s, ok := value.Value.(ast.String)
			if !ok {
				err = fmt.Errorf("%s is not a text", name)
			}
			r.Reason = e.hide.show(string(s), policy.MaxText)
		default:
			err = fmt.Errorf("it has %q, which is none of team, teams, user, users, count and reason", e.hide.show(name, 100))
		}
		return err
	})
	for _, name := range append(slices.Clone(r.Teams), r.Users...) {
		if e.hide.hide(name) != name {
			return r, errors.New("a name in it is a sensitive value of the plan")
		}
	}
	slices.Sort(r.Teams)
	slices.Sort(r.Users)
	if err == nil {
		err = r.Check()
	}
	return r, err
}

// names reads a list or a set of names, which is not empty: an empty one would let anybody approve.
func names(what string, v ast.Value, form *regexp.Regexp) ([]string, error) {
	var terms []*ast.Term
	switch v := v.(type) {
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { terms = append(terms, t) })
	case ast.Set:
		terms = v.Slice()
	default:
		return nil, fmt.Errorf("%s is no list", what)
	}
	if len(terms) == 0 || len(terms) > 100 {
		return nil, fmt.Errorf("%s has %d names, and not 1 to 100", what, len(terms))
	}
	var all []string
	for _, term := range terms {
		s, _ := term.Value.(ast.String)
		found := form.FindStringSubmatch(string(s))
		if found == nil {
			return nil, fmt.Errorf("%s: %s", what, map[bool]string{true: "a team is written org/slug", false: "a user is a GitHub login"}[strings.HasPrefix(what, "team")])
		}
		all = append(all, found[1])
	}
	return all, nil
}
