package plan

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// lastApply is an answer of the store that is waited for.
type lastApply struct {
	errgroup.Group
	found map[planstore.Target]planstore.LastApply
}

// askForLastApply asks the store for the target's last apply while Terraform runs. So the store's
// credentials and connections are there, too, when the plan is stored.
func (p *planner) askForLastApply(ctx context.Context) *lastApply {
	var last lastApply
	if p.store != nil {
		last.Go(func() (err error) {
			last.found, err = p.store.LastApplies(ctx, []planstore.Target{p.Record.Target})
			return err
		})
	}
	return &last
}

// checkState adds a caution if the plan was made on another state than the last apply left, or if
// the state is in a file that is deleted with the runner.
func (p *planner) checkState(applied *lastApply) error {
	file, err := p.tf.StateInCheckout()
	if err != nil {
		return fmt.Errorf("find where the state of %s is: %w", p.workspace.Target, err)
	}
	if file != "" {
		p.caution("The state is in the checkout, in %q, and is lost with this job's runner: the next plan does not know what an apply of this plan creates. "+
			"Keep the state elsewhere: add a backend to the root module, such as backend \"s3\", with its settings in the block or in `backend-config`.", file)
	}
	empty := p.Record.State != nil && p.Record.State.Lineage == ""
	if p.store == nil {
		if empty {
			p.note("The state is empty: Terraform knows of no resources. Whether this target was applied before was not checked (plan-storage: false).")
		}
		return nil
	}
	err = applied.Wait()
	if problem.CodeOf(err) == problem.AWSDenied {
		p.note("It is not known whether this is the state of the last apply: the storage role may not read the last apply. " +
			"Allow it dynamodb:BatchGetItem on items that begin with apply#, as modules/github-oidc-roles does.")
		return nil
	}
	if err != nil {
		return fmt.Errorf("plan %s: %w", p.workspace.Target, err)
	}
	var last *planstore.LastApply
	if found, ok := applied.found[p.Record.Target]; ok {
		last = &found
	}
	p.describeState(last)
	return nil
}

// describeState compares the plan's state with the last apply's, and adds what a reader must know.
func (p *planner) describeState(last *planstore.LastApply) {
	const next = "Check where the state should be: the root module's backend, `backend-config` and the workspace. If it is lost for good, import the existing resources. " +
		"If you want a new state, set accept-new-state: true for the apply action; without it the apply refuses this plan."
	at, continuity := p.Record.State, planstore.ContinuityOf(last, p.Record.State)
	if p.workspace.Target.Destroy {
		switch nothing := p.empty || at != nil && at.Lineage == ""; {
		case continuity == planstore.StateGone:
			p.caution("The state is empty, and this target was applied before, by %s: if what that created still exists, this plan does not destroy it. %s", last.Run.URL, next)
			return
		case nothing && !continuity.Lost():
			p.note("There is nothing left to destroy: the state is empty. %s", DeleteEntry(p.workspace.Target))
			return
		}
	} else if p.Record.Mode == string(planfile.ModeDestroy) {
		p.caution("This plan destroys everything, and the configuration does not say `destroy: true`: the apply refuses it.")
	}
	switch {
	case continuity == planstore.FirstState && at != nil && (at.Lineage == "" || p.empty):
		p.note("This target was never applied, and its state is empty: Terraform knows of no resources. If they exist already, the backend block, `backend-config` or the workspace names another state: do not apply this.")
	case continuity == planstore.StateGone:
		p.caution("The state is empty, and this target was applied before, by %s: this plan would create again what already exists. %s", last.Run.URL, next)
	case continuity == planstore.OtherState:
		p.caution("The state is another one: its lineage is %s, but this target was applied last, by %s, to lineage %s. What exists is not in this state. %s", at.Lineage, last.Run.URL, last.Lineage(), next)
	case continuity == planstore.StateUnknown && at != nil && p.empty:
		p.caution("The state has no resources, and this target was applied before, by %s, to a state whose lineage is not known. %s", last.Run.URL, next)
	case continuity == planstore.StateUnknown && at == nil:
		p.note("It is not known whether this is the state of the last apply: the planfile is encrypted.")
	}
}

// DeleteEntry says what to do with a target of which everything is destroyed.
func DeleteEntry(t inventory.Target) string {
	where := "gitops.yaml"
	if t.Atmos != nil {
		where = "the stack's manifest"
	}
	return fmt.Sprintf("The entry of %s in %s can be deleted, and its folder if nothing else uses it.", t, where)
}

// caution adds a sentence on why the plan's numbers may be wrong.
func (p *planner) caution(format string, args ...any) {
	p.Cautions = append(p.Cautions, fmt.Sprintf(format, args...))
}
