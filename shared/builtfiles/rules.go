package builtfiles

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rules say which files may travel to an apply.
type Rules struct {
	// Root is the checkout's folder, absolute and without links.
	Root string
	// Folders are the folders of the root module and of the local modules that it calls, and
	// other folders and files to which the configuration has a path. They are relative to
	// Root, slash-separated, with links resolved.
	Folders []string
	// Tracked lists the files that Git tracks, sorted, relative to Root; nil without Git.
	Tracked []string
	// Own lists files and folders that belong to Terraform or to this project, whatever their
	// names: a local state, a folder that is a plan store. They are relative to Root.
	Own []string
	// Generated reports whether Atmos writes a file into the root module's folder, by its
	// path in there; nil without Atmos.
	Generated func(rel string) bool
	// Dir is the root module's folder.
	Dir string

	taken map[string]bool // names in Git, in lower case: true for files, false for folders
}

// prepare fills taken, which makes check fast.
func (r Rules) prepare() Rules {
	r.taken = make(map[string]bool, len(r.Tracked))
	for _, name := range r.Tracked {
		lower := strings.ToLower(name)
		r.taken[lower] = true
		for dir := path.Dir(lower); dir != "."; dir = path.Dir(dir) {
			if _, known := r.taken[dir]; known {
				break
			}
			r.taken[dir] = false
		}
	}
	return r
}

// check says why a file of this name must not be put into the checkout; nil if it may.
func (r Rules) check(name string) error {
	switch {
	case name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, `\`):
		return errors.New("its name is not valid on every machine")
	case !fs.ValidPath(name) || name == ".":
		return errors.New("its name leads out of the checkout")
	case len(name) > 1000:
		return errors.New("its name is longer than 1,000 bytes")
	}
	for segment := range strings.SplitSeq(strings.ToLower(name), "/") {
		if why := reserved(segment); why != "" {
			return errors.New(why)
		}
	}
	switch {
	case r.tracks(name):
		return errors.New("a file or folder of this name is in Git, and was reviewed as it is there")
	case !r.inFolders(name):
		return errors.New("it is outside of the root module's folder and of those that its configuration names")
	case r.isOwn(name):
		return errors.New("it is a state, or a part of the plan store")
	}
	return nil
}

// reserved says what a file is, by a part of its path in lower case, if it can change what
// Terraform, Git or these actions do. It is empty for any other file.
func reserved(segment string) string {
	switch {
	case segment == ".git" || strings.HasPrefix(segment, ".git~") || segment == "git~1":
		return "it is Git's own"
	case strings.HasPrefix(segment, ".terraform") || strings.HasPrefix(segment, ".tofu") || strings.HasPrefix(segment, ".opentofu") || segment == "terraform.d":
		return "it is Terraform's own: its data, its lock file, its settings"
	case segment == "terraform.rc" || segment == "tofu.rc":
		return "it is a CLI configuration"
	case segment == "gitops.yaml" || segment == "gitops.yml" || strings.HasPrefix(segment, "atmos.y") || strings.HasPrefix(segment, ".atmos") || segment == "component.yaml" || segment == "terragrunt.hcl":
		return "it says what is planned, and how"
	case segment == ".tool-versions" || segment == "mise.toml" || segment == ".mise.toml" || segment == ".envrc":
		return "it says which programs run"
	case strings.HasPrefix(segment, ".gitops-"):
		return "it is this action's own"
	}
	// x.tf, x.tf.json, x.auto.tfvars.json, x.tftest.hcl
	for _, part := range strings.Split(segment, ".")[1:] {
		switch part {
		case "tf", "tofu":
			return "it is a Terraform file"
		case "tfvars", "tofuvars":
			return "it is a var file"
		case "tfbackend":
			return "it says where the state is"
		case "tftest", "tofutest", "tfmock", "tfquery", "tfstack", "tfcomponent", "tfdeploy":
			return "it is a Terraform file"
		case "tfrc", "tofurc":
			return "it is a CLI configuration"
		case "tfstate":
			return "it is a state"
		case "tfplan":
			return "it is a planfile"
		}
	}
	return ""
}

// isWritten reports whether a part of a path names something that Terraform, Git or this action
// writes for itself, which never travels.
func isWritten(segment string) bool {
	segment = strings.ToLower(segment)
	if segment == ".git" || strings.HasPrefix(segment, ".terraform") || strings.HasPrefix(segment, ".gitops-") ||
		segment == "crash.log" || strings.HasPrefix(segment, "crash.") && strings.HasSuffix(segment, ".log") {
		return true
	}
	parts := strings.Split(segment, ".")[1:]
	return !slices.Contains(parts, "tf") && (slices.Contains(parts, "tfstate") || slices.Contains(parts, "tfplan"))
}

// tracks reports whether Git tracks a file of this name, files below it, or a file in the place
// of one of its folders. Case does not count, since some disks ignore it.
func (r Rules) tracks(name string) bool {
	lower := strings.ToLower(name)
	if _, taken := r.taken[lower]; taken {
		return true
	}
	for dir := path.Dir(lower); dir != "."; dir = path.Dir(dir) {
		if r.taken[dir] {
			return true
		}
	}
	return false
}

func (r Rules) inFolders(name string) bool {
	return slices.ContainsFunc(r.Folders, func(folder string) bool { return isIn(name, folder) })
}

func (r Rules) isOwn(name string) bool {
	return slices.ContainsFunc(r.Own, func(own string) bool { return isIn(name, own) })
}

// generated reports whether Atmos writes a file.
func (r Rules) generated(name string) bool {
	if r.Generated == nil || !isIn(name, r.Dir) {
		return false
	}
	return r.Generated(strings.TrimPrefix(strings.TrimPrefix(name, r.Dir), "/")) || r.Generated(path.Base(name))
}

// isIn reports whether a path is a folder or lies in it.
func isIn(name, folder string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}
