package terraform

import (
	"encoding/json"
	"time"
)

// ResourceResult is what an apply did to one resource.
type ResourceResult struct {
	Address string
	Action  string // "create", "update", "delete", as Terraform's log names it
	Status  ResourceStatus
	Elapsed time.Duration // as Terraform rounds it, to seconds
}

// ResourceStatus says how far an apply got with a resource.
type ResourceStatus string

// How far an apply got with a resource.
const (
	Applied    ResourceStatus = "applied"
	Failed     ResourceStatus = "failed"
	Unfinished ResourceStatus = "unfinished"  // begun, no end seen: interrupted
	NotStarted ResourceStatus = "not-started" // the apply failed or was interrupted before
)

// Output is one root module output after an apply.
type Output struct {
	Name      string
	Sensitive bool
	Value     json.RawMessage // nil when sensitive: Terraform's log leaves it out
}
