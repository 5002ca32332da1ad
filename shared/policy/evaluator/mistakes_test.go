package evaluator_test

import (
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/policy"
)

// A mistake in a policy must not let a plan through.
func TestAMistakeInAPolicyDenies(t *testing.T) {
	t.Parallel()
	const good = "package main\n\ndeny contains \"x\" if false\n"
	for name, c := range map[string]struct {
		files policy.Set
		want  string
	}{
		"syntax":               {files("policies/a.rego", "package main\n\ndeny contains msg if {\n"), "policies/a.rego:04: unexpected eof token"},
		"syntax of v0":         {files("policies/a.rego", "package main\n\ndeny[msg] {\n  msg = \"a\"\n}\n\nwarn[msg] {\n  msg = = 1\n}\n"), "policies/a.rego:08: unexpected"},
		"empty file":           {files("policies/a.rego", good, "policies/b.rego", ""), "policies/b.rego: "},
		"only a comment":       {files("policies/a.rego", good, "policies/b.rego", "# nothing\n"), "policies/b.rego: "},
		"unknown function":     {files("policies/a.rego", "package main\n\ndeny contains msg if {\n  msg := nothing(1)\n}\n"), "policies/a.rego:04: undefined function nothing"},
		"unsafe variable":      {files("policies/a.rego", "package main\n\ndeny contains msg if {\n  x > 1\n}\n"), "policies/a.rego:"},
		"no rule":              {files("policies/a.rego", "package main\n\nlimit := 1\n"), ": the policies have no rule"},
		"only data":            {files("policies/a.yaml", "a: 1\n"), ": the policies have no rule"},
		"only a test":          {files("policies/a_test.rego", "package main\n\ntest_x if true\n"), ": the policies have no rule"},
		"a rule in a test":     {files("policies/a.rego", good, "policies/a_test.rego", "package main\n\ntest_x if count(deny) == 0\n\ndeny contains \"x\" if input.x\n"), "policies/a_test.rego:05 deny: a file whose name ends in _test.rego has tests"},
		"misspelled":           {files("policies/a.rego", good+"\ndenny contains \"x\" if true\n"), "policies/a.rego:05 denny: nothing evaluates the rule denny: is it meant to be deny?"},
		"capitals":             {files("policies/a.rego", good+"\nDENY contains \"x\" if true\n"), "policies/a.rego:05 DENY: nothing evaluates the rule DENY: is it meant to be deny?"},
		"misspelled approval":  {files("policies/a.rego", good+"\nrequired_approval contains {\"team\": \"a/b\"} if true\n"), "is it meant to be require_approval?"},
		"hyphen":               {files("policies/a.rego", good+"\ndeny__public contains \"x\" if true\n"), "is it meant to be deny?"},
		"wrong package":        {files("policies/a.rego", good, "policies/b.rego", "package mian\n\ndeny contains \"x\" if true\n"), "policies/b.rego:01: nothing evaluates this file: its package is mian"},
		"package of a package": {files("policies/a.rego", good, "policies/b.rego", "package main.aws\n\ndeny contains \"x\" if true\n"), "policies/b.rego:01: nothing evaluates this file: its package is main.aws"},
		"only a helper is used": {files("policies/a.rego", "package main\n\ndeny contains \"x\" if data.lib.no\n", "policies/b.rego", "package lib\n\nno := false\n\ndeny contains \"x\" if true\n"),
			"policies/b.rego:05 deny: nothing evaluates the rule deny, since it is not in package main"},
		"a map":                       {files("policies/a.rego", "package main\n\nimport rego.v1\n\ndeny[msg] if { msg := \"x\" }\n"), "policies/a.rego:05 deny: deny[msg] is no set of messages"},
		"a map with values":           {files("policies/a.rego", "package main\n\ndeny[msg] := 1 if { msg := \"x\" }\n"), "is no set of messages"},
		"below deny":                  {files("policies/a.rego", "package main\n\ndeny.public contains \"x\" if true\n"), "is no set of messages"},
		"a function":                  {files("policies/a.rego", "package main\n\ndeny(x) := \"x\" if x\n"), "deny is a function"},
		"true":                        {files("policies/a.rego", "package main\n\ndeny if input.format_version\n"), "policies/a.rego:03 deny: deny is true (it gives no message"},
		"a text":                      {files("policies/a.rego", "package main\n\ndeny := \"no\"\n"), "policies/a.rego:03 deny: no"},
		"a list":                      {files("policies/a.rego", "package main\n\ndeny := [\"no\"]\n"), "policies/a.rego:03 deny: no"},
		"number":                      {files("policies/a.rego", "package main\n\nwarn contains 1 if true\n"), "policies/a.rego:03 warn: warn gives number, which is no message"},
		"object without msg":          {files("policies/a.rego", "package main\n\ndeny contains {\"message\": \"x\"} if true\n"), "deny gives an object without a text named msg"},
		"empty message":               {files("policies/a.rego", "package main\n\ndeny contains \"\" if true\n"), "deny: (an empty message)"},
		"division by zero":            {files("policies/a.rego", "package main\n\ndeny contains \"x\" if 1 / count(input.nothing) > 1\n\nwarn contains \"x\" if {\n  1 / count(\"\") > 1\n}\n"), "policies/a.rego:06 warn: it can't be evaluated: div: divide by zero"},
		"a conversion":                {files("policies/a.rego", "package main\n\ndeny contains \"x\" if to_number(\"x\") > 1\n"), "policies/a.rego:03 deny: it can't be evaluated"},
		"two values":                  {files("policies/a.rego", "package main\n\ndeny contains msg if msg := a\n\na := 1 if true\n\na := 2 if true\n"), "it can't be evaluated"},
		"recursion":                   {files("policies/a.rego", "package main\n\ndeny contains \"x\" if count(deny) > 1\n"), "policies/a.rego:03: rule data.main.deny is recursive"},
		"a file twice":                {files("policies/a.rego", "package main\n\ndeny contains \"x\" if true\n", "policies/a.rego", good), "policies/a.rego: it is there twice"},
		"data twice":                  {files("policies/a.rego", good, "policies/a.yaml", "limits: {a: 1}\n", "policies/b.json", `{"limits": {"a": 2}}`), "policies/b.json: the data has a value that another file also has"},
		"a key twice":                 {files("policies/a.rego", good, "policies/a.yaml", "max: 1\nmax: 2\n"), "policies/a.yaml: the data can't be read"},
		"a name twice in JSON":        {files("policies/a.rego", good, "policies/a.json", `{"max": 1, "max": 2}`), "policies/a.json: the data can't be read"},
		"two documents":               {files("policies/a.rego", good, "policies/a.yaml", "max: 1\n---\nforbidden: [a]\n"), "policies/a.yaml: the data can't be read: it has more than one document"},
		"data in a rule's place":      {files("policies/a.rego", good, "policies/a.yaml", "main: {deny: []}\n"), "policies/a.rego:03: "},
		"data of the action":          {files("policies/a.rego", good, "policies/a.yaml", "gitops: {drift: true}\n"), "policies/a.yaml: the data has gitops"},
		"rules for the action's data": {files("policies/a.rego", "package main\n\ndeny contains \"x\" if data.gitops.drift\n", "policies/b.rego", "package gitops\n\ndrift := false\n"), "policies/b.rego:03: "},
		"data that is a list":         {files("policies/a.rego", good, "policies/a.yaml", "- 1\n"), "policies/a.yaml: the data is not an object"},
		"broken data":                 {files("policies/a.rego", good, "policies/a.yaml", "a: [1\n"), "policies/a.yaml: the data can't be read"},
		"another file":                {files("policies/a.rego", good, "policies/README.md", "x"), "policies/README.md: it is neither a policy"},
		"approval of nobody":          {files("policies/a.rego", "package main\n\nrequire_approval contains {\"teams\": []} if true\n"), "teams has 0 names"},
		"approval misspelled":         {files("policies/a.rego", "package main\n\nrequire_approval contains {\"taem\": \"a/b\"} if true\n"), `it has "taem"`},
		"approval of a name":          {files("policies/a.rego", "package main\n\nrequire_approval contains {\"team\": \"dba\"} if true\n"), "a team is written org/slug"},
		"approval by 0":               {files("policies/a.rego", "package main\n\nrequire_approval contains {\"team\": \"a/b\", \"count\": 0} if true\n"), "count is no number from 1 to 100"},
		"approval by more than may":   {files("policies/a.rego", "package main\n\nrequire_approval contains {\"users\": [\"mona\", \"Mona\"], \"count\": 2} if true\n"), "2 people have to approve, and only 1 may (Mona, mona)"},
		"approval by text":            {files("policies/a.rego", "package main\n\nrequire_approval contains \"a/b\" if true\n"), "it gives string, and not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			denied(t, policy.Options{Policies: c.files}, aPlan, c.want)
		})
	}
}

func TestAPlanThatCannotBeReadDenies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ plan, want string }{
		"nothing":                 {"", "the plan JSON can't be read: unexpected EOF"},
		"cut off":                 {aPlan[:100], "the plan JSON can't be read"},
		"garbage":                 {"Error: no plan", "the plan JSON can't be read"},
		"a list":                  {"[]", "it is not an object"},
		"two plans":               {"{}{}", "something follows it"},
		"a name twice":            {`{"a":1,"a":2}`, "the plan JSON can't be read"},
		"a name twice in a value": {`{"resource_changes":[{"change":{"after":{"a":1,"a":2}}}]}`, "the plan JSON can't be read"},
		"cut off in a value":      {`{"resource_changes":[{"change":{"after":{"a":`, "the plan JSON can't be read"},
		"a forged end":            {"{}C\x00\x00\x00\x02{}", "something follows it"},
		"nested too deep":         {`{"a":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + "}", "the plan JSON can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			denied(t, policy.Options{Policies: files("policies/a.rego", "package main\n\ndeny contains \"x\" if false\n")}, c.plan, c.want)
		})
	}
}

// What the policies of conftest's users have besides rules denies nothing.
func TestHelpersAndTestsDenyNothing(t *testing.T) {
	t.Parallel()
	v := evaluate(t, policy.Options{Policies: files("policies/a.rego", `package main

import data.lib.plans

deny_public contains msg if { some msg in plans.messages }

unused := 1

is_denied(x) if x == deny_public

test_deny if count(deny_public) == 0

exception contains rules if { rules := ["public"] }
`, "policies/lib/plans.rego", "package lib.plans\n\nimport data.lib.more\n\nmessages contains \"from a library\" if more.yes\n",
		"policies/lib/more.rego", "package lib.more\n\nyes := true\n",
		"policies/a_test.rego", "package main_test\n\nthis does not parse\n")}, aPlan)
	if v.Result != policy.Passed || len(v.Excepted) != 1 || v.Excepted[0].Text != "from a library" {
		t.Errorf("%+v", v)
	}
}
