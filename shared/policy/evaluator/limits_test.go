package evaluator_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
)

// denied evaluates policies and expects one message that says why it denies.
func denied(t *testing.T, o policy.Options, plan string, want ...string) {
	t.Helper()
	v := evaluate(t, o, plan)
	if v.Result != policy.Denied || len(v.Denied) == 0 {
		t.Fatalf("not denied: %+v", v)
	}
	for _, want := range want {
		if all := strings.Join(said(v.Denied), "\n"); !strings.Contains(all, want) {
			t.Errorf("no %q in:\n%s", want, all)
		}
	}
}

func TestAPolicyThatLoopsForEverDenies(t *testing.T) {
	t.Parallel()
	start := time.Now()
	denied(t, policy.Options{Time: time.Second, Policies: files("policies/loop.rego", `package main

deny contains msg if {
	some i in numbers.range(1, 1000000)
	some j in numbers.range(1, 1000000)
	some k in numbers.range(1, 1000000)
	i + j + k == -1
	msg := "never"
}
`)}, aPlan, "policies/loop.rego:03 deny: it was not evaluated within 1s")
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A built-in that does not look at the time is killed.
func TestABuiltInThatLoopsForEverDenies(t *testing.T) {
	t.Parallel()
	denied(t, policy.Options{Time: time.Second, Policies: files("policies/loop.rego", `package main

deny contains msg if {
	n := bits.lsh(1, 400000000)
	msg := sprintf("%d", [n])
}
`)}, aPlan, "within 1s")
}

func TestAPolicyThatEatsMemoryDenies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"many values":       `xs := [x | some i in numbers.range(1, 100000000); x := sprintf("%d-%d", [i, i])]; msg := xs[_]`,
		"one huge number":   `n := bits.lsh(1, 100000000000); msg := sprintf("%d", [n])`,
		"one huge text":     `big := replace(sprintf("%99999d", [1]), " ", "0123456789"); msg := concat(",", [big | some i in numbers.range(1, 20000)])`,
		"text that doubles": `a := replace(sprintf("%99999d", [1]), " ", sprintf("%9999d", [1])); b := replace(a, " ", a); msg := b`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			denied(t, policy.Options{Memory: 256 << 20, Policies: files("policies/eat.rego", "package main\n\ndeny contains msg if { "+body+" }\n")}, aPlan, "more than 256 MiB of memory")
		})
	}
}

func TestPoliciesReachNothing(t *testing.T) {
	t.Setenv("GITOPS_SECRET", "from the environment")
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, []byte(`{"type":"string"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for call, want := range map[string]string{
		`http.send({"method": "get", "url": "http://127.0.0.1:1/"})`:              "undefined function http.send",
		`net.lookup_ip_addr("localhost")`:                                         "undefined function net.lookup_ip_addr",
		`opa.runtime().env.GITOPS_SECRET`:                                         "undefined function opa.runtime",
		fmt.Sprintf(`json.match_schema("", {"$ref": "file://%s"})`, file):         "undefined function json.match_schema",
		fmt.Sprintf(`json.verify_schema({"$ref": "file://%s"})`, file):            "undefined function json.verify_schema",
		`json.match_schema("", {"$ref": "http://127.0.0.1:1/"}) with input as {}`: "undefined function json.match_schema",
	} {
		denied(t, policy.Options{Policies: files("policies/out.rego", "package main\n\ndeny contains \"out\" if {\n\t"+call+"\n}\n")}, aPlan, "policies/out.rego:04", want)
	}
}

func TestAnEvaluatorThatMisbehavesDenies(t *testing.T) {
	t.Parallel()
	rules := files("policies/a.rego", "package main\n\ndeny contains \"x\" if false\n")
	digest := rules.Digest()
	for name, c := range map[string]struct{ script, want string }{
		"killed":                  {"kill -9 $$", "has ended early: signal: killed"},
		"failed":                  {"exit 3", "has ended early: exit status 3"},
		"nothing printed":         {"exit 0", "printed no verdict: EOF"},
		"garbage":                 {"echo passed", "printed no verdict"},
		"another verdict":         {`echo '{"Result":"passed","Digest":"00"}'`, "contradicts itself"},
		"no result":               {`echo '{"Digest":"` + digest + `"}'`, "contradicts itself"},
		"passed and denied":       {`echo '{"Result":"passed","Digest":"` + digest + `","Denied":[{"Text":"no"}]}'`, "contradicts itself"},
		"unknown member":          {`echo '{"Result":"passed","Digest":"` + digest + `","Other":1}'`, "printed no verdict"},
		"two verdicts":            {`echo '{"Result":"passed","Digest":"` + digest + `"}{}'`, "printed no verdict"},
		"passed, and then failed": {`echo '{"Result":"passed","Digest":"` + digest + `"}'; exit 1`, "has ended early"},
		"endless":                 {"yes | head -c 100000000; while :; do echo a; sleep 0.1; done", "were not evaluated within 1s"},
		"silent":                  {"exec sleep 600", "were not evaluated within 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "evaluator")
			if err := os.WriteFile(program, []byte("#!/bin/sh\nexec 3<&0; cat <&3 >/dev/null 2>&1 &\n"+c.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			denied(t, policy.Options{Program: program, Policies: rules, Time: time.Second}, aPlan, c.want)
		})
	}
}

// As the kernel does when the machine has no memory left.
func TestAnEvaluatorThatIsKilledDenies(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "evaluator")
	script := "#!/bin/sh\n( sleep 1; kill -9 $$ ) >/dev/null 2>&1 &\nexec " + self + " " + policy.EvaluatorArgument + "\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	denied(t, policy.Options{Program: program, Policies: files("policies/loop.rego", "package main\n\ndeny contains \"never\" if {\n\tsome i in numbers.range(1, 1000000)\n\tsome j in numbers.range(1, 1000000)\n\ti + j == -1\n}\n")},
		aPlan, "has ended early: signal: killed")
}

// The plan is read for the report at the same time: it must not wait for an evaluator that is gone.
func TestWritingNeverFails(t *testing.T) {
	t.Parallel()
	e, err := policy.Start(t.Context(), policy.Options{Program: "/bin/false", Policies: files("policies/a.rego", "package main\n")})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if n, err := e.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
			t.Fatal(n, err)
		}
	}
	if v := e.End(changes.Counts{}); v.Result != policy.Denied {
		t.Error(v)
	}
}

func TestAProgramThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := policy.Start(t.Context(), policy.Options{Program: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("no error")
	}
}

func TestAnInterruptedEvaluationDenies(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	e, err := policy.Start(ctx, policy.Options{Policies: files("policies/a.rego", "package main\n\ndeny contains \"x\" if false\n")})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = e.Write([]byte(aPlan))
	cancel()
	if v := e.End(changes.Counts{}); v.Result != policy.Denied {
		t.Error(v)
	}
}

func TestACanceledEvaluationLeavesNothing(t *testing.T) {
	t.Parallel()
	e, err := policy.Start(t.Context(), policy.Options{Policies: files("policies/a.rego", "package main\n\ndeny contains \"x\" if false\n")})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = e.Write([]byte(aPlan))
	e.Cancel()
	e.Cancel()
}

// An action that is killed must not leave an evaluator behind, and a plan whose end did not come is
// none.
func TestAnEvaluatorEndsWithItsParent(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, policy.EvaluatorArgument)
	cmd.Stdin = strings.NewReader("R\x00\x00\x00\x15{\"Memory\":1000000000}P\x00\x00\x00\x02{}")
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Contains(string(out), "passed") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestAHundredThousandMessagesAreCounted(t *testing.T) {
	t.Parallel()
	v := evaluate(t, policy.Options{Time: 20 * time.Minute, Policies: files("policies/many.rego", `package main

deny contains sprintf("message %d", [i]) if some i in numbers.range(1, 100000)

warn contains sprintf("message %d", [i]) if some i in numbers.range(1, 1000)

deny contains "\u0000\u001b[31m::error::`+"`"+`"

warn contains sprintf("%5000000d", [1])

warn contains {"msg": "details", "all": numbers.range(1, 100000)}

deny contains "x" if {
	some i in numbers.range(1, 100000)
	print(i)
	false
}
`)}, aPlan)
	if v.Result != policy.Denied || len(v.Denied) != policy.MaxMessages || v.MoreDenied != 100_001-policy.MaxMessages {
		t.Errorf("%s: %d and %d more", v.Result, len(v.Denied), v.MoreDenied)
	}
	if len(v.Warned) != policy.MaxMessages || v.MoreWarned != 1002-policy.MaxMessages {
		t.Errorf("warned: %d and %d more", len(v.Warned), v.MoreWarned)
	}
	if len(v.Log) != policy.MaxLog {
		t.Errorf("log: %d lines", len(v.Log))
	}
	for _, m := range append(v.Denied, v.Warned...) {
		if len(m.Text) > policy.MaxText+50 || len(m.Details) > policy.MaxDetails {
			t.Errorf("%d and %d bytes", len(m.Text), len(m.Details))
		}
	}
}

// If the machine has too little memory, Linux ends an evaluator before a Terraform that applies.
func TestAnEvaluatorIsTheFirstToEnd(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, policy.EvaluatorArgument)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer in.Close()
	_, _ = in.Write([]byte("R\x00\x00\x00\x15{\"Memory\":1000000000}"))
	var score []byte
	for range 6000 { // five minutes
		if score, _ = os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", cmd.Process.Pid)); string(score) == "1000\n" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("oom_score_adj is %q", score)
}
