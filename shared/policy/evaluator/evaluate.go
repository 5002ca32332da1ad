package evaluator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/print"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
)

// evaluate evaluates all rules on a plan.
func (e *evaluation) evaluate(ctx context.Context, plan ast.Value, counts changes.Counts) {
	run, err := e.newRun(ctx, plan, counts)
	if err != nil {
		e.deny(policy.Rule{}, fmt.Sprintf("the policies can't be evaluated: %v", err))
		return
	}
	excepted := e.exceptions(run)
	said := map[string][]ast.Set{} // what definitions of a rule have said before
	for _, q := range e.loaded.queries {
		result, defined, err := run.eval(ast.Equality.Expr(ast.NewTerm(q.ref), result))
		if err != nil {
			e.denyFailed(q.rule, err)
			continue
		}
		if !defined {
			continue
		}
		if set, ok := result.(ast.Set); ok {
			for _, term := range set.Slice() {
				if !slices.ContainsFunc(said[q.name], func(before ast.Set) bool { return before.Contains(term) }) {
					e.said(q, term.Value, excepted)
				}
			}
			said[q.name] = append(said[q.name], set)
			continue
		}
		e.saidComplete(q, result, excepted)
	}
}

// result is the variable of a query.
var result = ast.VarTerm("result")

// run is what all queries of an evaluation have in common. They share what rules have given, so
// that a rule that several use is evaluated once.
type run struct {
	*evaluation
	ctx    context.Context
	cancel topdown.Cancel
	store  storage.Store
	txn    storage.Transaction
	input  *ast.Term
	shared topdown.VirtualCache
}

func (e *evaluation) newRun(ctx context.Context, plan ast.Value, counts changes.Counts) (*run, error) {
	facts, err := factsValue(e.request.Facts, counts)
	if err != nil {
		return nil, err
	}
	e.loaded.data.Insert(ast.StringTerm("gitops"), ast.NewTerm(facts))
	// conftest tells policies which file it checks.
	file := ast.NewObject(ast.Item(ast.StringTerm("name"), ast.StringTerm("tfplan.json")), ast.Item(ast.StringTerm("dir"), ast.StringTerm("")))
	e.loaded.data.Insert(ast.StringTerm("conftest"), ast.ObjectTerm(ast.Item(ast.StringTerm("file"), ast.NewTerm(file))))
	r := &run{evaluation: e, ctx: ctx, cancel: topdown.NewCancel(), input: ast.NewTerm(plan), shared: topdown.NewVirtualCache()}
	r.store = inmem.NewFromASTObject(e.loaded.data)
	r.txn, err = r.store.NewTransaction(ctx)
	context.AfterFunc(ctx, r.cancel.Cancel)
	return r, err
}

// factsValue is data.gitops. Each count is there, also 0.
func factsValue(facts policy.Facts, counts changes.Counts) (ast.Value, error) {
	content, err := json.Marshal(facts)
	if err != nil {
		return nil, err
	}
	value, err := decodePlan(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	numbers := ast.NewObject()
	v := reflect.ValueOf(counts)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		numbers.Insert(ast.StringTerm(name), ast.IntNumberTerm(int(v.Field(i).Int())))
	}
	value.(ast.Object).Insert(ast.StringTerm("counts"), ast.NewTerm(numbers))
	return value, nil
}

// eval evaluates an expression and returns the variable result, if there is exactly one.
func (r *run) eval(expr *ast.Expr) (value ast.Value, defined bool, err error) {
	err = r.each(expr, func(v ast.Value) { value, defined = v, true })
	return value, defined, err
}

// each evaluates an expression and calls f for each value of the variable result.
func (r *run) each(expr *ast.Expr, f func(ast.Value)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it has failed: %v", p)
		}
	}()
	body, err := r.loaded.compiler.QueryCompiler().Compile(ast.NewBody(expr))
	if err != nil {
		return err
	}
	q := topdown.NewQuery(body).WithCompiler(r.loaded.compiler).WithStore(r.store).WithTransaction(r.txn).
		WithInput(r.input).WithCancel(r.cancel).WithStrictBuiltinErrors(true).WithVirtualCache(r.shared).
		WithTime(r.request.Facts.Time).WithPrintHook(r)
	if r.loaded.traces {
		q = q.WithQueryTracer(r)
	}
	return q.Iter(r.ctx, func(found topdown.QueryResult) error {
		f(found[result.Value.(ast.Var)].Value)
		return nil
	})
}

// exceptions are the names of rules that package main excepts, without deny_, violation_ or
// warn_. The empty name stands for deny, violation and warn.
func (e *evaluation) exceptions(r *run) map[string]bool {
	names := map[string]bool{}
	any1, any2 := ast.VarTerm("rules"), ast.VarTerm("at")
	ref := mainPackage.Append(ast.StringTerm("exception")).Append(any1).Append(any2)
	err := r.each(ast.Equality.Expr(ast.NewTerm(ref), result), func(v ast.Value) {
		if name, ok := v.(ast.String); ok {
			names[string(name)] = true
		}
	})
	if err != nil {
		e.denyFailed(policy.Rule{Name: "exception"}, err)
	}
	return names
}

var severity = []string{"violation", "deny", "warn"}

// withoutSeverity is the name that an exception has for a rule.
func withoutSeverity(name string) string {
	for _, s := range severity {
		if name == s {
			return ""
		}
		name = strings.TrimPrefix(name, s+"_")
	}
	return name
}

// denyFailed adds the error of a rule that could not be evaluated.
func (e *evaluation) denyFailed(rule policy.Rule, err error) {
	var failed *topdown.Error
	var compile ast.Errors
	switch {
	case topdown.IsCancel(err):
		e.deny(rule, fmt.Sprintf("it was not evaluated within %s", e.request.Time))
	case errors.As(err, &failed):
		if failed.Location != nil && failed.Location.File != "" {
			rule.File, rule.Line = failed.Location.File, failed.Location.Row
		}
		e.deny(rule, "it can't be evaluated: "+copies.ReplaceAllString(failed.Message, "$1"))
	case errors.As(err, &compile):
		e.denyErrors(rule.File, err)
	default:
		e.deny(rule, "it can't be evaluated: "+err.Error())
	}
}

// said adds what one element of a rule says.
func (e *evaluation) said(q query, v ast.Value, excepted map[string]bool) {
	if approvalName.MatchString(q.name) {
		e.require(q, v)
		return
	}
	m, details, err := message(q, v)
	switch {
	case err != nil:
		e.deny(q.rule, err.Error())
	case excepted[withoutSeverity(q.name)]:
		e.add(&e.verdict.Excepted, &e.verdict.MoreExcepted, m, details)
	case warnName.MatchString(q.name):
		e.add(&e.verdict.Warned, &e.verdict.MoreWarned, m, details)
	default:
		e.add(&e.verdict.Denied, &e.verdict.MoreDenied, m, details)
	}
}

// saidComplete adds what a rule says that is no set: `deny := "…"`, `deny := ["…"]`, `deny if { … }`.
func (e *evaluation) saidComplete(q query, v ast.Value, excepted map[string]bool) {
	switch v := v.(type) {
	case ast.Null:
	case ast.Boolean:
		if v {
			e.said(q, ast.String(fmt.Sprintf("%s is true (it gives no message: write `%s contains msg if { … }`)", q.name, q.name)), excepted)
		}
	case *ast.Array:
		v.Foreach(func(element *ast.Term) { e.said(q, element.Value, excepted) })
	default:
		e.said(q, v, excepted)
	}
}

// message reads a message: a string, or an object with msg. Its other members are the details; nil if
// there are none.
func message(q query, v ast.Value) (m policy.Message, details ast.Object, err error) {
	m.Rule = q.rule
	switch v := v.(type) {
	case ast.String:
		m.Text = cmp.Or(string(v), "(an empty message)")
		return m, nil, nil
	case ast.Object:
		msg, ok := member(v, "msg").(ast.String)
		if !ok {
			return m, nil, fmt.Errorf("%s gives an object without a text named msg", q.name)
		}
		m.Text = cmp.Or(string(msg), "(an empty message)")
		if v.Len() > 1 {
			details = v
		}
		return m, details, nil
	default:
		return m, nil, fmt.Errorf("%s gives %s, which is no message: it has to be a text, or an object with a text named msg", q.name, ast.ValueName(v))
	}
}

// details are the members of a message besides msg, as JSON without secrets.
func (e *evaluation) details(v ast.Object) json.RawMessage {
	shown := e.hide.hideValue(v).(map[string]any)
	delete(shown, "msg")
	content, err := json.Marshal(shown)
	if err != nil || len(content) > policy.MaxDetails {
		content, _ = json.Marshal(map[string]string{"left out": fmt.Sprintf("%d bytes", len(content))})
	}
	return content
}

// Print adds what print says to the log.
func (r *run) Print(ctx print.Context, message string) error {
	r.log(ctx.Location, message)
	return nil
}

// Enabled, Config and TraceEvent make r a tracer that adds what trace says to the log.
func (r *run) Enabled() bool { return true }

// Config is that of the tracer.
func (r *run) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent is called for each event.
func (r *run) TraceEvent(event topdown.Event) {
	if event.Op == topdown.NoteOp {
		r.log(event.Location, event.Message)
	}
}

func (e *evaluation) log(at *ast.Location, message string) {
	switch n := len(e.verdict.Log); {
	case n < policy.MaxLog-1:
		where := ""
		if at != nil {
			where = fmt.Sprintf("%s:%d: ", at.File, at.Row)
		}
		e.verdict.Log = append(e.verdict.Log, where+e.hide.show(message, policy.MaxText))
	case n == policy.MaxLog-1:
		e.verdict.Log = append(e.verdict.Log, "(more lines are left out)")
	}
}

// finish sorts the messages and settles the result.
func (e *evaluation) finish() {
	for _, messages := range [][]policy.Message{e.verdict.Denied, e.verdict.Warned, e.verdict.Excepted} {
		slices.SortStableFunc(messages, func(a, b policy.Message) int {
			return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Name, b.Name))
		})
	}
	e.verdict.Settle()
}
