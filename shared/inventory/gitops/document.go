package gitops

// document is gitops.yaml as it is written. The tag of a field has its key and the rules for
// its value: required, nonempty (a string, list or mapping), unique (the items of a list),
// text (a string instead of a mapping is the value of each key in it). gitops.schema.json
// says the same for editors, and a test compares the two.
type document struct {
	TerraformVersion text `key:"terraform-version,nonempty"`
	OpenTofuVersion  text `key:"opentofu-version,nonempty"`

	ArtifactStorage artifactStorage `key:"artifact-storage"`
	Role            role            `key:"role"`
	Audience        text            `key:"audience,nonempty"`

	Path text `key:"path,nonempty"`
	layer
	Ignore []text `key:"ignore"`

	Components map[string]component `key:"components,required,nonempty"`
	Stacks     map[string]stack     `key:"stacks,required,nonempty"`
}

// layer is what the top level, a stack and a component may all have. A stack beats the top
// level, and a component beats both.
type layer struct {
	Workspace     text            `key:"workspace"`
	VarFiles      []text          `key:"var-files"`
	BackendConfig []text          `key:"backend-config"`
	Env           map[string]text `key:"env"`
	PlanFiles     []text          `key:"plan-files"`
}

type component struct {
	At   place
	Path text `key:"path,nonempty"`
	layer
	Ignore    []text `key:"ignore"`
	DependsOn []text `key:"depends-on,unique"`
	Stacks    []text `key:"stacks,nonempty,unique"` // none: every stack
}

type stack struct {
	At              place
	ArtifactStorage artifactStorage `key:"artifact-storage"`
	Role            role            `key:"role"`
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

// text is a string in the document, with its place. set is false if the key is missing.
type text struct {
	value string
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
