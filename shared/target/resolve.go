package target

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// defaultPath is the root module folder of a component that says nothing
// else.
const defaultPath = "components/{component}"

// Target resolves one component in one stack and sees that its root module
// and its files are in the checkout. Its errors name the place in gitops.yaml
// ([*ConfigError]); a target that is not there gives [ErrUnknownTarget], with
// close names and the choices.
func (c *Config) Target(componentName, stackName string) (Target, error) {
	comp, ok := c.doc.Components[componentName]
	if !ok {
		return Target{}, fmt.Errorf("%w: %s has no component %s: %s", ErrUnknownTarget, c.file, quote(componentName), hint(componentName, c.componentNames()))
	}
	st, ok := c.doc.Stacks[stackName]
	if !ok {
		return Target{}, fmt.Errorf("%w: %s has no stack %s: %s", ErrUnknownTarget, c.file, quote(stackName), hint(stackName, c.stackNames()))
	}
	if !comp.isIn(stackName) {
		return Target{}, fmt.Errorf("%w: %s has component %s not in stack %s: %s", ErrUnknownTarget, c.file, quote(componentName), quote(stackName), hint(stackName, c.stacksOf(comp)))
	}
	return resolver{Config: c, componentName: componentName, comp: comp, stackName: stackName, st: st}.resolve()
}

// resolver merges the layers of one target: top level, stack, component.
type resolver struct {
	*Config
	componentName, stackName string
	comp                     component
	st                       stack
}

func (r resolver) layers() [3]layer { return [3]layer{r.doc.layer, r.st.layer, r.comp.layer} }

// resolve is the target, once its root module and its files are seen to be there.
func (r resolver) resolve() (Target, error) {
	t, err := r.target()
	if err == nil {
		err = r.lookAt(t)
	}
	if err != nil {
		return Target{}, err
	}
	return t, nil
}

// target is the merged configuration, not yet compared with what is on disk.
func (r resolver) target() (Target, error) {
	t := Target{
		Component: r.componentName,
		Stack:     r.stackName,
		Root:      r.checkout.root,
		Workspace: expand(r.workspace().value, r.componentName, r.stackName),
		Env:       r.env(),
		Settings:  r.settings(),
	}
	var err error
	if t.Dir, err = r.expandPath(r.path(), ""); err != nil {
		return t, err
	}
	for _, f := range r.varFiles() {
		name, err := r.expandPath(f, t.Dir)
		if err != nil {
			return t, err
		}
		t.VarFiles = append(t.VarFiles, name)
	}
	for _, b := range r.backendConfig() {
		value := expand(b.value, r.componentName, r.stackName)
		if isBackendFile(b.value) {
			if value, err = r.expandPath(b, t.Dir); err == nil && !isBackendFile(value) {
				err = r.fault(b.at, nil, "%s, %s, is a file whose name Terraform would take for KEY=VALUE: avoid the equals sign", b.at.named(), quote(value))
			}
			if err != nil {
				return t, err
			}
		}
		t.BackendConfig = append(t.BackendConfig, value)
	}
	for _, f := range r.planFiles() {
		out, glob := splitPlanFile(f.value)
		f.value = glob
		name, err := r.expandPath(f, t.Dir)
		if err == nil && !doublestar.ValidatePattern(name) {
			err = r.fault(f.at, nil, "%s, %s, is no pattern for files: close the brackets", f.at.named(), quote(f.value))
		}
		if err != nil {
			return t, err
		}
		t.PlanFiles = append(t.PlanFiles, out+name)
	}
	t.DependsOn = r.dependsOn()
	t.Alone = r.targets[t.Dir] == 1
	for _, pattern := range slices.Concat(r.doc.Ignore, r.comp.Ignore) {
		t.Ignore = append(t.Ignore, expand(pattern.value, r.componentName, r.stackName))
	}
	return t, nil
}

func (r resolver) dependsOn() (names []Name) {
	for _, dep := range r.comp.DependsOn {
		// Where the dependency is not in this stack there is nothing to wait for.
		if r.doc.Components[dep.value].isIn(r.stackName) {
			names = append(names, Name{dep.value, r.stackName})
		}
	}
	return names
}

// settings are those of the stack over the top level's.
func (r resolver) settings() Settings {
	storage, top := r.st.ArtifactStorage, r.doc.ArtifactStorage
	return Settings{
		TerraformVersion: r.doc.TerraformVersion.value,
		OpenTofuVersion:  r.doc.OpenTofuVersion.value,
		Region:           storage.Region.or(top.Region).value,
		Bucket:           storage.Bucket.or(top.Bucket).value,
		Table:            storage.Table.or(top.Table).value,
		StorageURL:       storage.URL.or(top.URL).value,
		PlanStorageRole:  storage.Role.Plan.or(top.Role.Plan).value,
		ApplyStorageRole: storage.Role.Apply.or(top.Role.Apply).value,
		DriftStorageRole: storage.Role.Drift.or(top.Role.Drift).value,
		PlanRole:         r.st.Role.Plan.or(r.doc.Role.Plan).value,
		ApplyRole:        r.st.Role.Apply.or(r.doc.Role.Apply).value,
		Audience:         r.st.Audience.or(r.doc.Audience).value,
	}
}

func (r resolver) path() text {
	return r.comp.Path.or(r.doc.Path).or(text{value: defaultPath, at: r.comp.At})
}

func (r resolver) workspace() text {
	return r.comp.Workspace.or(r.st.Workspace).or(r.doc.Workspace)
}

func (r resolver) varFiles() []text {
	l := r.layers()
	return slices.Concat(l[0].VarFiles, l[1].VarFiles, l[2].VarFiles)
}

func (r resolver) backendConfig() []text {
	l := r.layers()
	return slices.Concat(l[0].BackendConfig, l[1].BackendConfig, l[2].BackendConfig)
}

func (r resolver) planFiles() []text {
	l := r.layers()
	return slices.Concat(l[0].PlanFiles, l[1].PlanFiles, l[2].PlanFiles)
}

// splitPlanFile splits a pattern of plan-files into an exclamation mark, if it begins with
// one, and the glob.
func splitPlanFile(pattern string) (out, glob string) {
	if glob, is := strings.CutPrefix(pattern, "!"); is {
		return "!", glob
	}
	return "", pattern
}

func (r resolver) env() map[string]string {
	var env map[string]string
	for _, l := range r.layers() {
		for name, t := range l.Env {
			if env == nil {
				env = make(map[string]string)
			}
			env[name] = expand(t.value, r.componentName, r.stackName)
		}
	}
	return env
}

// expandPath is a path of the document relative to the checkout. It was
// written relative to base, or with a leading slash to the checkout itself.
func (r resolver) expandPath(t text, base string) (string, error) {
	expanded, err := expandPath(t.value, r.componentName, r.stackName)
	if err != nil {
		return "", r.fault(t.at, err, "%s", t.at.named())
	}
	if strings.HasPrefix(expanded, "/") {
		base = ""
	}
	name, err := r.checkout.name(path.Join(base, "./"+expanded))
	if err != nil {
		return "", r.fault(t.at, err, "%s, %s", t.at.named(), quote(expanded))
	}
	return name, nil
}

// isBackendFile tells as Terraform does whether a value of -backend-config is
// a file.
func isBackendFile(value string) bool { return !strings.Contains(value, "=") }

// lookAt compares a target with what is on disk, where a message can name the
// key to correct. Terraform's own message could not.
func (r resolver) lookAt(t Target) error {
	at := r.path().at
	dir, info, err := r.checkout.resolve(t.Dir)
	if err == nil && !info.IsDir() {
		err = errNotAFolder
	}
	if err != nil {
		return r.fault(at, err, "the root module folder of %s, %s, can't be used (add it, or set `path`)", t, quote(t.Dir))
	}
	entries, err := os.ReadDir(r.checkout.path(dir))
	if err != nil {
		return r.fault(at, cause(err), "the root module folder of %s, %s, can't be read", t, quote(t.Dir))
	}
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() && isConfiguration(e.Name()) }) {
		return r.fault(at, nil, "the root module folder of %s, %s, has no Terraform files (.tf, .tf.json, .tofu)", t, quote(t.Dir))
	}
	// Terraform: "only URL safe characters, and no path separators".
	if ws := r.workspace(); url.PathEscape(t.Workspace) != t.Workspace {
		return r.fault(ws.at, nil, "the workspace of %s, %s, has characters that Terraform does not allow: use letters, digits and -_.~", t, quote(t.Workspace))
	}
	for i, f := range r.varFiles() {
		if err := r.lookAtFile(t.VarFiles[i]); err != nil {
			return r.fault(f.at, err, "the var file of %s, %s, can't be used (add it, or correct the list)", t, quote(t.VarFiles[i]))
		}
	}
	for i, b := range r.backendConfig() {
		if !isBackendFile(t.BackendConfig[i]) {
			continue
		}
		if err := r.lookAtFile(t.BackendConfig[i]); err != nil {
			return r.fault(b.at, err, "the backend-config file of %s, %s, can't be used (add it, or correct the list)", t, quote(t.BackendConfig[i]))
		}
	}
	return nil
}

func (r resolver) lookAtFile(name string) error {
	_, info, err := r.checkout.resolve(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotAFile
	}
	return err
}
