package gitops

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// defaultPath is the root module folder of a component without a path.
const defaultPath = "components/{component}"

// Target resolves one component in one stack, and checks that its root module and its files
// are in the checkout. Errors name the place in gitops.yaml ([*Error]). If the file does not
// have the target, the error wraps [inventory.ErrUnknownTarget] and suggests names.
func (c *Config) Target(componentName, stackName string) (inventory.Target, error) {
	comp, ok := c.doc.Components[componentName]
	if !ok {
		return inventory.Target{}, fmt.Errorf("%w: %s has no component %s: %s", inventory.ErrUnknownTarget, c.file, problem.Quote(componentName), problem.Suggest(componentName, c.componentNames()))
	}
	if c.lacksStack(stackName) {
		return inventory.Target{}, fmt.Errorf("%w: %s has no stack %s: %s", inventory.ErrUnknownTarget, c.file, problem.Quote(stackName), problem.Suggest(stackName, c.stackNames()))
	}
	if !comp.isIn(stackName) {
		return inventory.Target{}, fmt.Errorf("%w: %s has component %s not in stack %s: %s", inventory.ErrUnknownTarget, c.file, problem.Quote(componentName), problem.Quote(stackName), problem.Suggest(stackName, c.stacksOf(comp)))
	}
	return c.resolver(componentName, stackName).resolve()
}

func (c *Config) resolver(componentName, stackName string) resolver {
	comp, known := c.components[componentName]
	if !known { // while the document is filled in
		comp = new(component)
		*comp = c.doc.Components[componentName]
	}
	st, known := c.stacks[stackName]
	if !known {
		st = new(stack)
		*st = c.doc.Stacks[stackName]
	}
	return resolver{Config: c, componentName: componentName, comp: comp, stackName: stackName, st: st, in: comp.in(stackName)}
}

// resolver merges what the top level, the stack and the component say of one target.
type resolver struct {
	*Config
	componentName, stackName string
	comp                     *component
	st                       *stack
	in                       *inStack // nil: nothing
}

// layers are those whose settings the target has. A later one beats those before it.
func (r resolver) layers() []*layer {
	all := []*layer{&r.doc.layer, &r.st.layer, &r.comp.layer}
	if r.in != nil {
		all = append(all, &r.in.layer)
	}
	return all
}

// text is the last one that is set in the layers.
func (r resolver) text(of func(*layer) text) text {
	var last text
	for _, l := range r.layers() {
		last = of(l).or(last)
	}
	return last
}

// texts are those of all layers.
func (r resolver) texts(of func(*layer) []text) (all []text) {
	for _, l := range r.layers() {
		all = append(all, of(l)...)
	}
	return all
}

// resolve is the target, after a look whether its root module and its files are there.
func (r resolver) resolve() (inventory.Target, error) {
	t, err := r.target()
	if err == nil {
		err = r.lookAt(t)
	}
	if err != nil {
		return inventory.Target{}, err
	}
	return t, nil
}

// target is the merged configuration. Nothing is read on disk.
func (r resolver) target() (inventory.Target, error) {
	t := inventory.Target{
		Component: r.componentName,
		Stack:     r.stackName,
		Root:      r.checkout.Root,
		Workspace: expand(r.workspace().value, r.componentName, r.stackName),
		Env:       r.env(),
		Settings:  r.settings(),
		Given:     r.given,
	}
	var err error
	if t.Dir, err = r.expandDir(); err != nil {
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
		if inventory.IsBackendFile(b.value) {
			if value, err = r.expandPath(b, t.Dir); err == nil && !inventory.IsBackendFile(value) {
				err = r.fault(b.at, nil, "%s, %s, is a file whose name Terraform takes for KEY=VALUE: rename it without an equals sign", b.at.named(), problem.Quote(value))
			}
			if err != nil {
				return t, err
			}
		}
		t.BackendConfig = append(t.BackendConfig, value)
	}
	for _, f := range r.planFiles() {
		out, glob := inventory.SplitPlanFile(f.value)
		f.value = glob
		name, err := r.expandPath(f, t.Dir)
		if err == nil && !doublestar.ValidatePattern(name) {
			err = r.fault(f.at, nil, "%s, %s, is not a valid pattern: close the brackets", f.at.named(), problem.Quote(f.value))
		}
		if err != nil {
			return t, err
		}
		t.PlanFiles = append(t.PlanFiles, out+name)
	}
	if t.DriftIgnore, err = r.driftIgnore(); err != nil {
		return t, err
	}
	t.DependsOn, t.Destroy = r.after[t.Name()], r.destroy().value
	t.Alone = r.targets[t.Dir] == 1
	for _, pattern := range slices.Concat(r.doc.Ignore, r.comp.Ignore) {
		t.Ignore = append(t.Ignore, expand(pattern.value, r.componentName, r.stackName))
	}
	return t, nil
}

func (r resolver) settings() inventory.Settings {
	storage, top := r.st.ArtifactStorage, r.doc.ArtifactStorage
	return inventory.Settings{
		TerraformVersion: r.doc.TerraformVersion.value,
		OpenTofuVersion:  r.doc.OpenTofuVersion.value,
		Region:           storage.Region.or(top.Region).value,
		Bucket:           storage.Bucket.or(top.Bucket).value,
		Table:            storage.Table.or(top.Table).value,
		StorageURL:       storage.URL.or(top.URL).value,
		PlanStorageRole:  storage.Role.Plan.or(top.Role.Plan).value,
		ApplyStorageRole: storage.Role.Apply.or(top.Role.Apply).value,
		DriftStorageRole: storage.Role.Drift.or(top.Role.Drift).value,
		PlanRole:         r.text(func(l *layer) text { return l.Role.Plan }).value,
		ApplyRole:        r.text(func(l *layer) text { return l.Role.Apply }).value,
		PlanClouds:       r.clouds(func(l *layer) (googleIdentity, azureIdentity) { return l.Google.Plan, l.Azure.Plan }),
		ApplyClouds:      r.clouds(func(l *layer) (googleIdentity, azureIdentity) { return l.Google.Apply, l.Azure.Apply }),
		Environment:      expand(r.text(func(l *layer) text { return l.Environment }).value, r.componentName, r.stackName),
		Policy:           r.policy(),
		Approvals:        r.approvals(),
		Audience:         r.st.Audience.or(r.doc.Audience).value,
	}
}

func (r resolver) clouds(of func(*layer) (googleIdentity, azureIdentity)) (c inventory.Clouds) {
	for _, l := range r.layers() {
		g, a := of(l)
		for _, over := range []struct {
			setting *string
			text    text
		}{
			{&c.Google.WorkloadIdentityProvider, g.WorkloadIdentityProvider}, {&c.Google.ServiceAccount, g.ServiceAccount},
			{&c.Azure.ClientID, a.ClientID}, {&c.Azure.TenantID, a.TenantID}, {&c.Azure.SubscriptionID, a.SubscriptionID},
		} {
			if over.text.set {
				*over.setting = over.text.value
			}
		}
	}
	return c
}

func (r resolver) path() text {
	if r.doc.Discover != nil {
		return r.comp.Path.or(r.doc.Path).or(text{value: discoveredPath, at: r.comp.At})
	}
	return r.comp.Path.or(r.doc.Path).or(text{value: defaultPath, at: r.comp.At})
}

// expandDir is the folder of the root module. `**` in the path, and what comes before the last
// slash of the component's name, are the same.
func (r resolver) expandDir() (string, error) {
	t := r.path()
	if !slices.Contains(strings.Split(t.value, "/"), anyFolders) {
		return r.expandPath(t, "")
	}
	if _, err := expandPath(t.value, r.componentName, r.stackName); err != nil {
		return "", r.fault(t.at, err, "%s", t.at.named())
	}
	deep, last := path.Split(r.componentName)
	var segments []string
	for segment := range strings.SplitSeq(t.value, "/") {
		if segment == anyFolders {
			segment = strings.TrimSuffix(deep, "/")
		} else {
			segment = expand(segment, last, r.stackName)
		}
		segments = append(segments, segment)
	}
	name, err := r.checkout.Name(path.Join("./", path.Join(segments...)))
	if err != nil {
		return "", r.fault(t.at, err, "%s, %s", t.at.named(), problem.Quote(path.Join(segments...)))
	}
	return name, nil
}

func (r resolver) workspace() text { return r.text(func(l *layer) text { return l.Workspace }) }

func (r resolver) varFiles() []text { return r.texts(func(l *layer) []text { return l.VarFiles }) }

func (r resolver) backendConfig() []text {
	return r.texts(func(l *layer) []text { return l.BackendConfig })
}

func (r resolver) planFiles() []text { return r.texts(func(l *layer) []text { return l.PlanFiles }) }

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

// expandPath makes a path of the document relative to the checkout. It is written relative
// to base, or, with a leading slash, to the checkout.
func (r resolver) expandPath(t text, base string) (string, error) {
	expanded, err := expandPath(t.value, r.componentName, r.stackName)
	if err != nil {
		return "", r.fault(t.at, err, "%s", t.at.named())
	}
	if strings.HasPrefix(expanded, "/") {
		base = ""
	}
	name, err := r.checkout.Name(path.Join(base, "./"+expanded))
	if err != nil {
		return "", r.fault(t.at, err, "%s, %s", t.at.named(), problem.Quote(expanded))
	}
	return name, nil
}

// lookAt checks that the folder and the files of a target are there. Unlike Terraform's, its
// errors name the key to correct.
func (r resolver) lookAt(t inventory.Target) error {
	at := r.path().at
	dir, info, err := r.checkout.Resolve(t.Dir)
	if err == nil && !info.IsDir() {
		err = checkout.ErrNotAFolder
	}
	if err != nil {
		todo := "add it, or set `path`"
		if r.comp.Stacks == nil && len(r.doc.Stacks) > 1 {
			todo = fmt.Sprintf("add it, set `path`, or list under `stacks` of %s the stacks that it is in", problem.Shorten(t.Component))
		}
		return r.fault(at, err, "the root module folder of %s, %s, can't be used (%s)", t, problem.Quote(t.Dir), todo)
	}
	entries, err := os.ReadDir(r.checkout.Path(dir))
	if err != nil {
		return r.fault(at, checkout.Cause(err), "the root module folder of %s, %s, can't be read", t, problem.Quote(t.Dir))
	}
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() && references.IsFile(e.Name()) }) {
		return r.fault(at, nil, "the root module folder of %s, %s, has no Terraform files (.tf, .tf.json, .tofu)", t, problem.Quote(t.Dir))
	}
	// Terraform: "only URL safe characters, and no path separators".
	if ws := r.workspace(); url.PathEscape(t.Workspace) != t.Workspace {
		return r.fault(ws.at, nil, "the workspace of %s, %s, has characters that Terraform does not allow in a workspace: use letters, digits and -_.~", t, problem.Quote(t.Workspace))
	}
	for i, f := range r.varFiles() {
		if err := r.lookAtFile(t.VarFiles[i]); err != nil {
			return r.fault(f.at, err, "the var file of %s, %s, can't be used (add it, or correct the list)", t, problem.Quote(t.VarFiles[i]))
		}
	}
	for i, b := range r.backendConfig() {
		if !inventory.IsBackendFile(t.BackendConfig[i]) {
			continue
		}
		if err := r.lookAtFile(t.BackendConfig[i]); err != nil {
			return r.fault(b.at, err, "the backend-config file of %s, %s, can't be used (add it, or correct the list)", t, problem.Quote(t.BackendConfig[i]))
		}
	}
	return nil
}

func (r resolver) lookAtFile(name string) error {
	_, info, err := r.checkout.Resolve(name)
	if err == nil && !info.Mode().IsRegular() {
		err = checkout.ErrNotAFile
	}
	return err
}
