package apply

import "github.com/terraform-gitops/gitops/shared/planstore"

// advice is what refusals say to do next, which depends on where another plan comes from.
// Each is a sentence or two.
type advice struct {
	again    string // the plan is used up
	applied  string // it was applied before
	tampered string // the planfile is another one
	forged   string // the planfile is not what its record says
	built    string // the files that were built for the plan can't be used
	version  string // Terraform is another one
	moved    string // the configuration is another one
	modules  string // files of modules from elsewhere are others
	depends  string // a dependency is another one
	differs  string // a new plan would change something else
	stale    string // the state is another one
	newState string // the state is empty, or another one than before
	locked   string // the state's lock could not be taken
	destroy  string // the plan destroys, and the configuration does not, or the other way round
}

func (w *Work) advice() advice {
	if w.stored.Record.Kind == planstore.KindDrift {
		return adviceForDrift
	}
	return adviceForChange
}

// PlanMerged says how to plan again after the merge, when the pull request can't be planned
// any more.
const PlanMerged = "Plan the merged commit, review that plan, and apply it: the workflow examples/plan-merged.yml does this."

var adviceForChange = advice{
	again:    PlanMerged,
	applied:  "There is nothing to do: a plan is applied once. For another change, plan again.",
	tampered: "The stored planfile is not the one that was reviewed: find out who wrote it (see 'An altered record' in docs/operations.md). " + PlanMerged,
	forged:   "No merge causes this difference: whoever stored this plan did, with the plan storage role. Find out which run it was: the record names one, and CloudTrail shows the one that wrote it. If the job that plans sets a variable in its environment, set it in this job, too. " + PlanMerged,
	built:    "No file was written. If this job made what is in the way, remove that; otherwise find out what made these files during the plan. " + PlanMerged,
	version:  "Install the same version in both workflows and run this job again, or keep this version and plan again. " + PlanMerged,
	moved:    "The base branch moved after the plan was made. " + PlanMerged + " To prevent this, require branches to be up to date before merging, or set verification: replan: then the apply plans again by itself, and goes on if nothing else would change.",
	modules:  "The source of the module changed after the plan was made. Pin it, such as to a tag or a commit in `ref`, so that this can't happen again. " + PlanMerged,
	depends:  "Review what the new plan would do. " + PlanMerged,
	differs:  "Review the difference. " + PlanMerged,
	stale:    "Something else changed the state of this target after the review. " + PlanMerged,
	newState: "Check where the state should be: the root module's backend, `backend-config`, the workspace. " + PlanMerged + " If you want a new state, run this again with accept-new-state: true.",
	destroy:  "To destroy everything that a target manages, set destroy: true for it, and review that plan. " + PlanMerged,
	locked:   "The plan can still be applied: run this job again when the lock is released. If its holder is gone, remove the lock with `terraform force-unlock`.",
}

// DetectAgain says how to get another drift plan. When that is made is written in a workflow,
// which this code does not read.
const DetectAgain = "The next drift detection shows the current drift with a new plan: wait for its schedule, or run its workflow."

var adviceForDrift = advice{
	again:    DetectAgain,
	applied:  "There is nothing to do: a plan is applied once. " + DetectAgain,
	tampered: "The stored planfile is not the one that the issue showed: find out who wrote it (see 'An altered record' in docs/operations.md), then run the drift detection's workflow.",
	forged:   "No merge causes this difference: whoever stored this plan did, with the plan storage role. Find out which run it was: the record names one, and CloudTrail shows the one that wrote it. If the job that plans sets a variable in its environment, set it in this job, too. " + DetectAgain,
	built:    "No file was written. Find out what made these files during the plan. " + DetectAgain,
	version:  "Install the same version in both workflows, or run the drift detection's workflow with this one.",
	moved:    "Git changed after the drift was planned. " + DetectAgain,
	modules:  "The source of the module changed after the drift was planned. Pin it, such as to a tag or a commit in `ref`. " + DetectAgain,
	depends:  DetectAgain,
	differs:  DetectAgain,
	stale:    "Something else changed the state of this target after the drift was planned. " + DetectAgain,
	newState: "Check where the state should be: the root module's backend, `backend-config`, the workspace. If you want a new state, apply a change of this target with accept-new-state: true. " + DetectAgain,
	destroy:  "Git changed after the drift was planned. " + DetectAgain,
	locked:   "The plan can still be applied: add the label again when the lock is released. If its holder is gone, remove the lock with `terraform force-unlock`.",
}
