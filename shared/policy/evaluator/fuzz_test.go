package evaluator

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
)

// FuzzIncoming gives the evaluator anything as its input: it must not panic, and there is a verdict
// only if a request, a whole plan and its counts have come.
func FuzzIncoming(f *testing.F) {
	frame := func(kind byte, content string) string {
		n := len(content)
		return string([]byte{kind, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + content
	}
	request, err := json.Marshal(policy.Request{Policies: policy.Set{{Path: "a.rego", Content: []byte("package main\n\ndeny contains \"no\" if input.no\n")}}, Time: time.Second})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(frame('R', string(request)) + frame('P', `{"no":`) + frame('P', `true}`) + frame('C', "{}")))
	f.Add([]byte(frame('R', string(request)) + frame('P', "{}") + frame('C', `{"delete":1}`)))
	f.Add([]byte(frame('R', string(request)) + frame('C', "{}")))
	f.Add([]byte(frame('R', "{}") + frame('P', "{}") + frame('C', "{}")))
	f.Add([]byte(frame('P', "{}") + frame('R', string(request))))
	f.Fuzz(func(t *testing.T, input []byte) {
		v, err := evaluateInput(t, policy.NewIncoming(bytes.NewReader(input)))
		if err != nil {
			return
		}
		if v.Result == policy.Passed && (!bytes.Contains(input, []byte("P")) || !bytes.Contains(input, []byte("C"))) {
			t.Errorf("%q passes", input)
		}
		if len(v.Denied) > 0 != (v.Result == policy.Denied) {
			t.Errorf("%+v", v)
		}
	})
}

// evaluateInput does what serve does, without limits on the process.
func evaluateInput(t *testing.T, in *policy.Incoming) (policy.Verdict, error) {
	request, err := in.Request()
	if err != nil {
		return policy.Verdict{}, err
	}
	e := &evaluation{request: request}
	e.load()
	plan, planErr := decodePlan(in)
	if planErr != nil {
		if _, err := io.Copy(io.Discard, in); err != nil {
			return policy.Verdict{}, err
		}
	}
	counts, err := in.Counts()
	if err != nil {
		return policy.Verdict{}, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return e.decide(ctx, plan, planErr, counts), nil
}

// FuzzPlan compares a plan with what OPA itself makes of the JSON. What can't be read denies.
func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"resource_changes":[{"change":{"before":{"a":1,"b":[null,true,"x"]},"after":{"a":1,"b":[null,true,"x"]},"before_sensitive":{"b":[false,false,true]}}}],"variables":{"v":{"value":1e3}}}`))
	f.Add([]byte(`{"values":{"values":{}},"sensitive_values":[]}`))
	f.Add([]byte(`{"a":"\ud83d\ude00\u0000","a ":-0.0}`))
	f.Add([]byte(`{"all":[{"before":{"a":1}},{"before":{"b":2}},{"after":{"a":1}},{"values":"abcdefg"}],"after":{"x":{"before":{"a":1}}}}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, document []byte) {
		plan, err := decodePlan(bytes.NewReader(document))
		e := &evaluation{loaded: loaded{data: ast.NewObject()}}
		e.request.Policies = policy.Set{{Path: "a.rego", Content: []byte("package main\n\nwarn contains sprintf(\"%v\", [input])\n\nwarn contains x if walk(input, [_, x])\n")}}
		e.request.Time = time.Second
		e.load()
		v := e.decide(t.Context(), plan, err, changes.Counts{})
		if err != nil {
			if v.Result != policy.Denied {
				t.Errorf("%q can't be read (%v), and is not denied: %+v", document, err, v)
			}
			return
		}
		if len(v.Warned) == 0 {
			t.Errorf("%q: %+v", document, v)
		}
		decoder := json.NewDecoder(bytes.NewReader(document))
		decoder.UseNumber()
		var decoded any
		if err := decoder.Decode(&decoded); err != nil {
			t.Fatalf("%q: %v", document, err)
		}
		if want := ast.MustInterfaceToValue(decoded); want.Compare(plan) != 0 {
			t.Errorf("%q is %v, want %v", document, plan, want)
		}
	})
}

// FuzzHide looks for a secret in what is shown.
func FuzzHide(f *testing.F) {
	f.Add("hunter2-long", "short", "the password is hunter2-long, and short")
	f.Add("aaaaaa", "aaaaaaa", "aaaaaaaaaaaaaaaa")
	f.Add("ab\ncdefgh", "é", "é ab cdefgh")
	f.Fuzz(func(t *testing.T, one, two, text string) {
		s := &secrets{long: map[string][]string{}, short: map[string]bool{}, known: map[string]bool{}}
		s.add(one)
		s.add(two)
		shown := s.hide(text)
		for _, secret := range []string{one, two} {
			if len(secret) >= minPart && !strings.Contains(secret, "\x00") && strings.Contains(strings.ReplaceAll(shown, hidden, "\x00"), secret) {
				t.Errorf("%q is shown as %q", text, shown)
			}
		}
		if begin, rest := s.upTo(text, 10); !strings.HasPrefix(shown, begin) || rest == 0 && begin != shown {
			t.Errorf("%q is shown as %q, and its beginning as %q", text, shown, begin)
		}
		if short := s.show(text, 10); len(short) > 10+len(" … (1000000 bytes more)") || !utf8.ValidString(short) {
			t.Errorf("%q is shown as %q", text, short)
		}
	})
}
