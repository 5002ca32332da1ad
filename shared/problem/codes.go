package problem

// What the job gives the action.
const (
	// Input: an input is missing or wrong, or contradicts another one.
	Input Code = "GITOPS-INPUT"
	// Runner: a variable, file or event payload that the runner gives each step is missing or wrong.
	Runner Code = "GITOPS-RUNNER"
	// Event: the action can do nothing for this event or ref.
	Event Code = "GITOPS-EVENT"
	// Fork: the pull request comes from a fork.
	Fork Code = "GITOPS-FORK"
	// RunRef: the checked-out code is not part of the run's own ref: it would run with the identity of
	// that ref.
	RunRef Code = "GITOPS-RUN-REF"
	// Checkout: the workspace is empty, holds another commit, or lacks history.
	Checkout Code = "GITOPS-CHECKOUT"
	// NoPlanLabel: the pull request has the label no-plan.
	NoPlanLabel Code = "GITOPS-NO-PLAN-LABEL"
)

// How the repository is configured.
const (
	// Config: gitops.yaml has an error, or is missing.
	Config Code = "GITOPS-CONFIG"
	// Atmos: Atmos is not installed, is too old, or rejects its configuration.
	Atmos Code = "GITOPS-ATMOS"
	// Unresolved: the target reads another target's value, which doesn't exist yet.
	Unresolved Code = "GITOPS-UNRESOLVED"
	// UnknownTarget: the repository has no such component or stack.
	UnknownTarget Code = "GITOPS-UNKNOWN-TARGET"
	// Cycle: targets depend on each other in a cycle.
	Cycle Code = "GITOPS-CYCLE"
	// RootModule: the target's files can't be read, so that nobody can tell whether they have changed.
	RootModule Code = "GITOPS-ROOT-MODULE"
	// ModuleAccess: the Git repository of a module can't be read.
	ModuleAccess Code = "GITOPS-MODULE-ACCESS"
	// PlanFiles: built files can't travel with the plan.
	PlanFiles Code = "GITOPS-PLAN-FILES"
	// StoreSettings: the settings name no plan store, or several.
	StoreSettings Code = "GITOPS-STORE-SETTINGS"
	// Roles: the settings give Terraform a role that can open the plan store.
	Roles Code = "GITOPS-ROLES"
)

// AWS.
const (
	// IDToken: GitHub gives the run no ID token.
	IDToken Code = "GITOPS-ID-TOKEN" //nolint:gosec // the name of a problem
	// AWSRole: the run can't assume the role.
	AWSRole Code = "GITOPS-AWS-ROLE"
	// AWSNotFound: the bucket or table doesn't exist, or is in another region.
	AWSNotFound Code = "GITOPS-AWS-NOT-FOUND"
	// AWSDenied: a policy of the storage role, the bucket or the key denies the request.
	AWSDenied Code = "GITOPS-AWS-DENIED"
	// AWSKey: the KMS key is disabled, deleted, or about to be deleted.
	AWSKey Code = "GITOPS-AWS-KEY"
	// AWSCredentials: the storage credentials have expired, or AWS does not know them.
	AWSCredentials Code = "GITOPS-AWS-CREDENTIALS" //nolint:gosec // the same
	// AWSClock: the runner's clock is wrong.
	AWSClock Code = "GITOPS-AWS-CLOCK"
	// AWS: S3 or DynamoDB returned any other error, or did not answer.
	AWS Code = "GITOPS-AWS"
)

// The stored plan.
const (
	// Storage: the folder with plans can't be opened or read.
	Storage Code = "GITOPS-STORAGE"
	// NoPlan: the commit has no stored plan.
	NoPlan Code = "GITOPS-NO-PLAN"
	// PlanGone: the plan record's planfile is no longer stored.
	PlanGone Code = "GITOPS-PLAN-GONE"
	// DigestMismatch: the stored planfile is not the recorded one.
	DigestMismatch Code = "GITOPS-DIGEST-MISMATCH"
	// ForgedPlan: the planfile differs from its record, or from the configuration.
	ForgedPlan Code = "GITOPS-FORGED-PLAN"
	// EncryptedPlan: OpenTofu has encrypted the planfile, so that nothing in it can be compared.
	EncryptedPlan Code = "GITOPS-ENCRYPTED-PLAN"
	// AlteredRecord: the plan record was changed after it was written.
	AlteredRecord Code = "GITOPS-ALTERED-RECORD"
	// NewerRecord: a later version of these actions wrote the plan record.
	NewerRecord Code = "GITOPS-NEWER-RECORD"
	// Planfile: the planfile can't be read.
	Planfile Code = "GITOPS-PLANFILE"
)

// Why a plan is not applied. Nothing was changed.
const (
	// NotMerged: the planned commit was not merged, or not into this branch.
	NotMerged Code = "GITOPS-NOT-MERGED"
	// Expired: the plan is too old.
	Expired Code = "GITOPS-EXPIRED"
	// Applied: the plan was already applied.
	Applied Code = "GITOPS-APPLIED"
	// Applying: another run has claimed the plan and has not finished.
	Applying Code = "GITOPS-APPLYING"
	// FailedPlan: the commit's newest plan failed.
	FailedPlan Code = "GITOPS-FAILED-PLAN"
	// FailedApply: the plan's apply failed.
	FailedApply Code = "GITOPS-FAILED-APPLY"
	// Superseded: another plan was applied since this one was made.
	Superseded Code = "GITOPS-SUPERSEDED"
	// Behind: the merged commit is older than the one that was applied last.
	Behind Code = "GITOPS-BEHIND"
	// StalePlan: Terraform says that the state has changed since the plan was made.
	StalePlan Code = "GITOPS-STALE-PLAN"
	// NewState: the plan was made on an empty state, or on another state than that of the last apply.
	NewState Code = "GITOPS-NEW-STATE"
	// MovedConfiguration: the plan was made from other files than were merged.
	MovedConfiguration Code = "GITOPS-MOVED-CONFIGURATION"
	// ChangedPlan: a new plan would make other changes than the reviewed one.
	ChangedPlan Code = "GITOPS-CHANGED-PLAN"
	// DependencyApplied: the same, after a dependency was applied since the plan was made.
	DependencyApplied Code = "GITOPS-DEPENDENCY-APPLIED"
	// Waiting: the target could not be planned before another one is applied.
	Waiting Code = "GITOPS-WAITING"
	// Locked: another pull request holds the target's lock, or Atmos' settings lock the component.
	Locked Code = "GITOPS-LOCKED"
	// ExpectedDigest: another plan was approved than the one that would be applied.
	ExpectedDigest Code = "GITOPS-EXPECTED-DIGEST"
	// TerraformVersion: the Terraform that was found is not the wanted one, or did not make the plan.
	TerraformVersion Code = "GITOPS-TERRAFORM-VERSION"
	// DriftIssue: the drift issue does not say reliably which plan to apply.
	DriftIssue Code = "GITOPS-DRIFT-ISSUE"
	// Policy: the policies deny the plan.
	Policy Code = "GITOPS-POLICY"
	// Approval: the plan lacks an approval that the policies or the settings require.
	Approval Code = "GITOPS-APPROVAL"
	// Permission: the person may not start an apply.
	Permission Code = "GITOPS-PERMISSION"
)

// What went wrong under way.
const (
	// Terraform: a command of Terraform, OpenTofu or Atmos failed.
	Terraform Code = "GITOPS-TERRAFORM"
	// ErroredState: Terraform could not write the state to its backend.
	ErroredState Code = "GITOPS-ERRORED-STATE"
	// Unrecorded: the end of the apply could not be recorded.
	Unrecorded Code = "GITOPS-UNRECORDED"
	// Targets: some of many targets failed, were refused, or were not tried.
	Targets Code = "GITOPS-TARGETS"
	// Conflict: others kept writing the same item at the same time.
	Conflict Code = "GITOPS-CONFLICT"
	// Cancelled: the run was cancelled.
	Cancelled Code = "GITOPS-CANCELLED"
)

// GitHub.
const (
	// GitHubPermission: the token lacks a permission.
	GitHubPermission Code = "GITOPS-GITHUB-PERMISSION"
	// GitHubRateLimit: a rate limit would take too long to wait for.
	GitHubRateLimit Code = "GITOPS-GITHUB-RATE-LIMIT"
	// GitHub: GitHub returned any other error, or did not answer.
	GitHub Code = "GITOPS-GITHUB"
)
