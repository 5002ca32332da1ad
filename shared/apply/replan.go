package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// replan plans again. If the new plan makes exactly the reviewed changes, it becomes the one to
// apply.
func (w *Work) replan(ctx context.Context) error {
	record := w.stored.Record
	configuration, err := fingerprint.Of(ctx, w.Workspace.Target, record.TerraformName, record.TerraformVersion, fingerprint.Extra(record.Files)...)
	if err != nil {
		return fmt.Errorf("read the configuration of %s: %w", w.Workspace.Target, err)
	}
	made, err := w.plan(ctx, "replan", true, record.Outcome != planstore.OutcomeNoChanges)
	if err != nil {
		return err
	}
	if w.newOn = plan.MadeOn(made.file); w.newOn != nil {
		if err := w.checkState(w.newOn, made.file.NoResources); err != nil {
			return err
		}
	}
	reviewed, err := w.readReviewed(ctx)
	if err != nil {
		return err
	}
	if reviewed.Counts != w.stored.Record.Counts { // nothing has compared an encrypted planfile yet
		return w.refuseForged([]string{fmt.Sprintf("the record says %s, and the planfile has %s", w.stored.Record.Counts, reviewed.Counts)})
	}
	now := made.changes
	if now.Digest != reviewed.Digest {
		w.outcome.Now = now
		reason, next := problem.With(problem.ChangedPlan, errors.New("a new plan would change something other than what was reviewed")), w.advice().differs
		if len(w.moved) > 0 {
			reason = problem.With(problem.DependencyApplied, fmt.Errorf("%s was applied after this plan was made, and a new plan would change something other than what was reviewed", list(w.moved)))
			next = w.advice().depends
		}
		return w.Refuse(reason, next, differences(reviewed, now)...)
	}
	if unshown := configuration.Unshown(record.Files); configuration.Digest != record.ConfigurationDigest && now.Counts.Any() && (len(record.Files) == 0 || len(unshown) > 0) {
		if len(record.Files) == 0 {
			unshown = []string{"the record does not list the files"}
		}
		return w.Refuse(
			problem.With(problem.MovedConfiguration, errors.New("a new plan would change the same, but files differ whose effect during an apply no plan shows")),
			w.advice().differs, unshown...)
	}
	if err := w.placeAgain(); err != nil {
		return err
	}
	w.planfile, w.inside = made.Planfile, made.file
	why := "verification: replan"
	switch {
	case len(w.moved) > 0:
		why = list(w.moved) + " was applied since"
	case w.options.Verification != Replan && w.anew != "":
		why = w.anew
	case w.options.Verification != Replan:
		why = "it is encrypted"
	}
	w.outcome.Verified = "Planned again before the apply: the new plan changes exactly what was reviewed (" + why + ")."
	return nil
}

// differences names the resources whose actions differ between two plans.
func differences(reviewed, now *changes.Plan) []string {
	actions := func(p *changes.Plan) map[string]changes.Resource {
		all := map[string]changes.Resource{}
		for _, r := range p.Resources {
			all[r.Address+r.Deposed] = r
		}
		return all
	}
	before, after := actions(reviewed), actions(now)
	var list []string
	for _, key := range slices.Sorted(maps.Keys(before)) {
		switch r, still := after[key]; {
		case !still:
			list = append(list, fmt.Sprintf("%s: reviewed %s, now nothing", key, before[key].Action))
		case r.Action != before[key].Action:
			list = append(list, fmt.Sprintf("%s: reviewed %s, now %s", key, before[key].Action, r.Action))
		case !reflect.DeepEqual(r, before[key]):
			list = append(list, fmt.Sprintf("%s: %s with different values", key, r.Action))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, was := before[key]; !was {
			list = append(list, fmt.Sprintf("%s: reviewed nothing, now %s", key, after[key].Action))
		}
	}
	if len(list) == 0 {
		list = []string{"sensitive values, values beyond what is shown here, provisioners, or settings of providers"}
	}
	return list
}

// readReviewed reads the changes in the stored planfile, once.
func (w *Work) readReviewed(ctx context.Context) (_ *changes.Plan, err error) {
	if w.reviewed == nil {
		if w.reviewed, err = plan.Show(ctx, w.tf, w.planfile, detail()); err != nil {
			return nil, fmt.Errorf("read the reviewed plan of %s: %w", w.Workspace.Target, err)
		}
	}
	return w.reviewed, nil
}

// detail is what is read of the two plans that are compared. A report needs room for other things.
func detail() plan.Detail { return plan.Detail{Bytes: 256 << 10, Digest: true} }

// newPlan is a plan that was made just now.
type newPlan struct {
	plan.Made
	changes *changes.Plan
	file    *planfile.File // nil: it is encrypted
}

func (n newPlan) empty() bool { return !n.HasChanges && !n.changes.Counts.Any() }

// plan plans the target into a file of this name. initialized says that init has already run, judged
// that the policies are evaluated on the plan.
func (w *Work) plan(ctx context.Context, name string, initialized, judged bool) (made newPlan, err error) {
	file := filepath.Join(w.Workspace.Dir, name+".tfplan")
	if made.Made, err = plan.Make(ctx, w.tf, plan.Request{Planfile: file, Destroy: w.Workspace.Target.Destroy, Initialized: initialized}); err != nil {
		return made, fmt.Errorf("plan %s: %w", w.Workspace.Target, err)
	}
	made.changes, err = w.judge(ctx, judged, func(also io.Writer) (read *changes.Plan, err error) {
		d := detail()
		d.Also = also
		read, made.file, err = plan.Read(ctx, w.tf, made.Made, d)
		return read, err
	})
	if err != nil {
		return made, fmt.Errorf("read the new plan of %s: %w", w.Workspace.Target, err)
	}
	return made, nil
}

// NothingLeft plans the target and reports whether there is nothing to change any more. It is for a
// plan that was refused because its state has changed: that plan's changes may already be made. The
// new plan is not stored.
func (w *Work) NothingLeft(ctx context.Context) (bool, error) {
	log := w.options.Runtime.Group("terraform plan: " + w.Workspace.Target.String())
	defer log.Close()
	initialized := w.tf != nil
	if err := w.openTerraform(ctx, log); err != nil {
		return false, err
	}
	made, err := w.plan(ctx, "left", initialized, false)
	return err == nil && made.empty(), err
}
