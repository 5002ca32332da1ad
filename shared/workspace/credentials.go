package workspace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/gha"
)

// request asks for a role's credentials, or for the ambient ones if role is empty.
func (w *Workspace) request(role string) awsauth.Request {
	name := awsauth.SessionName(w.Context.Repository, w.Context.RunID, w.Target.Component, w.Target.Stack)
	return w.repository.Request(w.Settings, role, name)
}

// terraformCredentials returns environment variables through which Terraform, its providers
// and its provisioners get a role's credentials. They are renewed until Close.
func (w *Workspace) terraformCredentials(ctx context.Context, role string, now func() time.Time) (map[string]string, error) {
	request := w.request(role)
	request.Duration = w.Inputs.RoleDuration
	endpoint, err := awsauth.Serve(ctx, request, awsauth.Watch{
		Now: now,
		Given: func(secrets ...string) {
			for _, secret := range secrets {
				w.runtime.Mask(secret)
			}
		},
		Failed: func(err error, ends time.Time) {
			w.runtime.Warning(gha.Annotation{Message: fmt.Sprintf(
				"Terraform's credentials for %s end at %s and could not be renewed; it is tried again until then: %v",
				w.Target, ends.UTC().Format(time.TimeOnly+" UTC"), err)})
		},
	})
	if err != nil {
		return nil, err
	}
	w.endpoints = append(w.endpoints, endpoint)
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
	i := slices.IndexFunc(w.environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if i < 0 {
		return ""
	}
	return w.environ[i][len(name)+1:]
}
