// Package evaluator is what runs in the process that evaluates policies: it reads them, the plan
// and the facts from its stdin, and prints the verdict. Policies are Rego, as conftest evaluates
// it: [github.com/open-policy-agent/conftest/policy.Engine] is the model of the rules for names,
// exceptions and messages. Where conftest would pass over something that can only be a mistake
// (a rule that nothing evaluates, a message that is not one, a built-in that fails), this denies.
package evaluator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // rules ask for the time in a zone, also on runners without that data

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
)

// Serve is what the program at [policy.Options.Program] calls first. If it was started as an
// evaluator, Serve does that work and returns the exit status. Otherwise it returns false at once.
func Serve(args []string) (status int, served bool) {
	if len(args) != 2 || args[1] != policy.EvaluatorArgument {
		return 0, false
	}
	// The parent ends this process: it kills it, or closes its stdin.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	in := policy.NewIncoming(os.Stdin)
	verdict, err := serve(in, os.Stdout)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(verdict)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error: the policies were not evaluated:", err)
		return 1, true
	}
	return 0, true
}

// serve reads what there is to evaluate, and evaluates it. An error says that the parent has ended.
func serve(in *policy.Incoming, out io.Writer) (policy.Verdict, error) {
	request, err := in.Request()
	if err != nil {
		return policy.Verdict{}, err
	}
	limitMemory(request.Memory, func() {
		v := policy.Verdict{Digest: request.Policies.Digest()}
		v.Denied = []policy.Message{{Text: fmt.Sprintf("the policies need more than %d MiB of memory", request.Memory>>20)}}
		v.Settle()
		_ = json.NewEncoder(out).Encode(v) // if nobody reads it, nobody waits for it
		os.Exit(0)
	})

	e := &evaluation{request: request, verdict: policy.Verdict{Digest: request.Policies.Digest()}}
	e.load() // while Terraform prints the plan
	plan, planErr := decodePlan(in)
	if planErr != nil {
		// What is left has to be read, so that the parent can say what follows.
		if _, err := io.Copy(io.Discard, in); err != nil {
			return policy.Verdict{}, err
		}
	}
	counts, err := in.Counts()
	if err != nil {
		return policy.Verdict{}, err
	}
	go func() {
		in.Wait()
		os.Exit(1)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), request.Time)
	defer cancel()
	return e.decide(ctx, plan, planErr, counts), nil
}

// evaluation is one evaluation.
type evaluation struct {
	request policy.Request
	loaded  loaded
	hide    *secrets
	verdict policy.Verdict
}

// decide evaluates the policies. The result denies if anything is wrong.
func (e *evaluation) decide(ctx context.Context, plan ast.Value, planErr error, counts changes.Counts) policy.Verdict {
	if planErr != nil {
		e.deny(policy.Rule{}, fmt.Sprintf("the plan JSON can't be read: %v", planErr))
	} else {
		e.hide = secretsOf(plan)
		if len(e.verdict.Denied) == 0 {
			e.evaluate(ctx, plan, counts)
		}
	}
	e.finish()
	return e.verdict
}

// deny adds an error to the verdict.
func (e *evaluation) deny(rule policy.Rule, text string) {
	e.add(&e.verdict.Denied, &e.verdict.MoreDenied, policy.Message{Rule: rule, Text: text}, nil)
}

// add adds a message with its details, unless there are too many. Sensitive values are hidden in it.
func (e *evaluation) add(to *[]policy.Message, more *int, m policy.Message, details ast.Object) {
	if len(*to) == policy.MaxMessages {
		*more++
		return
	}
	m.Text = e.hide.show(m.Text, policy.MaxText)
	if details != nil {
		m.Details = e.details(details)
	}
	*to = append(*to, m)
}
