package modules

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// request is a request to AWS as IAM evaluates it: a role, an action, a resource, and a context.
type request struct {
	Role     string // name; for AssumeRoleWithWebIdentity, of the role asked for
	Action   string
	Resource string
	Context  map[string]any // condition keys: a text, or a list for a key with several values
	// Alone evaluates the request without the bucket's policy and with AWS' default policy for the
	// key. It shows what the role's own policy denies.
	Alone bool
}

// administrator is a role that may do everything. What it still can't do, the policies of the bucket
// and the key deny.
const administrator = "administrator"

// allPowerful begins the name of a role with an additional policy that allows everything. What it still
// can't do, its other policies deny.
const allPowerful = "all-powerful-"

func statement(s map[string]any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{s}}
}

// policies are the policies that the modules created, as AWS returns them.
type policies struct {
	Identity map[string]map[string]any // by role, all of its policies in one
	Trust    map[string]map[string]any // by role
	Bucket   map[string]any
	States   map[string]any // of the bucket of states
	Key      map[string]any
	Provider string // ARN of the identity provider
	KeyARN   string
	Account  string

	statesARN string
}

// simulation returns the input of iam-simulate for a request.
func (p policies) simulation(r request) map[string]any {
	trust := r.Action == "sts:AssumeRoleWithWebIdentity"
	principal := "arn:aws:sts::" + p.Account + ":assumed-role/" + r.Role + "/session"
	identity := []any{}
	context := r.Context
	if context == nil {
		context = map[string]any{}
	}
	var resource any
	service, _, _ := strings.Cut(r.Action, ":")
	switch {
	case trust:
		principal, resource = p.Provider, p.Trust[r.Role]
	case service == "s3" && strings.HasPrefix(r.Resource, p.statesARN):
		resource = p.States
	case service == "s3" && !r.Alone:
		resource = p.Bucket
	case service == "kms" && r.Alone:
		resource = statement(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + p.Account + ":root"}, "Action": "kms:*", "Resource": "*"})
	case service == "kms":
		resource = p.Key
	}
	policy := p.Identity[r.Role]
	if r.Role == administrator {
		policy = statement(map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"})
	}
	if role, ok := strings.CutPrefix(r.Role, allPowerful); ok {
		identity = append(identity, map[string]any{"name": "*", "policy": statement(map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"})})
		policy = p.Identity[role]
	}
	if policy != nil && !trust {
		identity = append(identity, map[string]any{"name": r.Role, "policy": policy})
	}
	simulation := map[string]any{
		"request": map[string]any{
			"principal": principal, "action": r.Action, "contextVariables": context,
			"resource": map[string]any{"resource": r.Resource, "accountId": p.Account},
		},
		"identityPolicies": identity, "serviceControlPolicies": []any{}, "resourceControlPolicies": []any{},
	}
	if resource != nil {
		simulation["resourcePolicy"] = resource
	}
	return simulation
}

// claimPrefix begins the condition keys of a token's claims.
const claimPrefix = "token.actions.githubusercontent.com:"

// kept renames condition keys that iam-simulate 0.1.173 drops, since they are missing from its list of
// an action's keys. The new names are in that list. Policies and requests are renamed alike.
var kept = strings.NewReplacer(`"`+claimPrefix, `"aws:PrincipalTag/claim-`, `"kms:EncryptionContext:`, `"aws:PrincipalTag/context-`)

// allowed evaluates simulations, in order. Some may belong to a question: then each has its number in
// "question" and what is expected in "expected". An answer that is not expected settles the question, and for the
// rest of it nothing is evaluated: they are answered as expected.
func allowed(t *testing.T, simulations []map[string]any) []bool {
	t.Helper()
	input, err := json.Marshal(simulations)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/simulate.mjs", absolute(t, "../npm"))
	cmd.Stdin = strings.NewReader(kept.Replace(string(input)))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("evaluate policies with iam-simulate (make tools installs it): %v\n%s", err, stderr.String())
	}
	var results []struct {
		Allowed bool
		Error   string
	}
	if err := json.Unmarshal(output, &results); err != nil {
		t.Fatal(err)
	}
	if len(results) != len(simulations) {
		t.Fatalf("%d simulations gave %d results", len(simulations), len(results))
	}
	var all []bool
	for i, r := range results {
		if r.Error != "" {
			t.Fatalf("iam-simulate can't judge %v: %s", simulations[i]["request"], r.Error)
		}
		all = append(all, r.Allowed)
	}
	return all
}
