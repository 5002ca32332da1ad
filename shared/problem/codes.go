package problem

// What the job gives the action.
const (
	// Input is of inputs that are missing, have no meaning, or contradict each other.
	Input Code = "GITOPS-INPUT"
	// Runner is of what the runner gives each step: its variables, files and event payload.
	Runner Code = "GITOPS-RUNNER"
	// Event is of an event, or of a ref, on which the action has nothing that it may do.
	Event Code = "GITOPS-EVENT"
	// Fork is of a pull request from a fork.
	Fork Code = "GITOPS-FORK"
	// RunRef is of code that the run's own ref does not have, and that so would run with the
	// identity of another one.
	RunRef Code = "GITOPS-RUN-REF"
	// Checkout is of a workspace that is empty, holds another commit, or lacks history.
	Checkout Code = "GITOPS-CHECKOUT"
)

// How the repository is configured.
const (
	// Config is of a fault in gitops.yaml, or of its absence.
	Config Code = "GITOPS-CONFIG"
	// Atmos is of Atmos: not installed, too old, or refusing its configuration.
	Atmos Code = "GITOPS-ATMOS"
	// Unresolved is of a target that reads a value of another one, which has none yet.
	Unresolved Code = "GITOPS-UNRESOLVED"
	// UnknownTarget is of a component or stack that the repository does not have.
	UnknownTarget Code = "GITOPS-UNKNOWN-TARGET"
	// Cycle is of targets that depend on each other in a cycle.
	Cycle Code = "GITOPS-CYCLE"
	// RootModule is of files of a target that can't be read to tell whether they have changed.
	RootModule Code = "GITOPS-ROOT-MODULE"
	// PlanFiles is of built files that can't travel with a plan.
	PlanFiles Code = "GITOPS-PLAN-FILES"
	// StoreSettings is of settings that name no plan store, or several.
	StoreSettings Code = "GITOPS-STORE-SETTINGS"
	// Roles is of settings in which Terraform has a role that opens the plan store.
	Roles Code = "GITOPS-ROLES"
)

// AWS.
const (
	// IDToken is of a run to which GitHub gives no ID token.
	IDToken Code = "GITOPS-ID-TOKEN" //nolint:gosec // the name of a problem
	// AWSRole is of a role that STS does not let the run take on.
	AWSRole Code = "GITOPS-AWS-ROLE"
	// AWSNotFound is of a bucket or table that is not there, or not in this region.
	AWSNotFound Code = "GITOPS-AWS-NOT-FOUND"
	// AWSDenied is of an action that a policy of the storage role, the bucket or the key denies.
	AWSDenied Code = "GITOPS-AWS-DENIED"
	// AWSKey is of a KMS key that is disabled, deleted or about to be.
	AWSKey Code = "GITOPS-AWS-KEY"
	// AWSCredentials is of storage credentials that have ended, or that AWS does not know.
	AWSCredentials Code = "GITOPS-AWS-CREDENTIALS" //nolint:gosec // the same
	// AWSClock is of a runner whose clock is not AWS's.
	AWSClock Code = "GITOPS-AWS-CLOCK"
	// AWS is of any other answer of S3 or DynamoDB, and of none.
	AWS Code = "GITOPS-AWS"
)

// The stored plan.
const (
	// Storage is of a folder with plans that can't be opened or read.
	Storage Code = "GITOPS-STORAGE"
	// NoPlan is of a commit that has no stored plan.
	NoPlan Code = "GITOPS-NO-PLAN"
	// PlanGone is of a plan record whose planfile is no longer stored.
	PlanGone Code = "GITOPS-PLAN-GONE"
	// DigestMismatch is of a stored planfile that is not the recorded one.
	DigestMismatch Code = "GITOPS-DIGEST-MISMATCH"
	// ForgedPlan is of a planfile that is not what its record says, or what is configured.
	ForgedPlan Code = "GITOPS-FORGED-PLAN"
	// EncryptedPlan is of a planfile that OpenTofu has encrypted, which nothing can be compared with.
	EncryptedPlan Code = "GITOPS-ENCRYPTED-PLAN"
	// AlteredRecord is of a plan record that was changed after it was written.
	AlteredRecord Code = "GITOPS-ALTERED-RECORD"
	// NewerRecord is of a plan record of a later version of these actions.
	NewerRecord Code = "GITOPS-NEWER-RECORD"
	// Planfile is of a planfile that can't be read.
	Planfile Code = "GITOPS-PLANFILE"
)

// Why a plan is not applied. Nothing was changed.
const (
	// NotMerged is of a plan of something that was not merged, or not into this branch.
	NotMerged Code = "GITOPS-NOT-MERGED"
	// Expired is of a plan that is too old.
	Expired Code = "GITOPS-EXPIRED"
	// Applied is of a plan that was applied before.
	Applied Code = "GITOPS-APPLIED"
	// Applying is of a plan that another run has claimed and not finished.
	Applying Code = "GITOPS-APPLYING"
	// FailedPlan is of a commit whose newest planning failed.
	FailedPlan Code = "GITOPS-FAILED-PLAN"
	// FailedApply is of a plan whose apply failed before.
	FailedApply Code = "GITOPS-FAILED-APPLY"
	// Superseded is of a plan since which another one was applied.
	Superseded Code = "GITOPS-SUPERSEDED"
	// Behind is of a merged commit that comes before the one that was applied last.
	Behind Code = "GITOPS-BEHIND"
	// StalePlan is of a plan whose state has changed, as Terraform says.
	StalePlan Code = "GITOPS-STALE-PLAN"
	// NewState is of a plan made on an empty state, or another one than the last apply's.
	NewState Code = "GITOPS-NEW-STATE"
	// MovedConfiguration is of a plan that was made from other files than were merged.
	MovedConfiguration Code = "GITOPS-MOVED-CONFIGURATION"
	// ChangedPlan is of a plan that, made anew, would change something else.
	ChangedPlan Code = "GITOPS-CHANGED-PLAN"
	// DependencyApplied is of such a plan, too, which was made anew since a dependency was applied.
	DependencyApplied Code = "GITOPS-DEPENDENCY-APPLIED"
	// Waiting is of a target that could not be planned before another one is applied.
	Waiting Code = "GITOPS-WAITING"
	// Locked is of a target that another pull request holds, or a component that Atmos' settings lock.
	Locked Code = "GITOPS-LOCKED"
	// ExpectedDigest is of another plan than the one that was approved.
	ExpectedDigest Code = "GITOPS-EXPECTED-DIGEST"
	// TerraformVersion is of a Terraform that is not the wanted one, or not the plan's.
	TerraformVersion Code = "GITOPS-TERRAFORM-VERSION"
	// DriftIssue is of a drift issue that does not say, in a way that can be trusted, what to apply.
	DriftIssue Code = "GITOPS-DRIFT-ISSUE"
	// Permission is of a person who may not ask for an apply.
	Permission Code = "GITOPS-PERMISSION"
)

// What went wrong under way.
const (
	// Terraform is of a Terraform, OpenTofu or Atmos command that failed.
	Terraform Code = "GITOPS-TERRAFORM"
	// ErroredState is of a state that Terraform could not write to its backend.
	ErroredState Code = "GITOPS-ERRORED-STATE"
	// Unrecorded is of an apply whose end could not be written down.
	Unrecorded Code = "GITOPS-UNRECORDED"
	// Targets is of many targets, some of which failed, were refused, or were not tried.
	Targets Code = "GITOPS-TARGETS"
	// Conflict is of others that wrote the same item at the same time, again and again.
	Conflict Code = "GITOPS-CONFLICT"
	// Cancelled is of a run that was cancelled.
	Cancelled Code = "GITOPS-CANCELLED"
)

// GitHub.
const (
	// GitHubPermission is of a token that may not do what is asked of it.
	GitHubPermission Code = "GITOPS-GITHUB-PERMISSION"
	// GitHubRateLimit is of a rate limit that would take too long to wait for.
	GitHubRateLimit Code = "GITOPS-GITHUB-RATE-LIMIT"
	// GitHub is of any other answer of GitHub, and of none.
	GitHub Code = "GITOPS-GITHUB"
)
