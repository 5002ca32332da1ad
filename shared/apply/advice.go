package apply

import "github.com/terraform-gitops/gitops/shared/planstore"

// advice is what refusals tell to do, which depends on how one gets another plan. Each
// is a sentence or two.
type advice struct {
	again    string // the plan is used up
	applied  string // it was applied before
	tampered string // the planfile is another one
	version  string // Terraform is another one
	moved    string // the configuration is another one
	depends  string // a dependency is another one
	differs  string // a new plan would change something else
	stale    string // the state is another one
}

func (w *Work) advice() advice {
	if w.stored.Record.Kind == planstore.KindDrift {
		return adviceForDrift
	}
	return adviceForChange
}

var adviceForChange = advice{
	again:    "Plan again: push to the pull request, or open a new one, and run the plan workflow.",
	applied:  "Nothing to do: a plan is applied once. To change something again, plan again.",
	tampered: "The stored planfile is not the one that was reviewed: find out who wrote it, then plan the pull request again.",
	version:  "Install the same version in both workflows, or plan the pull request again with this one.",
	moved:    "The base branch moved after the plan was made. Plan again on top of it: update the pull request's branch before merging, or apply with verification: replan.",
	depends:  "Run the plan workflow for the merged commit, review what it would do now, and run the apply workflow again.",
	differs:  "Plan the pull request again and review the difference.",
	stale:    "Plan the pull request again: something else changed this target's state after the review.",
}

// DetectAgain is what to do for another drift plan. When that will be made is in a workflow
// that this code does not read.
const DetectAgain = "The next drift detection shows what drifts now, with a new plan: wait for its schedule, or run its workflow."

var adviceForDrift = advice{
	again:    DetectAgain,
	applied:  "Nothing to do: a plan is applied once. " + DetectAgain,
	tampered: "The stored planfile is not the one that the issue showed: find out who wrote it, then run the drift detection's workflow.",
	version:  "Install the same version in both workflows, or run the drift detection's workflow with this one.",
	moved:    "Git has moved on since the drift was planned. " + DetectAgain,
	depends:  DetectAgain,
	differs:  DetectAgain,
	stale:    "Something else changed this target's state since the drift was planned. " + DetectAgain,
}
