package workspace

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/cloudauth"
	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// request asks for a role's credentials, or for the ambient ones if role is empty.
func (w *Workspace) request(role string) awsauth.Request {
	name := awsauth.SessionName(w.Context.Repository, w.Context.RunID, w.Target.Component, w.Target.Stack)
	return w.repository.Request(w.Settings, role, name)
}

// terraformCredentials returns environment variables through which Terraform, its providers
// and its provisioners get a role's credentials, and those of other clouds. They
// are renewed until Close.
func (w *Workspace) terraformCredentials(ctx context.Context, role string, clouds inventory.Clouds, now func() time.Time) (map[string]string, error) {
	variables := map[string]string{}
	if role != "" {
		aws, err := w.awsCredentials(ctx, role, now)
		if err != nil {
			return nil, err
		}
		maps.Copy(variables, aws)
	}
	request := cloudauth.Request{
		Token: w.runtime.IDToken, Dir: w.Dir,
		Failed: func(err error, cloud string, ends time.Time) { w.notRenewed(cloud+" ID token", err, ends) },
	}
	if g := cloudauth.Google(clouds.Google); g != (cloudauth.Google{}) {
		request.Google = &g
	}
	if a := cloudauth.Azure(clouds.Azure); a != (cloudauth.Azure{}) {
		request.Azure = &a
	}
	files, err := cloudauth.Keep(ctx, request)
	if err != nil {
		return nil, err
	}
	w.kept, w.ambient = append(w.kept, files), request.Ambient
	maps.Copy(variables, files.Environment())
	return variables, nil
}

func (w *Workspace) notRenewed(what string, err error, ends time.Time) {
	w.runtime.Warning(gha.Annotation{Message: fmt.Sprintf(
		"Terraform's %s for %s ends at %s and could not be renewed; it is tried again until then: %v",
		what, w.Target, ends.UTC().Format(time.TimeOnly+" UTC"), err)})
}

// withoutAmbient leaves out the job's own credentials for clouds that the target signs in to.
func (w *Workspace) withoutAmbient(environ []string, env map[string]string) ([]string, map[string]string) {
	if w.ambient == nil {
		return environ, env
	}
	env = maps.Clone(env)
	maps.DeleteFunc(env, func(name, _ string) bool { return w.ambient(name) })
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return w.ambient(name)
	}), env
}

func (w *Workspace) awsCredentials(ctx context.Context, role string, now func() time.Time) (map[string]string, error) {
	request := w.request(role)
	request.Duration = w.Inputs.RoleDuration
	endpoint, err := awsauth.Serve(ctx, request, awsauth.Watch{
		Now: now,
		Given: func(secrets ...string) {
			for _, secret := range secrets {
				w.runtime.Mask(secret)
			}
		},
		Failed: func(err error, ends time.Time) { w.notRenewed("AWS session", err, ends) },
	})
	if err != nil {
		return nil, err
	}
	w.kept = append(w.kept, endpoint)
	variables := endpoint.Environment()
	for name := range variables {
		if strings.HasSuffix(name, "_REGION") && w.terraformVariable(name) != "" {
			delete(variables, name) // the settings' region is meant for the plan store: Terraform keeps the job's
		}
	}
	hidden, err := awsauth.HideDefaultProfile(w.terraformVariable, w.inRoot(w.Target.Dir), w.Dir)
	if err != nil {
		return nil, err
	}
	for name, file := range hidden {
		variables[name] = file
	}
	return variables, nil
}

// terraformVariable returns an environment variable of Terraform. What the target sets has
// precedence over the job's environment.
func (w *Workspace) terraformVariable(name string) string {
	if value, ok := w.Target.Env[name]; ok {
		return value
	}
	return envlist.Value(w.jobEnviron(), name)
}
