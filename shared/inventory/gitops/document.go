package gitops

// document is gitops.yaml as it is written. The tag of a field has its key and the rules for
// its value: nonempty (a string, list or mapping), unique (the items of a list),
// text (a string instead of a mapping is the value of each key in it). gitops.schema.json
// says the same for editors, and a test compares the two.
type document struct {
	TerraformVersion text `key:"terraform-version,nonempty"`
	OpenTofuVersion  text `key:"opentofu-version,nonempty"`

	ArtifactStorage artifactStorage `key:"artifact-storage"`
	Audience        text            `key:"audience,nonempty"`

	Path text `key:"path,nonempty"`
	layer
	Ignore []text `key:"ignore"`
	Policy policy `key:"policy"` // instead of the layer's

	Discover   []text               `key:"discover,nonempty,unique"`
	Components map[string]component `key:"components,nonempty"`
	Stacks     map[string]stack     `key:"stacks,nonempty"`
}

// layer is what the top level, a stack, a component and a component's stack may all have. Each
// of these beats the ones before it. Lists and drift.ignore add up, but those of approvals do not.
type layer struct {
	Role          role            `key:"role"`
	Environment   text            `key:"environment,nonempty"`
	Google        google          `key:"google"`
	Azure         azure           `key:"azure"`
	Workspace     text            `key:"workspace"`
	VarFiles      []text          `key:"var-files"`
	BackendConfig []text          `key:"backend-config"`
	Env           map[string]text `key:"env"`
	PlanFiles     []text          `key:"plan-files"`
	Drift         drift           `key:"drift"`
	Policy        policyFilter    `key:"policy"`
	Approvals     approvals       `key:"approvals"`
}

type drift struct {
	Ignore []ignored `key:"ignore"`
}

// policy is what the top level says of policies.
type policy struct {
	Path []text `key:"path,unique"` // empty: there are no policies
	policyFilter
	Override override `key:"override"`
}

type override struct {
	Teams []text `key:"teams,nonempty,unique"`
}

type policyFilter struct {
	Include []text `key:"include"`
	Exclude []text `key:"exclude"`
}

// approvals are the people who have to approve. A list that is set replaces both lists of the layers
// before: who may approve is one answer.
type approvals struct {
	Count         number `key:"count"`
	Teams         []text `key:"teams,unique"`
	Users         []text `key:"users,unique"`
	NewerThanPlan flag   `key:"newer-than-plan"`
	CodeOwners    flag   `key:"codeowners"`
}

type component struct {
	At   place
	Path text `key:"path,nonempty"`
	layer
	Ignore    []text      `key:"ignore"`
	DependsOn []text      `key:"depends-on,unique"`
	Destroy   flag        `key:"destroy"`
	Stacks    memberships `key:"stacks,nonempty,unique"` // none: every stack
}

// memberships are the stacks that a component is in: a list of names, or a mapping with what the
// component has in each.
type memberships []membership

type membership struct {
	name text
	in   *inStack // nil: nothing
}

// inStack is what a component has in one of its stacks.
type inStack struct {
	At      place
	Destroy flag `key:"destroy"`
	layer
}

type stack struct {
	At              place
	ArtifactStorage artifactStorage `key:"artifact-storage"`
	Audience        text            `key:"audience,nonempty"`
	layer
}

type artifactStorage struct {
	Region text        `key:"region"`
	Bucket text        `key:"bucket"`
	Table  text        `key:"table"`
	Role   storageRole `key:"role,text"`
	URL    text        `key:"url"`
}

type storageRole struct {
	Plan  text `key:"plan"`
	Apply text `key:"apply"`
	Drift text `key:"drift"`
}

type role struct {
	Plan  text `key:"plan"`
	Apply text `key:"apply"`
}

type google struct {
	Plan  googleIdentity `key:"plan"`
	Apply googleIdentity `key:"apply"`
}

type googleIdentity struct {
	WorkloadIdentityProvider text `key:"workload-identity-provider"`
	ServiceAccount           text `key:"service-account"`
}

type azure struct {
	Plan  azureIdentity `key:"plan"`
	Apply azureIdentity `key:"apply"`
}

type azureIdentity struct {
	ClientID       text `key:"client-id"`
	TenantID       text `key:"tenant-id"`
	SubscriptionID text `key:"subscription-id"`
}

// text is a string in the document, with its place. set is false if the key is missing.
type text struct {
	value string
	set   bool
	at    place
}

// flag is true or false in the document, with its place.
type flag struct {
	value bool
	set   bool
	at    place
}

// number is a whole number in the document, with its place.
type number struct {
	value int
	set   bool
	at    place
}

// or returns t if it is set, else the text of another layer.
func (t text) or(below text) text {
	if t.set {
		return t
	}
	return below
}
