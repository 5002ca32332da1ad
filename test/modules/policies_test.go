package modules

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
)

// judge evaluates requests under policies.
func (p policies) judge(t *testing.T, requests []request) []bool {
	t.Helper()
	var simulations []map[string]any
	for _, r := range requests {
		simulations = append(simulations, p.simulation(r))
	}
	return allowed(t, simulations)
}

func (a *account) checkAllowed(t *testing.T, calls []request) {
	roles := map[string]bool{}
	calls = append(calls, a.spelledOut())
	for i, ok := range a.policies.judge(t, calls) {
		roles[calls[i].Role] = true
		if !ok {
			t.Errorf("refused: %s", calls[i])
		}
	}
	if len(roles) != 5 {
		t.Errorf("only %v made calls: this proves nothing of the others", roles)
	}
}

// spelledOut returns an upload that names the bucket's default encryption, as a client may.
func (a *account) spelledOut() request {
	r := request{Role: planStorage, Action: "s3:PutObject", Resource: "arn:aws:s3:::" + a.bucket + "/planfiles/" + repository + "/network/dev/x", Context: tls()}
	maps.Copy(r.Context, map[string]any{
		"s3:if-none-match": "*", "s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": a.policies.KeyARN,
	})
	return r
}

func (a *account) checkRefused(t *testing.T) {
	attempts := a.attempts()
	var requests []request
	whys := map[string]bool{}
	for _, attempt := range attempts {
		requests = append(requests, attempt.request)
		whys[attempt.why] = true
	}
	if len(whys) < 60 || len(whys) != len(attempts) {
		t.Errorf("%d attempts, %d of them different", len(attempts), len(whys))
	}
	for i, ok := range a.policies.judge(t, requests) {
		if ok {
			t.Errorf("%s: allowed: %s", attempts[i].why, attempts[i])
		}
	}
}

// checkNoMore compares what the roles' policies allow with the requests that were made.
func (a *account) checkNoMore(t *testing.T, calls []request) {
	used := map[string]bool{}
	for _, c := range calls {
		if c.Action != "sts:AssumeRoleWithWebIdentity" {
			used[c.Role+" "+c.Action] = true
		}
	}
	allowed := map[string]bool{}
	for role, policy := range a.policies.Identity {
		for _, statement := range policy["Statement"].([]any) {
			if statement.(map[string]any)["Effect"] == "Deny" {
				continue
			}
			for _, action := range list(statement.(map[string]any)["Action"]) {
				allowed[role+" "+action] = true
			}
		}
	}
	for _, action := range slices.Sorted(maps.Keys(allowed)) {
		if !used[action] {
			t.Errorf("%s is allowed, and no call needed it", action)
		}
	}
}

// checkConditions removes one condition at a time from the policies. Then an attempt must succeed or a
// call must fail. Otherwise the condition has no effect, or no test notices if it is lost.
func (a *account) checkConditions(t *testing.T, calls []request) {
	expect := map[string]bool{}
	var requests []request
	add := func(r request, allowed bool) {
		key := fmt.Sprint(r, r.Alone)
		if _, ok := expect[key]; !ok {
			expect[key] = allowed
			requests = append(requests, r)
		}
	}
	for _, attempt := range a.attempts() {
		add(attempt.request, false)
	}
	for _, c := range append(calls, a.spelledOut()) {
		add(c, true)
	}

	mutants := a.policies.withoutConditions(t)
	var simulations []map[string]any // those that a mutant has a part in
	var of [][2]int                  // the mutant and the request of each
	for i, m := range mutants {
		for j, r := range requests {
			if s := m.simulation(r); !reflect.DeepEqual(s, a.policies.simulation(r)) {
				s["question"], s["expected"] = i, expect[fmt.Sprint(r, r.Alone)]
				simulations, of = append(simulations, s), append(of, [2]int{i, j})
			}
		}
	}
	noticed := map[int]bool{}
	for k, ok := range allowed(t, simulations) {
		i, r := of[k][0], requests[of[k][1]]
		noticed[i] = noticed[i] || ok != expect[fmt.Sprint(r, r.Alone)]
	}
	for i, m := range mutants {
		if !noticed[i] {
			t.Errorf("nothing notices that %s is gone", m.removed)
		}
	}
	t.Logf("%d conditions, each removed: at most %d requests judged", len(mutants), len(simulations))
	if len(mutants) < 30 {
		t.Errorf("only %d conditions were found", len(mutants))
	}
}

type mutant struct {
	policies
	removed string
}

// withoutConditions returns the policies once for each condition, without that condition.
func (p policies) withoutConditions(t *testing.T) []mutant {
	t.Helper()
	var all []mutant
	each := func(name string, policy map[string]any, put func(*policies, map[string]any)) {
		for i, s := range policy["Statement"].([]any) {
			statement := s.(map[string]any)
			conditions, _ := statement["Condition"].(map[string]any) // none: no mutant
			for test, keys := range conditions {
				for key := range keys.(map[string]any) {
					changed := clone(t, policy)
					left := changed["Statement"].([]any)[i].(map[string]any)["Condition"].(map[string]any)
					delete(left[test].(map[string]any), key)
					if len(left[test].(map[string]any)) == 0 {
						delete(left, test)
					}
					m := mutant{policies: p, removed: fmt.Sprintf("%s, statement %v: %s %s", name, statement["Sid"], test, key)}
					m.Identity, m.Trust = maps.Clone(p.Identity), maps.Clone(p.Trust)
					put(&m.policies, changed)
					all = append(all, m)
				}
			}
		}
	}
	for _, role := range slices.Sorted(maps.Keys(p.Trust)) {
		each("trust of "+role, p.Trust[role], func(m *policies, changed map[string]any) { m.Trust[role] = changed })
	}
	for _, role := range slices.Sorted(maps.Keys(p.Identity)) {
		each("policy of "+role, p.Identity[role], func(m *policies, changed map[string]any) { m.Identity[role] = changed })
	}
	each("policy of the bucket", p.Bucket, func(m *policies, changed map[string]any) { m.Bucket = changed })
	each("policy of the bucket of states", p.States, func(m *policies, changed map[string]any) { m.States = changed })
	each("policy of the key", p.Key, func(m *policies, changed map[string]any) { m.Key = changed })
	return all
}

func clone(t *testing.T, policy map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(policy)
	fatal(t, err)
	var copied map[string]any
	fatal(t, json.Unmarshal(text, &copied))
	return copied
}

// list reads an element of a policy that may be one text or a list.
func list(v any) []string {
	if one, ok := v.(string); ok {
		return []string{one}
	}
	var all []string
	for _, each := range v.([]any) {
		all = append(all, each.(string))
	}
	return all
}
