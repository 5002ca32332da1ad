package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/terraform/tfvars"
)

// Whoever can assume the plan storage role can store a forged record and planfile. A comparison with
// Git doesn't reveal that, since both may contain the merged configuration. So the planfile's content
// is also compared with the record, which is what people were shown, and with the configuration.
// The planfile's state and the values in its changes can only be compared with a new plan.

// checkForged refuses a planfile that differs from its record, or that would be applied to another
// backend or with other variables than the configured ones. It needs init to have run.
//
// It doesn't compare the backend if a new plan is applied instead of the planfile. It compares
// values of variables only if the configuration is proved to be the planned one: otherwise they may
// have been changed in Git.
func (w *Work) checkForged(ctx context.Context) error {
	differs, err := w.asRecorded(ctx)
	if err != nil {
		return err
	}
	if w.options.Verification != Replan {
		backend, err := w.tf.CompareBackend(w.inside)
		if err != nil {
			return fmt.Errorf("compare the planfile of %s with its backend: %w", w.Workspace.Target, err)
		}
		differs = append(differs, backend...)
	}
	if w.options.Verification == Strict {
		values, err := w.compareVariables()
		if err != nil {
			return err
		}
		differs = append(differs, values...)
	}
	return w.refuseForged(differs)
}

// compareVariables returns the root variables whose values in the planfile differ from those in Git.
func (w *Work) compareVariables() ([]string, error) {
	variables, err := w.variables()
	if err != nil {
		return nil, err
	}
	values, err := variables.Compare(w.inside)
	if err != nil {
		return nil, fmt.Errorf("compare the planfile of %s with its variables: %w", w.Workspace.Target, err)
	}
	return values, nil
}

// asRecorded returns the differences between the planfile and its record.
func (w *Work) asRecorded(ctx context.Context) (differs []string, err error) {
	record := w.stored.Record
	differs = w.scope()
	counts, ok := w.inside.Counts()
	if !ok || counts != record.Counts {
		// This is slower, and counts exactly as the plan action does.
		plan, err := w.readReviewed(ctx)
		if err != nil {
			return nil, err
		}
		if plan.Counts != record.Counts {
			differs = append(differs, fmt.Sprintf("the record says %s, and the planfile has %s", record.Counts, plan.Counts))
		}
	}
	return differs, nil
}

// scope returns the differences between planfile and record in how the plan was made.
func (w *Work) scope() (differs []string) {
	record := w.stored.Record
	if w.inside.Errored() {
		differs = append(differs, "its planning failed")
	}
	if mode := w.inside.Mode(); string(mode) != record.Mode {
		differs = append(differs, fmt.Sprintf("mode: the record says %s, and the planfile says %s", modeName(record.Mode), modeName(string(mode))))
	}
	for _, list := range []struct {
		flag             string
		inside, recorded []string
	}{{"-target", w.inside.Targets(), record.Targets}, {"-replace", w.inside.Replace(), record.Replace}} {
		if !slices.Equal(list.inside, list.recorded) {
			differs = append(differs, fmt.Sprintf("%s: the record says %s, and the planfile says %s", list.flag, addresses(list.recorded), addresses(list.inside)))
		}
	}
	return differs
}

func modeName(mode string) string {
	if mode == string(planfile.ModeNormal) {
		return "normal"
	}
	return mode
}

func addresses(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// checkNothing refuses a plan without changes if its planfile has some: otherwise the run would
// report success. Terraform doesn't run here, so the backend can't be compared.
func (w *Work) checkNothing(ctx context.Context) error {
	if err := w.fetch(ctx); err != nil {
		return err
	}
	if w.inside == nil {
		return w.refuseEncrypted()
	}
	differs := w.scope()
	counts, ok := w.inside.Counts()
	if !ok || counts != w.stored.Record.Counts || counts.Any() {
		differs = append(differs, fmt.Sprintf("the record says no changes, and the planfile has %s", counts))
	}
	if w.options.Verification == Strict && w.Workspace.Target.Atmos == nil {
		values, err := w.compareVariables()
		if err != nil {
			return err
		}
		differs = append(differs, values...)
	}
	return w.refuseForged(differs)
}

// variables reads the values of root variables, as far as they are in Git or the environment.
func (w *Work) variables() (*tfvars.Values, error) {
	variables, err := tfvars.Read(w.Workspace.VariableSources(w.stored.Record.TerraformName))
	if err != nil {
		return nil, fmt.Errorf("read the variables of %s: %w", w.Workspace.Target, err)
	}
	return variables, nil
}

func (w *Work) refuseForged(differs []string) error {
	if len(differs) == 0 {
		return nil
	}
	return w.Refuse(problem.With(problem.ForgedPlan, errors.New("the planfile does not match its record or the configuration")), w.advice().forged, differs...)
}

// refuseEncrypted refuses an encrypted planfile, since nothing in it can be compared.
func (w *Work) refuseEncrypted() error {
	return w.Refuse(problem.With(problem.EncryptedPlan, errors.New("the planfile is encrypted, so nothing in it can be verified")),
		"Set verification: replan: then OpenTofu plans again, and the two plans are compared. This job needs the key for that.")
}

// tellVerified adds to the report what was compared and what was not.
func (w *Work) tellVerified() {
	switch {
	case w.options.Verification == None && w.inside == nil:
		w.outcome.Verified = ""
		w.outcome.Unverified = "The planfile is encrypted, and the configuration was not compared with that of the plan (verification: none)."
	case w.options.Verification == None:
		w.outcome.Verified = "The planfile's number of changes, mode, targets and backend match its record and the configuration."
		w.outcome.Unverified = "The configuration and the values of variables were not compared with those of the plan (verification: none)."
	default:
		w.outcome.Verified = "The planfile's configuration, number of changes, mode, targets, backend and variables match its record and the merged commit."
		w.outcome.Unverified = w.untold()
	}
}

// untold says what can't be compared without a new plan.
func (w *Work) untold() string {
	text := "The state inside the planfile and the values that it plans: verification: replan compares these."
	variables, err := w.variables()
	if err != nil {
		return text // the comparison returns this error
	}
	if len(variables.Given) > 0 {
		text += " The values of variables that are not in Git: " + strings.Join(variables.Given, ", ") + "."
	}
	return text
}

// tellApprover adds to the report of a plan that needs an approval what will be compared before the
// apply.
func (w *Work) tellApprover() {
	switch record := w.stored.Record; {
	case record.Outcome != planstore.OutcomeChanges:
	case w.options.Verification == Replan || w.anew != "":
		w.outcome.Verified = "Nothing yet: the numbers are from the plan record. Before the apply, the target is planned again, and the new plan must change exactly what the planfile would."
	case w.options.Verification == None:
		w.outcome.Unverified = "The numbers are from the plan record. Before the apply, the planfile's own numbers, mode, targets and backend are compared with it. The configuration and the values of variables are not compared (verification: none)."
	default:
		w.outcome.Verified = "Nothing yet: the numbers are from the plan record. Before the apply, the planfile's configuration, numbers, mode, targets, backend and variables are compared with the record and with the merged commit."
		w.outcome.Unverified = w.untold()
	}
}
