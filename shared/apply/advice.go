package apply

import "github.com/terraform-gitops/gitops/shared/planstore"

// advice is what refusals tell to do, which depends on how one gets another plan. Each
// is a sentence or two.
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
}

func (w *Work) advice() advice {
	if w.stored.Record.Kind == planstore.KindDrift {
		return adviceForDrift
	}
	return adviceForChange
}

// PlanMerged is what to do for another plan of what was merged, whose pull request can't be
// planned any more.
const PlanMerged = "Plan the merged commit, review that, and have it applied: the workflow examples/plan-merged.yml does so."

var adviceForChange = advice{
	again:    PlanMerged,
	applied:  "Nothing to do: a plan is applied once. To change something again, plan again.",
	tampered: "The stored planfile is not the one that was reviewed: find out who wrote it. " + PlanMerged,
	forged:   "No merge makes this difference: whoever stored this plan did, and the plan storage role lets them. Find out which run it was (the record names one, CloudTrail the one that wrote it). If a job that plans gives a variable by its environment, give it in this job, too. " + PlanMerged,
	built:    "Nothing was written. Where this job has made what stands in the way, remove that; else find out what made these files while planning. " + PlanMerged,
	version:  "Install the same version in both workflows and run this job again, or go on with this one. " + PlanMerged,
	moved:    "The base branch moved after the plan was made. " + PlanMerged + " With verification: replan, apply does it by itself where nothing else would change.",
	modules:  "The source of the module has moved since the plan was made: name a fixed one, such as a tag or a commit in `ref`, and the next plan can't be overtaken like this. " + PlanMerged,
	depends:  "Review what it would do now. " + PlanMerged,
	differs:  "Review the difference. " + PlanMerged,
	stale:    "Something else changed this target's state after the review. " + PlanMerged,
	newState: "Look at where the state should be (the root module's backend, backend-config, the workspace). " + PlanMerged + " To have a new state on purpose, run this again with accept-new-state: true.",
	locked:   "The plan can still be applied: run this job again once whoever holds the lock is done. A lock that nobody holds any more is ended by terraform force-unlock.",
}

// DetectAgain is what to do for another drift plan. When that will be made is in a workflow
// that this code does not read.
const DetectAgain = "The next drift detection shows what drifts now, with a new plan: wait for its schedule, or run its workflow."

var adviceForDrift = advice{
	again:    DetectAgain,
	applied:  "Nothing to do: a plan is applied once. " + DetectAgain,
	tampered: "The stored planfile is not the one that the issue showed: find out who wrote it, then run the drift detection's workflow.",
	forged:   "No merge makes this difference: whoever stored this plan did, and the plan storage role lets them. Find out which run it was (the record names one, CloudTrail the one that wrote it). If a job that plans gives a variable by its environment, give it in this job, too. " + DetectAgain,
	built:    "Nothing was written. Find out what made these files while planning. " + DetectAgain,
	version:  "Install the same version in both workflows, or run the drift detection's workflow with this one.",
	moved:    "Git has moved on since the drift was planned. " + DetectAgain,
	modules:  "The source of the module has moved since the drift was planned: name a fixed one, such as a tag or a commit in `ref`. " + DetectAgain,
	depends:  DetectAgain,
	differs:  DetectAgain,
	stale:    "Something else changed this target's state since the drift was planned. " + DetectAgain,
	newState: "Look at where the state should be (the root module's backend, backend-config, the workspace). To have a new state on purpose, apply a change of this target with accept-new-state: true. " + DetectAgain,
	locked:   "The plan can still be applied: add the label again once whoever holds the lock is done. A lock that nobody holds any more is ended by terraform force-unlock.",
}
